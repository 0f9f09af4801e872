import { existsSync } from 'node:fs';
import { InvalidInput, Unavailable } from '../../../../errors.js';
import type { SecretScan, SecretScanner, SecretScanTarget } from '../finding.js';
import { loadRules } from '../rules/load.js';
import type { RuleSource } from '../rules/load.js';
import { MAX_FINDINGS, RULE_BUDGET_MS, SHORTEST_KEY_BYTES } from '../secret-scanner.js';
import type { SecretScannerOptions } from '../secret-scanner.js';
import { Lane } from './lane.js';

export interface SecretScanPoolOptions extends SecretScannerOptions {
  readonly sources: readonly RuleSource[];
  /** How many worker threads; 1 when left out, which reads some 150 to 200 MB a second. */
  readonly workers?: number;
  /** How long one try of one pattern may take before its worker is replaced; 5,000 ms when left out. */
  readonly deadlineMs?: number;
  /** The worker's program, for tests that run it from the sources. */
  readonly entry?: URL;
}

const DEADLINE_MS = 5_000;
const MAX_WORKERS = 32;
const compiledEntry = new URL('./worker-entry.js', import.meta.url);

/**
 * Scans in worker threads, so that neither a large object nor a pattern that runs away holds up the process.
 *
 * A pattern that does not come back within the deadline costs its worker: the scans on it go on in a new one, and
 * the one whose rule it was goes on without the rule and says so in `notCovered`.
 * Throws RuleError for rules that cannot be used. Workers start with the first scan.
 */
export class SecretScanPool implements SecretScanner {
  readonly rulesCount: number;
  readonly rulesDigest: string;
  readonly rulesNotes: readonly string[];
  readonly #lanes: readonly Lane[];
  #lastId = 0;
  #closed = false;

  /** Whether the worker's program is there: not when the sources are run without a build, as under a test runner. */
  static get canRun(): boolean {
    return existsSync(compiledEntry);
  }

  constructor(options: SecretScanPoolOptions) {
    const workers = options.workers ?? 1;
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS)
      throw InvalidInput.field('workers', `must be a whole number from 1 to ${MAX_WORKERS}`);
    if (options.fingerprintKey.length < SHORTEST_KEY_BYTES)
      throw InvalidInput.field('fingerprintKey', `needs at least ${SHORTEST_KEY_BYTES} bytes`);
    const set = loadRules(options.sources);
    this.rulesCount = set.rules.length;
    this.rulesDigest = set.digest;
    this.rulesNotes = set.notes;
    const settings = {
      worker: {
        sources: options.sources,
        fingerprintKey: options.fingerprintKey,
        fingerprintKeyId: options.fingerprintKeyId,
        sealingKey: options.sealingKey,
        ruleBudgetMs: options.ruleBudgetMs ?? RULE_BUDGET_MS,
        maxFindings: options.maxFindings ?? MAX_FINDINGS,
      },
      entry: options.entry ?? compiledEntry,
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      monotonicMs: options.monotonicMs ?? (() => performance.now()),
    };
    this.#lanes = Array.from({ length: workers }, () => new Lane(settings));
  }

  open(target: SecretScanTarget): SecretScan {
    if (this.#closed) throw new Unavailable('secret scanner', 'The secret scanner was closed.');
    const idlest = this.#lanes.reduce((best, lane) => (lane.load < best.load ? lane : best));
    // Ids are 31 bits wide in shared memory; by the time they come round the old scan is long over.
    this.#lastId = (this.#lastId % 0x7fffffff) + 1;
    return idlest.open(this.#lastId, target);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}
