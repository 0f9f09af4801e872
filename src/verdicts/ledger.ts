import type { Instant } from '../clock.js';
import type { RequiredEngine, Verdict } from './verdict.js';

/** Where an object's bytes are: endpoint id (a registered endpoint, `embedded` or `s3`), bucket, decoded key, version. */
export interface ObjectRef {
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  /** Absent in unversioned buckets; the string "null" is a real version id. */
  readonly versionId?: string | undefined;
}

/** What HEAD said at inspect; with ObjectRef the identity of an unversioned object. */
export interface ObjectFacts {
  /** Without quotes. */
  readonly eTag: string;
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly contentType?: string | undefined;
  /** MIME type told from the bytes; `text/plain`, `application/octet-stream` when nothing better is known. */
  readonly detectedType?: string | undefined;
  readonly storageClass?: string | undefined;
}

/** One scan of one object version; `generation` 1 for the first, higher for rescans. */
export interface ScanContext {
  readonly scanId: string;
  readonly objectId: string;
  readonly ref: ObjectRef;
  readonly generation: number;
  readonly facts?: ObjectFacts | undefined;
  /** What the event told of the bytes, where it told it. */
  readonly told?: Partial<Pick<ObjectFacts, 'eTag' | 'sizeBytes'>> | undefined;
  /** The principal that its event named; it proves nothing of a person. */
  readonly uploader?: string | undefined;
  /** Another scanner found something in these bytes. */
  readonly hasExternalThreats?: true | undefined;
}

/** An engine as it was when it looked. */
export interface EngineReport {
  readonly name: string;
  readonly version: string;
  /** Signature database or rule pack: version or digest. */
  readonly database?: string | undefined;
  /** ISO date of the signature database; absent when unknown. */
  readonly databaseDate?: string | undefined;
}

/** A part of the object that an engine did not look at, and why. */
export interface NotCovered {
  /** Path inside nested archives, `a.zip!inner.txt`; empty for the object itself. */
  readonly path: string;
  readonly reason:
    | 'encrypted'
    | 'limit'
    | 'unsupported'
    | 'timeout'
    | 'corrupt'
    | 'engine_missing'
    | 'database_unknown'
    | 'engine_error'
    | 'rule_disabled';
  readonly detail?: string | undefined;
}

/** What one scanner says of one object. The verdict is computed from these and nothing else. */
export interface ScanReport {
  readonly kind: 'secrets' | 'malware';
  readonly engines: readonly EngineReport[];
  readonly bytesScanned: number;
  readonly bytesTotal: number;
  readonly members: number;
  readonly sha256?: string | undefined;
  readonly notCovered: readonly NotCovered[];
  /** Number of findings by what they mean for the verdict. */
  readonly counts: {
    readonly infected: number;
    readonly secrets: number;
    readonly suspicious: number;
    readonly lowConfidence: number;
    /** Of what would count, how much somebody answers for: in none of the numbers above that do. */
    readonly accepted?:
      { readonly infected: number; readonly secrets: number; readonly suspicious: number } | undefined;
  };
}

/** One thing found. Never holds the secret itself: a masked excerpt and a keyed fingerprint. */
export interface Finding {
  readonly kind: 'secret' | 'malware';
  readonly ruleId: string;
  readonly title: string;
  readonly severity: 'critical' | 'high' | 'medium' | 'low';
  readonly confidence: 'high' | 'medium' | 'low';
  readonly path: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly byteOffset?: number | undefined;
  readonly excerpt?: string | undefined;
  readonly fingerprint: string;
  readonly remediation?: string | undefined;
  /** Why it does not count: somebody knows of it and answers for it (the baseline, or an exception). */
  readonly accepted?: string | undefined;
  /** The exception that answers for it. */
  readonly exceptionId?: string | undefined;
  /** What its provider said of the secret when it was found; absent when nobody asked. */
  readonly verified?: Verified | undefined;
}

/** Whether a secret is in use, as its provider says; `unknown` when it did not say so. */
export interface Verified {
  readonly state: 'active' | 'inactive' | 'unknown';
  readonly at: Instant;
}

export interface VerdictRecord {
  readonly verdict: Verdict;
  /** Stable lower_snake_case code, as `malware_engine_missing`; empty for clean. */
  readonly reason: string;
  readonly detail?: string | undefined;
  /** The engines that its bucket required; absent where the verdict was not one of engines. */
  readonly required?: readonly RequiredEngine[] | undefined;
  readonly engines: readonly EngineReport[];
  readonly bytesScanned: number;
  readonly bytesTotal: number;
  readonly sha256?: string | undefined;
  readonly notCovered: readonly NotCovered[];
  readonly workflowId: string;
}

export interface ActionRecord {
  readonly action: 'tagged' | 'quarantined' | 'released' | 'deleted' | 'kept' | 'none';
  /** False under observe mode, dry run or a policy that did not ask for it; `note` says which. */
  readonly performed: boolean;
  readonly note?: string | undefined;
  readonly at: Instant;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** What the ledger says of a scan and of its object by now. */
export interface Standing {
  /** The scan whose verdict the object carries: its generation, 0 for one that was said without a scan; absent when none was. */
  readonly spokenGeneration?: number | undefined;
  /** Of the bytes that this scan read, once it was judged. */
  readonly sha256?: string | undefined;
}

/**
 * How `identified` ended: go on; or stop, because another row already stands for these bytes, or because the bytes
 * that the event told of were overwritten since (unversioned buckets: the newer upload has a row of its own).
 */
export type Identified =
  | { readonly kind: 'current' }
  | { readonly kind: 'duplicate'; readonly ofScanId: string }
  | { readonly kind: 'superseded' };

/** How `pinVersion` ended: the scan is of this version now; or another row stands for it already. */
export type Pinned =
  | { readonly kind: 'pinned'; readonly versionId: string }
  | { readonly kind: 'duplicate'; readonly ofScanId: string };

/**
 * The ledger: one row per object version, one appended verdict per scan. The built-in workers write it;
 * every method may be repeated with the same arguments (tasks are handed out again after a crash) and changes
 * nothing the second time. Unknown scan ids → NotFound.
 */
export abstract class Ledger {
  abstract scan(scanId: string): Promise<ScanContext>;
  abstract standing(scanId: string): Promise<Standing>;
  /** What is said of the unversioned object that HEAD told of; `undefined` when no row stands for it. */
  abstract verdictOn(ref: ObjectRef, facts: ObjectFacts): Promise<Verdict | undefined>;
  /** Fixes an unversioned object's identity from HEAD, and keeps the facts. */
  abstract identified(scanId: string, facts: ObjectFacts): Promise<Identified>;
  /**
   * Says which version the upload is whose event named none: the first of these that no other row stands for. `current`
   * is what the key holds now, where that is known. What names a version already stays as it is.
   */
  abstract pinVersion(
    scanId: string,
    versionIds: readonly string[],
    current?: Pick<ObjectFacts, 'eTag' | 'sizeBytes'> & { readonly versionId?: string | undefined },
  ): Promise<Pinned>;
  /**
   * Replaces this kind's findings of the scan; at most 1,000 are kept, `total` counts them all. `source` is the scanner
   * outside that found them, whose findings are kept beside ours.
   */
  abstract recordFindings(
    scanId: string,
    kind: 'secrets' | 'malware',
    findings: readonly Finding[],
    total: number,
    source?: string,
  ): Promise<void>;
  /** Puts what other scanners found of the object among the scan's findings. @returns how many there are. */
  abstract recordExternalThreats(scanId: string): Promise<number>;
  /** Appends the verdict; the object's current verdict follows unless a newer generation spoke already. */
  abstract recordVerdict(scanId: string, record: VerdictRecord): Promise<void>;
  abstract recordAction(scanId: string, taskId: string, record: ActionRecord): Promise<void>;
  abstract recordDecision(
    scanId: string,
    decision: { reviewId: string; outcome: string; by: string; at: Instant; reason: string },
  ): Promise<void>;
  /** The scan's workflow is over; nothing more comes. */
  abstract close(scanId: string): Promise<void>;
}
