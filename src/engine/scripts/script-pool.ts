import { InvalidInput, Overloaded, Unavailable } from '../../errors.js';
import type { ScriptResult } from '../model/command.js';
import type { Json } from '../model/json.js';
import { payloadProblems } from '../runtime/payload-check.js';
import { FairQueue } from './fair-queue.js';
import { Lane } from './lane.js';
import type { Order, SandboxResult, ScriptLimits } from './messages.js';
import { ScriptRunner, type ScriptRequest } from './script-runner.js';

export interface ScriptPoolOptions extends Partial<ScriptLimits> {
  /** How many scripts run at the same time; 1 when left out. */
  readonly threads?: number;
  /** How long a thread waits for work; 30,000 ms when left out. */
  readonly idleMs?: number;
  readonly maxWaiting?: number;
  /** Of the inputs that wait, as JSON. */
  readonly maxWaitingBytes?: number;
  /** The thread's program, for tests that run it from the sources. */
  readonly entry?: URL;
}

export const SCRIPT_DEFAULTS = {
  // Conductor's.
  limitMs: 4_000,
  memoryBytes: 64 * 1024 * 1024,
  maxResultCharacters: 1024 * 1024,
  threads: 1,
  idleMs: 30_000,
  maxWaiting: 10_000,
  maxWaitingBytes: 64 * 1024 * 1024,
} as const;

const MAX_THREADS = 16;
const compiledEntry = new URL('./worker-entry.js', import.meta.url);

interface Waiting {
  readonly group: string;
  readonly member: string;
  readonly order: Order;
  readonly resolve: (result: ScriptResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Evaluates scripts in threads of their own, which start with the first script.
 *
 * A script that runs away is interrupted at the limit; one that cannot even be interrupted loses its thread at twice
 * the limit. Neither holds up this process, and others wait for it no longer than that: groups share the time evenly,
 * however much one of them has waiting.
 */
export class ScriptPool extends ScriptRunner {
  private readonly queue = new FairQueue<Waiting>();
  private readonly free: Lane[];
  private readonly lanes: readonly Lane[];
  private readonly options: Required<Omit<ScriptPoolOptions, 'entry'>>;
  private waitingBytes = 0;
  private isClosed = false;

  constructor({ entry = compiledEntry, ...options }: ScriptPoolOptions = {}) {
    super();
    this.options = { ...SCRIPT_DEFAULTS, ...options };
    const { threads, idleMs } = this.options;
    if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
      throw InvalidInput.field('threads', `must be a whole number from 1 to ${MAX_THREADS}`);
    }
    this.lanes = Array.from({ length: threads }, () => new Lane(entry, idleMs));
    this.free = [...this.lanes];
  }

  /** How many wait, and how many run. */
  get depth(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.queue.size, running: this.lanes.length - this.free.length };
  }

  evaluate({ expression, input, now, seed, group, member }: ScriptRequest): Promise<ScriptResult> {
    if (this.isClosed) return Promise.reject(new Unavailable('scripts', 'The engine stops.'));
    const { maxWaiting, maxWaitingBytes, limitMs, memoryBytes, maxResultCharacters } = this.options;
    if (this.queue.size >= maxWaiting || this.waitingBytes >= maxWaitingBytes) {
      return Promise.reject(
        new Overloaded('Too many scripts wait to be evaluated; this one is tried later.', 5),
      );
    }
    const limits = { limitMs, memoryBytes, maxResultCharacters };
    const order = { expression, input: JSON.stringify(input), now, seed, ...limits };
    return new Promise((resolve, reject) => {
      this.waitingBytes += order.input.length;
      this.queue.add({ group, member, order, resolve, reject });
      this.pump();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const refusal = new Unavailable('scripts', 'The engine stops; the script is evaluated again later.');
    for (const { reject } of this.queue.drain()) reject(refusal);
    this.waitingBytes = 0;
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  private pump(): void {
    while (this.free.length > 0) {
      const next = this.queue.take();
      const lane = next === undefined ? undefined : this.free.pop();
      if (next === undefined || lane === undefined) return;
      this.waitingBytes -= next.order.input.length;
      void this.run(lane, next);
    }
  }

  private async run(lane: Lane, { group, order, resolve, reject }: Waiting): Promise<void> {
    const since = performance.now();
    try {
      resolve(read(await lane.run(order)));
    } catch (error) {
      reject(error);
    } finally {
      this.queue.charge(group, performance.now() - since);
      this.free.push(lane);
      this.pump();
    }
  }
}

/** The result as a value that can be stored. */
function read(result: SandboxResult): ScriptResult {
  if (!result.ok) return result;
  const value: Json = JSON.parse(result.json);
  const [problem] = payloadProblems(value, 'result');
  return problem === undefined
    ? { ok: true, value }
    : { ok: false, message: `${problem.path}: ${problem.message}` };
}
