import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Answer, Order, PolledTask } from './messages.js';

const RUNNER = fileURLToPath(new URL('../../test/support/run-typescript.mjs', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./replica.ts', import.meta.url));
const START_MS = 60_000;
const ANSWER_MS = 30_000;

type Task = Order extends infer One ? (One extends { readonly id: number } ? Omit<One, 'id'> : never) : never;

/** Engines in processes of their own, all on one database, that are killed and started again. */
export class Replicas {
  private readonly replicas: Replica[];
  private next = 0;

  constructor(count: number, urls: readonly [url: string, adminUrl: string], folder: string) {
    this.replicas = Array.from(
      { length: count },
      (_, index) => new Replica(urls, `torture-${index}`, join(folder, `replica-${index}.log`)),
    );
  }

  async start(): Promise<void> {
    // One after the other: the first registers the definitions.
    for (const replica of this.replicas) await replica.start();
  }

  /** Kills one with SIGKILL and starts it again after a while; what it was asked fails. */
  async kill(index: number, pauseMs: number): Promise<void> {
    const replica = this.replicas[index];
    if (replica === undefined) throw new Error(`there is no replica ${index}`);
    await replica.kill();
    await delay(pauseMs);
    await replica.start();
  }

  /** Asks one after the other until one has done it: every order may be repeated. */
  async untilDone(task: Task): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.any().ask(task);
      if (answer.ok) return;
      if (tries >= 600) throw new Error(`given up after ${tries} tries: ${answer.message}`);
      await delay(Math.min(1_000, 50 * tries));
    }
  }

  async poll(taskType: string, count: number): Promise<readonly PolledTask[]> {
    const answer = await this.any().ask({ kind: 'poll', taskType, count });
    if (answer.ok) return answer.tasks ?? [];
    await delay(100);
    return [];
  }

  private any(): Replica {
    this.next = (this.next + 1) % this.replicas.length;
    const replica = this.replicas[this.next];
    if (replica === undefined) throw new Error('there are no replicas');
    return replica;
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.kill()));
  }
}

type Outcome = Extract<Answer, { readonly id: number }>;

class Replica {
  private process: ChildProcess | undefined;
  private isReady = false;
  private lastId = 0;
  private readonly waiting = new Map<number, (outcome: Outcome) => void>();

  constructor(
    private readonly urls: readonly string[],
    private readonly homeId: string,
    private readonly logFile: string,
  ) {}

  async start(): Promise<void> {
    const log = openSync(this.logFile, 'a');
    const child = fork(RUNNER, [PROGRAM, ...this.urls, this.homeId], { stdio: ['ignore', log, log, 'ipc'] });
    this.process = child;
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (answer: Answer) => {
        if (answer.id === 'ready') resolve();
        else this.settle(answer);
      });
      child.once('exit', (code) => {
        this.isReady = false;
        for (const id of this.waiting.keys())
          this.settle({ id, ok: false, message: 'the replica was killed' });
        reject(new Error(`a replica ended with ${code} before it was ready; see ${this.logFile}`));
      });
    });
    // Whether it came up is known before anybody waits for the end.
    const late = new AbortController();
    await Promise.race([
      ready,
      delay(START_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`a replica is not ready after ${START_MS} ms; see ${this.logFile}`);
      }),
    ]).finally(() => late.abort());
    this.isReady = true;
  }

  async kill(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  ask(task: Task): Promise<Outcome> {
    const child = this.process;
    this.lastId += 1;
    const id = this.lastId;
    if (child === undefined || !this.isReady) {
      return Promise.resolve({ id, ok: false, message: 'the replica is not there' });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle({ id, ok: false, message: 'no answer in time' }), ANSWER_MS);
      this.waiting.set(id, (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      });
      child.send({ ...task, id }, (error) => {
        if (error !== null) this.settle({ id, ok: false, message: error.message });
      });
    });
  }

  private settle(outcome: Outcome): void {
    const settle = this.waiting.get(outcome.id);
    this.waiting.delete(outcome.id);
    settle?.(outcome);
  }
}
