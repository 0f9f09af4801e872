import { Worker } from 'node:worker_threads';
import { Unavailable } from '../../../../errors.js';
import type { SecretScanTarget } from '../finding.js';
import type { Order, Report, WorkerSettings } from './messages.js';
import { PooledScan } from './pooled-scan.js';
import type { Orders } from './pooled-scan.js';
import { Pulse } from './pulse.js';
import { SharedChunks } from './shared-chunks.js';

export interface LaneSettings {
  readonly worker: Omit<WorkerSettings, 'pulse'>;
  readonly entry: URL;
  readonly deadlineMs: number;
  readonly monotonicMs: () => number;
}

// A worker that dies at once and again, say for want of memory, must not spin.
const MAX_FRUITLESS_STARTS = 5;
const WORKER_MEMORY_MB = 256;
// A scan leaves little garbage; the main thread's larger nurseries would only be resident memory here.
const WORKER_NURSERY_MB = 12;

/** One worker and the scans that are on it. Replaces the worker when it dies or stands still, and the scans go on. */
export class Lane implements Orders {
  readonly chunks = new SharedChunks();
  readonly #scans = new Map<number, PooledScan>();
  #worker: Worker | undefined;
  #pulse = new Pulse();
  #seenBeat = -1;
  #seenAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #fruitlessStarts = 0;
  #closed = false;

  constructor(private readonly settings: LaneSettings) {}

  get load(): number {
    return this.#scans.size;
  }

  open(scanId: number, target: SecretScanTarget): PooledScan {
    const scan = new PooledScan(scanId, target, this);
    this.#scans.set(scanId, scan);
    this.#worker?.ref();
    this.#watch ??= setInterval(() => this.#look(), this.settings.deadlineMs / 4);
    return scan;
  }

  send(order: Order): void {
    const worker = (this.#worker ??= this.#start());
    worker.postMessage(order, []);
  }

  leave(scanId: number): void {
    this.#scans.delete(scanId);
    if (this.#scans.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
    // An idle worker keeps no process alive.
    this.#worker?.unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const scan of this.#scans.values())
      scan.fail(new Unavailable('secret scanner', 'The secret scanner was closed.'));
    await this.#worker?.terminate();
  }

  #start(): Worker {
    this.#pulse = new Pulse();
    this.#seenBeat = -1;
    const workerData: WorkerSettings = { ...this.settings.worker, pulse: this.#pulse.memory };
    const worker = new Worker(this.settings.entry, {
      workerData,
      resourceLimits: {
        maxOldGenerationSizeMb: WORKER_MEMORY_MB,
        maxYoungGenerationSizeMb: WORKER_NURSERY_MB,
      },
    });
    worker.on('message', (report: Report) => {
      this.#fruitlessStarts = 0;
      if (worker === this.#worker) this.#scans.get(report.scanId)?.hear(report);
    });
    let problem = 'it ended by itself';
    worker.on('error', (error) => (problem = error.message));
    worker.on('exit', () => {
      if (worker === this.#worker) this.#replace(undefined, problem);
    });
    return worker;
  }

  /** Is the worker still at the rule that it was at when we last looked? */
  #look(): void {
    const { beat, scanId, ruleIndex } = this.#pulse.read();
    const now = this.settings.monotonicMs();
    if (beat !== this.#seenBeat || scanId === 0) {
      this.#seenBeat = beat;
      this.#seenAt = now;
      return;
    }
    if (now - this.#seenAt < this.settings.deadlineMs) return;
    const stopped = this.#worker;
    this.#replace({ scanId, ruleIndex }, 'it stood still');
    // Its exit is nobody's concern any more.
    void stopped?.terminate();
  }

  #replace(culprit: { scanId: number; ruleIndex: number } | undefined, problem: string): void {
    this.#worker = undefined;
    if (this.#closed) return;
    if (culprit === undefined && ++this.#fruitlessStarts > MAX_FRUITLESS_STARTS) {
      const error = new Unavailable(
        'secret scanner',
        `The secret scanner's worker does not run: ${problem}.`,
      );
      for (const scan of this.#scans.values()) scan.fail(error);
      this.#fruitlessStarts = 0;
      return;
    }
    for (const scan of this.#scans.values()) {
      if (culprit === undefined) scan.resume('unknown');
      else if (scan.scanId !== culprit.scanId) scan.resume('another scan');
      else scan.resume(culprit.ruleIndex >= 0 ? culprit.ruleIndex : 'unknown');
    }
  }
}
