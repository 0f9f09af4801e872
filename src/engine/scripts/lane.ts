import { Worker } from 'node:worker_threads';
import { Unavailable } from '../../errors.js';
import type { Order, Report, SandboxResult } from './messages.js';

/** Why a thread could not be used. */
type Settle = (result: SandboxResult | Unavailable) => void;

// Loading takes some 30 ms; a machine that is short of everything may take long.
const START_LIMIT_MS = 30_000;
// The recursion that the sandbox allows takes about 12 MB of the thread's stack at most (measured on Node 20).
const THREAD_STACK_MB = 24;
const THREAD_HEAP_MB = 128;

/** One thread and the script in it. The thread starts with the first script and ends when nothing has come for a while. */
export class Lane {
  private worker: Worker | undefined;
  private settle: Settle | undefined;
  private hardLimit: NodeJS.Timeout | undefined;
  private idleLimit: NodeJS.Timeout | undefined;
  private isReady = false;
  private order: Order | undefined;

  constructor(
    private readonly entry: URL,
    private readonly idleMs: number,
  ) {}

  /** One at a time. Resolves with what came of it; rejects with Unavailable when no thread would start. */
  run(order: Order): Promise<SandboxResult> {
    return new Promise((resolve, reject) => {
      this.settle = (result) => {
        clearTimeout(this.hardLimit);
        this.settle = undefined;
        this.order = undefined;
        // A thread without work keeps no process alive.
        this.worker?.unref();
        this.idleLimit = setTimeout(() => this.drop(), this.idleMs).unref();
        if (result instanceof Unavailable) reject(result);
        else resolve(result);
      };
      clearTimeout(this.idleLimit);
      this.order = order;
      this.worker ??= this.start();
      this.worker.ref();
      if (this.isReady) this.send();
      else
        this.hardLimit = setTimeout(
          () => this.giveUp(notStarted('it was not ready in time')),
          START_LIMIT_MS,
        );
    });
  }

  close(): Promise<unknown> {
    const { worker } = this;
    this.giveUp(new Unavailable('scripts', 'The engine stops; the script is evaluated again later.'));
    clearTimeout(this.idleLimit);
    return worker?.terminate() ?? Promise.resolve();
  }

  private send(): void {
    const { order, worker } = this;
    if (order === undefined || worker === undefined) return;
    clearTimeout(this.hardLimit);
    const message = `The script ran for more than ${(2 * order.limitMs) / 1000} seconds and its thread was ended`;
    // When this process was busy itself the answer may lie there unread, so it has one more turn.
    const stop = (): void =>
      void setImmediate(() => this.order === order && this.giveUp({ ok: false, message }));
    this.hardLimit = setTimeout(stop, 2 * order.limitMs);
    worker.postMessage(order, []);
  }

  private start(): Worker {
    const worker = new Worker(this.entry, {
      // Neither the environment nor the arguments are the scripts' business.
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB, stackSizeMb: THREAD_STACK_MB },
    });
    let problem = 'it ended by itself';
    worker.on('message', (report: Report) => {
      if (worker !== this.worker) return;
      if (report.kind === 'result') this.settle?.(report.result);
      else {
        this.isReady = true;
        this.send();
      }
    });
    worker.on('error', (error) => (problem = error.message));
    worker.on('exit', () => {
      if (worker !== this.worker) return;
      const message = `The script brought its sandbox down: ${problem.slice(0, 200)}`;
      this.giveUp(this.isReady ? { ok: false, message } : notStarted(problem));
    });
    return worker;
  }

  /** Ends the thread, and its script with this result. */
  private giveUp(result: SandboxResult | Unavailable): void {
    this.drop();
    this.settle?.(result);
  }

  private drop(): void {
    const { worker } = this;
    this.worker = undefined;
    this.isReady = false;
    // Its exit is nobody's concern any more.
    void worker?.terminate();
  }
}

const notStarted = (problem: string): Unavailable =>
  new Unavailable('scripts', `The sandbox for scripts does not start: ${problem}. Is the service built?`);
