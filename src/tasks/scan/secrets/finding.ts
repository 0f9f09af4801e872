import type { Encoding } from './engine/decode/layer.js';
import type { Confidence, Severity } from './rules/rule.js';

/** Where a secret stands. Offsets and lengths are bytes of the scanned object, also when its text is UTF-16. */
export interface SecretLocation {
  /** The member of an archive, as the caller named it. */
  readonly memberPath?: string;
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1, in bytes of the line (code units in UTF-16 text). */
  readonly column: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A secret that was found, without the secret: nothing in here lets anybody outside this process use or reconstruct it. */
export interface SecretFinding {
  readonly ruleId: string;
  readonly provider: string;
  readonly description: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly location: SecretLocation;
  readonly maskedExcerpt: string;
  /** `hmac-sha256:<key id>:<hex>`. The same secret has the same fingerprint wherever it turns up. */
  readonly fingerprint: string;
  /** How the secret was written when not in clear, the outermost encoding first. */
  readonly encodings?: readonly Encoding[];
  /** The provider's page on revoking such a secret; empty for rules that name none. */
  readonly remediation: string;
  /**
   * The secret, encrypted with the scanner's sealing key for this fingerprint: only where there is such a key, and only for
   * rules whose provider can be asked. It goes nowhere but to the verifier.
   */
  readonly sealedSecret?: string;
}

/** Something that was not looked for, and why. An object with any of these was not fully scanned. */
export interface NotCovered {
  /** `decoding_limit`: more was encoded, and encoded again, than is decoded. */
  readonly reason: 'rule_deadline' | 'scanner_failed' | 'decoding_limit';
  readonly ruleId?: string;
  /** The rule stays off for the rest of this object and is tried again on the next one. */
  readonly disabledForObject?: true;
}

/** What one scan of one object looked at and found. */
export interface SecretScanResult {
  /** In the order of the object, at most the scanner's limit; the most certain ones are kept. */
  readonly findings: readonly SecretFinding[];
  /** How many there were, by confidence, the ones left out of `findings` included. */
  readonly counts: Readonly<Record<Confidence, number>>;
  /** `findings` leaves some out. */
  readonly truncated: boolean;
  /** Matches on a line that says `gitleaks:allow` or `sallyport:allow`: findings all the same, it is the uploader's word. */
  readonly markedAllowed: number;
  readonly bytesScanned: number;
  readonly lines: number;
  readonly rulesCount: number;
  readonly rulesDigest: string;
  readonly engine: {
    readonly name: 'sallyport-secrets';
    readonly version: string;
    readonly ruleCount: number;
    readonly digest: string;
  };
  readonly notCovered: readonly NotCovered[];
}

/** One object being scanned. Write its bytes in order, await each write, then call `end` once. */
export interface SecretScan {
  /** Takes the next bytes. A promise means: wait for it before writing more. */
  write(chunk: Uint8Array): void | Promise<void>;
  end(): Promise<SecretScanResult>;
  /** Gives the scan up and frees what it holds. Safe to call at any time, also twice. */
  abort(): void;
}

/** What is to be scanned. */
export interface SecretScanTarget {
  /** The object's key or the member's path: rules and allowlists may judge by it. */
  readonly path: string;
  /** Set for a member of an archive; it goes into each finding's location. */
  readonly memberPath?: string;
}

/** Scans objects for secrets, in this thread or in workers. */
export interface SecretScanner {
  readonly rulesCount: number;
  readonly rulesDigest: string;
  /** What of the rule files is not followed or looks like a mistake, a sentence each; for whoever wrote them. */
  readonly rulesNotes: readonly string[];
  open(target: SecretScanTarget): SecretScan;
  /** Stops the scanner. Scans that are still open fail. */
  close(): Promise<void>;
}
