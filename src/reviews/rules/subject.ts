import type { Finding, NotCovered, ObjectFacts, ObjectRef } from '../../verdicts/ledger.js';

/** `mapped`: an admin said so; `named`: the definition; `likely`: only the names agree. */
export interface UploadedBy {
  readonly how: 'mapped' | 'named' | 'likely' | 'service' | 'unknown';
  readonly name?: string | undefined;
}

/** What a person is shown and decides on, fixed when the review opens. Holds no secret: excerpts are masked. */
export interface Subject {
  readonly object?:
    | {
        readonly ref: ObjectRef;
        readonly facts?: ObjectFacts | undefined;
        readonly objectId: string;
        readonly uploader?: string | undefined;
        /** Who that was taken for when the review opened. */
        readonly uploadedBy?: UploadedBy | undefined;
      }
    | undefined;
  readonly verdict?: string | undefined;
  readonly reason?: string | undefined;
  /** Of the bytes that were scanned. */
  readonly sha256?: string | undefined;
  /** Which engines looked, as `clamav 1.4.3`. */
  readonly engines?: readonly string[] | undefined;
  /** What was not looked at, at most MAX_GAPS_SHOWN; absent in reviews of an earlier release. */
  readonly notCovered?: readonly NotCovered[] | undefined;
  /** How many of them the scan has. */
  readonly notCoveredTotal?: number | undefined;
  /** How much of the object was read; absent of what is clean, and in reviews of an earlier release. */
  readonly bytes?: { readonly scanned: number; readonly total: number } | undefined;
  /** At most MAX_FINDINGS_SHOWN, the worst first. */
  readonly findings: readonly Finding[];
  /** How many there are in all. */
  readonly findingsTotal: number;
  /** Fingerprints of all findings that are kept, sorted: part of the digest even when not shown. */
  readonly fingerprints: readonly string[];
  /** Where the bytes are while the review waits. */
  readonly quarantined?: boolean | undefined;
}

/** Findings that travel with a review; the rest are on the object's page. */
export const MAX_FINDINGS_SHOWN = 20;
/** The same of what was not looked at. */
export const MAX_GAPS_SHOWN = 20;

/** The part of a subject that a vote binds to: which bytes, what was said of them, what was found. */
export const essence = (subject: Subject) => ({
  object:
    subject.object === undefined
      ? null
      : {
          endpointId: subject.object.ref.endpointId,
          bucket: subject.object.ref.bucket,
          key: subject.object.ref.key,
          versionId: subject.object.ref.versionId ?? null,
          eTag: subject.object.facts?.eTag ?? null,
          sizeBytes: subject.object.facts?.sizeBytes ?? null,
        },
  verdict: subject.verdict ?? null,
  reason: subject.reason ?? null,
  findings: subject.fingerprints,
});
