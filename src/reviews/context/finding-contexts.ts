import type { Finding } from '../../verdicts/ledger.js';

/** One line as it may be shown: secrets masked, every character visible. */
export interface ContextLine {
  /** As in the finding; counts from 1. */
  readonly number: number;
  readonly text: string;
  /** The finding begins here. */
  readonly isFinding: boolean;
}

/** What stands around one finding; without lines `why` is a sentence. */
export interface FindingContext {
  readonly fingerprint: string;
  readonly path: string;
  readonly lines: readonly ContextLine[];
  readonly why: string | null;
}

/**
 * How the reading again ended. `gone`: the bytes are not there any more; `changed`: other bytes stand there; `too_large`;
 * `unreadable`: S3 or the scanner failed; `none`: no finding has a place in text.
 */
export type ContextState = 'shown' | 'gone' | 'changed' | 'too_large' | 'unreadable' | 'none';

export interface FindingContextAnswer {
  readonly state: ContextState;
  readonly readFrom: 'quarantine' | 'bucket' | null;
  /** A sentence, where nothing is shown. */
  readonly detail: string | null;
  readonly items: readonly FindingContext[];
}

export interface ContextQuestion {
  readonly scanId: string;
  /** Of the bytes that were scanned, where it is known. */
  readonly sha256?: string | undefined;
  readonly findings: readonly Finding[];
}

/** Reads an object again for what stands around its findings; nothing of it is kept. */
export abstract class FindingContexts {
  /** @throws Overloaded when too many are read at the same time. */
  abstract around(question: ContextQuestion, signal: AbortSignal): Promise<FindingContextAnswer>;
}
