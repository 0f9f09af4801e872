import type { Checkpoint } from '../engine/byte-scan.js';
import type { SecretScanResult, SecretScanTarget } from '../finding.js';
import type { RuleSource } from '../rules/load.js';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly sources: readonly RuleSource[];
  readonly fingerprintKey: Uint8Array;
  readonly fingerprintKeyId: string;
  readonly sealingKey?: { readonly id: string; readonly key: Uint8Array } | undefined;
  readonly ruleBudgetMs: number;
  readonly maxFindings: number;
  /** Where the worker says what it is doing; see Pulse. */
  readonly pulse: SharedArrayBuffer;
}

/** From the pool to a worker. */
export type Order =
  | {
      readonly kind: 'open';
      readonly scanId: number;
      readonly target: SecretScanTarget;
      readonly checkpoint: Checkpoint | undefined;
      /** Rules that ran past their deadline on this object already. */
      readonly expired: readonly number[];
    }
  | {
      readonly kind: 'write';
      readonly scanId: number;
      readonly sequence: number;
      /** Shared as a rule; see SharedChunks. */
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'end'; readonly scanId: number }
  | { readonly kind: 'abort'; readonly scanId: number };

/** From a worker to the pool. */
export type Report =
  | {
      readonly kind: 'written';
      readonly scanId: number;
      readonly sequence: number;
      readonly checkpoint: Checkpoint | undefined;
    }
  | { readonly kind: 'result'; readonly scanId: number; readonly result: SecretScanResult }
  | { readonly kind: 'failed'; readonly scanId: number; readonly message: string };
