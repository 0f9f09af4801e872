import { randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../../clock.js';
import type { ClaimedTask, ExecutionStore } from '../execution-store.js';
import type { CommitObserver } from '../runtime/commit-observer.js';
import { SILENT, type RuntimeLog } from '../runtime/runtime-log.js';
import type { Transition } from '../runtime/transition.js';
import { changeFrom, changeOf, leavesGap, MAX_TASKS, mergeChanges, type WorkflowChange } from './change.js';
import { Peers, type NoticeBoard } from './peers.js';
import { ChangeRing } from './ring.js';
import type { Subscriber } from './subscriber.js';

interface Parts {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  /** Absent where no other process can be. */
  readonly notices?: NoticeBoard | undefined;
  readonly log?: RuntimeLog;
}

/** What has to be read from the store: from which revision on, and whether only for those who follow it. */
interface Hint {
  readonly since: number;
  readonly followersOnly: boolean;
}

/** Wishes are repeated and followed workflows looked at again after so long: a lost hint is late by that, no more. */
export const TICK_MS = 3_000;
// Two flushes in a row are so far apart, real time: people see no difference and a burst becomes one event.
const FLUSH_MS = 50;
const FIRST_FLUSH_MS = 5;
const RETRY_MS = 1_000;
const MAX_COLLECTED = 1_000;
const MAX_LOADED = 200;
// A client that reconnects finds what it missed; without anybody for so long, nothing is kept.
const KEEP_RING_MS = 60_000;

/**
 * Brings what commits changed to those who listen: of this process from memory, of others by hints and the rows.
 *
 * Nothing is lost silently. Who follows one workflow is told every revision: what does not join on to what it knows is
 * read from the rows, and lost hints are found by looking at the revision again. Who listens to many is told `reset`
 * when something may have been missed. While nobody listens a commit costs one comparison.
 */
export class ChangeFeed implements CommitObserver {
  private readonly epoch = randomUUID().slice(0, 8);
  private readonly ring = new ChangeRing();
  private readonly followers = new Map<string, Set<Subscriber>>();
  private readonly watchers = new Set<Subscriber>();
  private readonly peers: Peers | undefined;
  private readonly stopping = new AbortController();
  private collected = new Map<string, WorkflowChange>();
  private hints = new Map<string, Hint>();
  private hasOverflowed = false;
  private isFlushing = false;
  private flushTimer: NodeJS.Timeout | undefined;
  private flushedAt = -Infinity;
  private watchedUntil: Instant = 0;
  private isWanted = false;
  private isTicking = false;
  private isRechecking = false;
  private recheckWanted = false;
  private behind: Instant | undefined;

  constructor(private readonly parts: Parts) {
    const { notices, clock } = parts;
    if (notices === undefined) return;
    const listener = {
      hint: (workflowId: string, since: number) => this.hint(workflowId, { since, followersOnly: false }),
      missed: (what: 'named' | 'all') => this.missed(what),
      wantedChanged: () => this.look(),
    };
    this.peers = new Peers(notices, listener, () => clock.now());
  }

  /** Since when the newest state is not known here (the database does not answer); `undefined` when it is. */
  get behindSince(): Instant | undefined {
    return this.behind;
  }

  committed(batch: readonly Transition[]): void {
    if (!this.isWanted) return;
    for (const transition of batch) {
      const { workflowId, write, before } = transition;
      if (write === undefined) continue;
      if (this.peers?.wants(workflowId) === true)
        this.peers.tell(workflowId, before?.workflow.revision ?? -1);
      if (!this.hasListener(workflowId)) continue;
      // Told by `reset` anyway: of so much, nothing is kept.
      if (this.isFull(workflowId)) this.hasOverflowed = true;
      else this.collect(changeOf(transition));
    }
  }

  claimed(tasks: readonly ClaimedTask[]): void {
    if (!this.isWanted) return;
    for (const { task, revisionBefore } of tasks) {
      const workflowId = task.workflowInstanceId;
      if (this.peers?.wants(workflowId) === true) this.peers.tell(workflowId, revisionBefore);
      if (this.hasListener(workflowId))
        this.hint(workflowId, { since: revisionBefore, followersOnly: false });
    }
  }

  /** Leases were handed back, of workflows that the store did not name. */
  released(): void {
    if (!this.isWanted) return;
    this.missed('all');
    if (this.peers?.isWanted === true) this.peers.tellMore();
  }

  /**
   * Tells `subscriber` what comes, until it closes.
   *
   * @param lastEventId where an earlier stream of the same interest ended; `undefined` for a new one.
   */
  add(subscriber: Subscriber, lastEventId: string | undefined): void {
    const { workflowId } = subscriber.interest;
    this.look();
    if (workflowId === undefined) this.watch(subscriber, lastEventId);
    else this.follow(subscriber, workflowId);
    subscriber.once('close', () => this.remove(subscriber));
    this.look();
    this.announce();
  }

  /** Ends the loops; the subscribers are ended by who owns them. */
  stop(): void {
    this.stopping.abort();
    clearTimeout(this.flushTimer);
    this.peers?.stop();
  }

  private follow(subscriber: Subscriber, workflowId: string): void {
    const others = this.followers.get(workflowId) ?? new Set();
    others.add(subscriber);
    this.followers.set(workflowId, others);
    this.hint(workflowId, { since: subscriber.knownRevision, followersOnly: true });
  }

  private watch(subscriber: Subscriber, lastEventId: string | undefined): void {
    this.watchers.add(subscriber);
    if (lastEventId === undefined) return;
    const [epoch, sequence] = lastEventId.split('-');
    const missed =
      epoch === this.epoch && /^\d{1,15}$/.test(sequence ?? '')
        ? this.ring.after(Number(sequence))
        : undefined;
    if (missed === undefined) subscriber.reset(this.idOf(this.ring.newest), this.parts.clock.now());
    else for (const one of missed) subscriber.offer(one.change, this.idOf(one.sequence));
  }

  private remove(subscriber: Subscriber): void {
    const { workflowId } = subscriber.interest;
    if (workflowId === undefined) {
      this.watchers.delete(subscriber);
      if (this.watchers.size === 0) this.watchedUntil = this.parts.clock.now() + KEEP_RING_MS;
      return;
    }
    const others = this.followers.get(workflowId);
    others?.delete(subscriber);
    if (others?.size === 0) this.followers.delete(workflowId);
  }

  /** Decides anew whether anybody listens. */
  private look(): void {
    const was = this.isWanted;
    this.isWanted = this.isWatched || this.followers.size > 0 || this.peers?.isWanted === true;
    // What happened while nobody listened is not in the ring.
    if (!this.isWatched) this.ring.break();
    if (this.isWanted && !was && !this.isTicking) void this.run();
  }

  private get isWatched(): boolean {
    return this.watchers.size > 0 || this.parts.clock.now() < this.watchedUntil;
  }

  private hasListener(workflowId: string): boolean {
    return this.watchers.size > 0 || this.followers.has(workflowId) || this.isWatched;
  }

  private isFull(workflowId: string): boolean {
    return (
      this.collected.size >= MAX_COLLECTED &&
      !this.collected.has(workflowId) &&
      !this.followers.has(workflowId)
    );
  }

  private collect(change: WorkflowChange | undefined): void {
    if (change === undefined) return;
    const { workflowId } = change.workflow;
    const before = this.collected.get(workflowId);
    if (before === undefined) this.collected.set(workflowId, change);
    else if (leavesGap(before, change)) {
      this.hint(workflowId, { since: before.workflow.revision, followersOnly: false });
    } else this.collected.set(workflowId, mergeChanges(before, change));
    this.schedule();
  }

  private hint(workflowId: string, hint: Hint): void {
    if (!this.hasListener(workflowId)) return;
    const before = this.hints.get(workflowId);
    if (before === undefined && this.hints.size >= MAX_COLLECTED && !this.followers.has(workflowId)) {
      this.hasOverflowed = true;
    } else {
      this.hints.set(workflowId, {
        since: Math.min(hint.since, before?.since ?? Infinity),
        followersOnly: hint.followersOnly && (before?.followersOnly ?? true),
      });
    }
    this.schedule();
  }

  private schedule(afterMs?: number): void {
    if (this.flushTimer !== undefined || this.isFlushing || this.stopping.signal.aborted) return;
    const pause = Math.max(FIRST_FLUSH_MS, this.flushedAt + FLUSH_MS - performance.now());
    this.flushTimer = setTimeout(() => void this.flush(), afterMs ?? pause);
    this.flushTimer.unref();
  }

  private async flush(): Promise<void> {
    this.flushTimer = undefined;
    this.isFlushing = true;
    const { collected } = this;
    this.collected = new Map();
    if (this.hasOverflowed) this.resetWatchers();
    this.hasOverflowed = false;
    for (const change of collected.values()) this.deliver(change, false);
    const isLoaded = await this.load();
    this.flushedAt = performance.now();
    this.isFlushing = false;
    if (this.hints.size > 0 || this.collected.size > 0 || this.hasOverflowed) {
      this.schedule(isLoaded ? undefined : RETRY_MS);
    }
  }

  /** Reads what is hinted at, in bounded portions. @returns false when the store does not answer. */
  private async load(): Promise<boolean> {
    const portion = [...this.hints].slice(0, MAX_LOADED);
    if (portion.length === 0) return true;
    for (const [workflowId] of portion) this.hints.delete(workflowId);
    const known = portion.map(([workflowId, { since }]) => ({
      workflowId,
      since: Math.min(since, this.leastKnown(workflowId)),
    }));
    try {
      const stored = await this.parts.store.changes(known, MAX_TASKS);
      this.behind = undefined;
      const found = new Map(stored.map((one) => [one.workflow.workflowId, changeFrom(one)]));
      for (const [workflowId, { followersOnly }] of portion) {
        const change = found.get(workflowId);
        if (change === undefined) this.endFollowers(workflowId);
        else this.deliver(change, followersOnly);
      }
      return true;
    } catch (error) {
      this.noteFailure(error);
      for (const [workflowId, hint] of portion) this.hint(workflowId, hint);
      return false;
    }
  }

  private deliver(change: WorkflowChange, followersOnly: boolean): void {
    const { workflowId, revision } = change.workflow;
    let since = Infinity;
    for (const follower of this.followers.get(workflowId) ?? []) {
      if (!follower.offer(change, `r${revision}`)) since = Math.min(since, follower.knownRevision);
    }
    if (since < Infinity) this.hint(workflowId, { since, followersOnly: true });
    if (followersOnly || !this.isWatched) return;
    const id = this.idOf(this.ring.add(change));
    for (const watcher of this.watchers) watcher.offer(change, id);
  }

  private endFollowers(workflowId: string): void {
    for (const follower of this.followers.get(workflowId) ?? []) follower.finish('gone');
  }

  private resetWatchers(): void {
    const id = this.idOf(this.ring.break());
    const now = this.parts.clock.now();
    for (const watcher of this.watchers) watcher.reset(id, now);
  }

  private missed(what: 'named' | 'all'): void {
    if (what === 'all') {
      this.hasOverflowed = true;
      this.schedule();
    }
    void this.recheck();
  }

  private idOf(sequence: number): string {
    return `${this.epoch}-${sequence}`;
  }

  private noteFailure(error: unknown): void {
    if (this.behind === undefined) {
      (this.parts.log ?? SILENT).warn(
        { err: error },
        'the event stream cannot read what changed; it tries again',
      );
    }
    this.behind ??= this.parts.clock.now();
  }

  private async run(): Promise<void> {
    const { clock } = this.parts;
    this.isTicking = true;
    while (this.isWanted && !this.stopping.signal.aborted) {
      await clock.sleepUntil(clock.now() + TICK_MS, this.stopping.signal);
      if (!this.stopping.signal.aborted) await this.tick();
    }
    this.isTicking = false;
  }

  private async tick(): Promise<void> {
    this.peers?.tick();
    this.look();
    this.announce();
    await this.recheck();
    if (this.peers === undefined || this.watchers.size === 0) return;
    try {
      const nodes = await this.parts.store.listNodes();
      // One that is there and does not tell: nobody can know what it does. Look at the rows instead.
      if (nodes.length - 1 > this.peers.audible) this.resetWatchers();
    } catch (error) {
      this.noteFailure(error);
    }
  }

  private announce(): void {
    if (this.watchers.size > 0 || this.followers.size > 0) {
      this.peers?.announce(this.watchers.size > 0, [...this.followers.keys()]);
    }
  }

  /** One statement for all followed workflows: whose revision is ahead of what was told? One at a time. */
  private async recheck(): Promise<void> {
    this.recheckWanted = true;
    if (this.isRechecking) return;
    this.isRechecking = true;
    while (this.recheckWanted && this.followers.size > 0) {
      this.recheckWanted = false;
      await this.compareRevisions();
    }
    this.isRechecking = false;
  }

  private async compareRevisions(): Promise<void> {
    try {
      const asked = [...this.followers.keys()];
      const revisions = await this.parts.store.revisions(asked);
      this.behind = undefined;
      for (const workflowId of asked) {
        const since = this.leastKnown(workflowId);
        const revision = revisions.get(workflowId);
        if (revision === undefined) this.endFollowers(workflowId);
        else if (revision > since) this.hint(workflowId, { since, followersOnly: false });
      }
    } catch (error) {
      this.noteFailure(error);
    }
  }

  /** What all followers of a workflow know at least; Infinity without any. */
  private leastKnown(workflowId: string): number {
    let least = Infinity;
    for (const follower of this.followers.get(workflowId) ?? [])
      least = Math.min(least, follower.knownRevision);
    return least;
  }
}
