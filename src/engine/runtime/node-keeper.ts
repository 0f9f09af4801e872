import { randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../../clock.js';
import type { ExecutionStore } from '../execution-store.js';
import { HEARTBEAT_MS } from './heartbeat.js';
import { Peers } from './peers.js';
import type { Runner } from './runner.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Tally } from './tally.js';

const BUSY_RETRIES = 100;
const BUSY_RETRY_MS = 20;

/** Which installation this process is, for the rows that name it. */
export interface NodeIdentity {
  /** Of the installation's home directory; random when it has none. */
  readonly homeId: string;
  readonly host: string;
  readonly pid: number;
  readonly roles: readonly string[];
}

interface Parts {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly runner: Runner;
  readonly log: RuntimeLog;
  readonly tally: Tally;
  readonly identity: NodeIdentity;
  readonly wake: (taskType: string) => void;
  /** Something was handed back. */
  readonly released: () => void;
}

/**
 * This process among its peers: its heartbeat, and what the dead held.
 *
 * Every lease names the process run that holds it. Leases of a run that is dead, or that the same home started again
 * after, are handed back at once, and consume no retry.
 */
export class NodeKeeper {
  private current = randomUUID();
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private lastBeatAt: Instant = 0;
  private isAccompanied = false;
  private readonly peers = new Peers();

  constructor(private readonly parts: Parts) {}

  /** The name of this process run in every lease. */
  readonly incarnation = (): string => this.current;

  /** When the heartbeat was last stored. */
  get lastBeat(): Instant {
    return this.lastBeatAt;
  }

  /** Whether other nodes are registered, as of the last look. */
  get hasPeers(): boolean {
    return this.isAccompanied;
  }

  /** A node said that it joined; the next heartbeat finds its row. */
  peerJoined(): void {
    this.isAccompanied = true;
  }

  async start(): Promise<void> {
    await this.register();
    await this.lookAround();
    this.loop = this.run();
  }

  /** Stops the heartbeat; the node's row stays until `leave`. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  /** Hands back what this process still holds, and removes its row. */
  async leave(): Promise<void> {
    await this.release([this.current]);
    await this.parts.store.removeNode(this.current);
  }

  /** Releases what these runs hold; rows that are busy are tried again, within bounds. */
  async release(owners: readonly string[], tasks?: readonly string[]): Promise<void> {
    const { store, clock, wake } = this.parts;
    for (let tries = 0; tries < BUSY_RETRIES; tries++) {
      const { types, busy } = await store.release(owners, clock.now(), tasks);
      if (types.length > 0) this.parts.released();
      for (const taskType of types) wake(taskType);
      if (!busy) return;
      if (types.length === 0) await clock.sleepUntil(clock.now() + BUSY_RETRY_MS);
    }
    this.parts.log.warn({ owners }, 'leases could not all be released yet; the next heartbeat tries again');
  }

  private async register(): Promise<void> {
    const { store, clock, identity, log } = this.parts;
    const now = clock.now();
    const replaced = await store.registerNode({
      ...identity,
      incarnation: this.current,
      startedAt: now,
      heartbeatAt: now,
    });
    this.lastBeatAt = now;
    if (replaced.length === 0) return;
    log.info({ replaced }, 'continuing what an earlier run of this installation held');
    await this.release(replaced);
  }

  private async run(): Promise<void> {
    const { clock, log } = this.parts;
    for (;;) {
      await clock.sleepUntil(clock.now() + HEARTBEAT_MS, this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      try {
        await this.beat();
      } catch (error) {
        log.warn({ err: error }, 'the heartbeat could not be stored');
      }
    }
  }

  /** One heartbeat, and a look at the leases and at the peers. */
  async beat(): Promise<void> {
    const { store, clock, runner } = this.parts;
    const now = clock.now();
    if (!(await store.heartbeat(this.current, now))) {
      await this.comeBack();
      return;
    }
    this.lastBeatAt = now;
    const candidates = runner.startedBefore(now);
    const held = await store.heldBy(this.current);
    const forgotten = runner.reconcile(candidates, held);
    if (forgotten.length > 0) await this.release([this.current], forgotten);
    await this.lookAround();
  }

  private async lookAround(): Promise<void> {
    const { store, clock, log } = this.parts;
    const others = (await store.listNodes()).filter(({ incarnation }) => incarnation !== this.current);
    const silent = this.peers.look(others, clock.now());
    const removed = silent.length === 0 ? [] : await store.removeNodes(silent);
    this.isAccompanied = others.length > removed.length;
    const dead = new Set([...removed, ...(await store.orphanedOwners())]);
    dead.delete(this.current);
    if (dead.size === 0) return;
    this.parts.tally.deadNodes += dead.size;
    log.warn({ dead: [...dead] }, 'nodes died; what they held is handed out again');
    await this.release([...dead]);
  }

  /** Peers took us for dead (the process was stopped, or the database away): what we ran may run elsewhere now. */
  private async comeBack(): Promise<void> {
    const { runner, log } = this.parts;
    const former = this.current;
    log.error(
      { incarnation: former },
      'this node was declared dead; its runs are stopped and it starts anew',
    );
    this.parts.tally.lostRuns += runner.size;
    runner.abortAll('This node was declared dead');
    this.current = randomUUID();
    await this.register();
    await this.release([former]);
  }
}
