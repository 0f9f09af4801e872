import type { EngineReport } from '../../verdicts/ledger.js';
import type { Verdict } from '../../verdicts/verdict.js';

export const MAX_ATTACHMENT_BYTES = 10 * 1024 ** 2;

/** A file that somebody attached, whole. */
export interface AttachedFile {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

/** What our scanners say of it, by the rules of the ledger: `clean` only when every byte was looked at. */
export interface AttachmentVerdict {
  readonly verdict: Verdict;
  /** As in the ledger: `malware_found`; empty for `clean`. */
  readonly reason: string;
  readonly engines: readonly EngineReport[];
  /** What was found, in words that hold none of it; only a few. */
  readonly found: readonly string[];
  /** An engine broke off or is not there now: another attempt may do better. */
  readonly mayDoBetter: boolean;
}

/** Looks at attached files as at uploaded objects. Bound to the scanners of this process. */
export abstract class AttachmentScanner {
  /** @throws whatever ends the scan: nothing is known then. */
  abstract scan(file: AttachedFile, signal: AbortSignal): Promise<AttachmentVerdict>;

  /** A file's name as it may be stored and shown: what looks like a secret in it is masked. */
  abstract shownName(name: string): Promise<string>;
}
