import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeFlags } from '../../scripts/launch/node-flags.mjs';
import type {
  ChainOrder,
  ChainResult,
  FeedOrder,
  FeedResult,
  ForkOrder,
  FromChild,
  FromParent,
  LoopOrder,
  LoopResult,
  MemoryResult,
  Order,
  PaceOrder,
  PaceResult,
  WorkOrder,
  WorkResult,
  WorkTotal,
} from './programs/messages.js';

const READY_MS = 60_000;
const STOP_MS = 15_000;

/** A process that is measured: takes one order at a time. */
export class Contestant {
  private lastId = 0;
  private readonly waiting = new Map<
    number,
    { resolve: (answer: never) => void; reject: (error: Error) => void }
  >();
  private printed = '';

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {}

  pid = 0;
  url = '';

  /** Runs a program with nothing of our environment, as a service manager would, and waits until it takes orders. */
  static async start(
    name: string,
    program: string,
    args: readonly string[],
    profile?: string,
  ): Promise<Contestant> {
    const child = fork(program, args, {
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', LOG_FORMAT: 'json' },
      execArgv: [
        // As the service is started; DBOS with the same, which does it no harm.
        ...nodeFlags({}),
        ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`]),
      ],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const contestant = new Contestant(name, child);
    const collect = (chunk: Buffer): void => {
      contestant.printed = (contestant.printed + chunk.toString()).slice(-20_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    await contestant.ready();
    return contestant;
  }

  private async ready(): Promise<void> {
    const timer = new AbortController();
    const isReady = new Promise<void>((resolve, reject) => {
      this.child.on('message', (message: FromChild) => {
        if (message.kind === 'ready') {
          this.pid = message.pid;
          this.url = message.url;
          resolve();
        } else {
          this.settle(message);
        }
      });
      this.child.once('exit', (code, signal) => {
        const error = new Error(`${this.name} ended with ${code ?? signal}:\n${this.printed}`);
        reject(error);
        for (const { reject: rejectOrder } of this.waiting.values()) rejectOrder(error);
        this.waiting.clear();
      });
    });
    const tooLate = delay(READY_MS, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`${this.name} was not ready within ${READY_MS / 1_000} s:\n${this.printed}`);
    });
    try {
      await Promise.race([isReady, tooLate.catch((error: Error) => ignoreAbort(error))]);
    } finally {
      timer.abort();
    }
  }

  private settle(message: Exclude<FromChild, { kind: 'ready' }>): void {
    const order = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.kind === 'answer') order?.resolve(message.answer as never);
    else order?.reject(new Error(`${this.name}: ${message.message}\n${this.printed}`));
  }

  tell(order: LoopOrder): Promise<LoopResult>;
  tell(order: ChainOrder | ForkOrder): Promise<ChainResult>;
  tell(order: PaceOrder): Promise<PaceResult>;
  tell(order: { readonly kind: 'memory' }): Promise<MemoryResult>;
  tell(order: FeedOrder | { readonly kind: 'stopFeeding' }): Promise<FeedResult>;
  tell(order: WorkOrder): Promise<WorkResult>;
  tell(order: { readonly kind: 'stopWorking' }): Promise<WorkTotal>;
  tell(order: Order): Promise<unknown> {
    const id = (this.lastId += 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, order } satisfies FromParent);
    });
  }

  /** Ends it in order; after a while at once. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    const timer = new AbortController();
    const late = delay(STOP_MS, true, { signal: timer.signal }).catch(() => false);
    if (await Promise.race([exited.then(() => false), late])) this.child.kill('SIGKILL');
    timer.abort();
    await exited;
  }
}

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error;
}
