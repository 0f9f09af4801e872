import { Overloaded } from '../../errors.js';
import type { Entry } from './entry.js';

/** What is asked of one workflow and not yet taken by a lane. */
export interface Mailbox {
  readonly workflowId: string;
  entries: Entry[];
  /** A lane has it; entries that arrive meanwhile wait for the next batch. */
  inFlight: boolean;
  /** How often in a row it was found locked by others. */
  busyTimes: number;
  /** Put aside until `unpark`. */
  isParked: boolean;
}

const isStart = ({ request }: Entry): boolean => request.kind === 'start';

export interface QueueLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
}

/**
 * The committer's queue: one mailbox per workflow, so that a workflow is in one batch at a time.
 *
 * Reports, timers and inbox go before starts. Starts are refused from half of the bounds, other calls of clients at the
 * whole; the engine's own entries never, because they are bounded by the work under way.
 */
export class CommitQueue {
  private readonly mailboxes = new Map<string, Mailbox>();
  // Sets keep insertion order: first in, first out, with removal in the middle.
  private readonly readyUpdates = new Set<Mailbox>();
  private readonly readyStarts = new Set<Mailbox>();
  private count = 0;
  private bytes = 0;

  constructor(private readonly limits: QueueLimits) {}

  /** Throws Overloaded when a bound is reached. */
  add(entry: Entry): void {
    if (!entry.internal) this.admit(isStart(entry));
    this.count += 1;
    this.bytes += entry.bytes;
    const mailbox = this.mailbox(entry.workflowId);
    mailbox.entries.push(entry);
    if (!mailbox.inFlight && !mailbox.isParked) this.makeReady(mailbox);
  }

  private admit(starts: boolean): void {
    const share = starts ? 0.5 : 1;
    if (this.count < this.limits.maxCount * share && this.bytes < this.limits.maxBytes * share) return;
    throw starts
      ? new Overloaded('The engine is busy; starts are refused until it has caught up.', 1, 429)
      : new Overloaded('The engine is busy and cannot take more for now.', 1, 503);
  }

  private mailbox(workflowId: string): Mailbox {
    let mailbox = this.mailboxes.get(workflowId);
    if (mailbox === undefined) {
      mailbox = { workflowId, entries: [], inFlight: false, busyTimes: 0, isParked: false };
      this.mailboxes.set(workflowId, mailbox);
    }
    return mailbox;
  }

  private makeReady(mailbox: Mailbox): void {
    const isOnlyStarts = mailbox.entries.every((entry) => isStart(entry) && !entry.internal);
    if (isOnlyStarts) this.readyStarts.add(mailbox);
    else {
      this.readyStarts.delete(mailbox);
      this.readyUpdates.add(mailbox);
    }
  }

  get hasReady(): boolean {
    return this.readyUpdates.size > 0 || this.readyStarts.size > 0;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  get depth(): { count: number; bytes: number } {
    return { count: this.count, bytes: this.bytes };
  }

  /**
   * Takes what is ready, up to the bounds but at least one, and marks it as in flight. Where a start waits, the starts
   * alone: it may meet an older workflow of the same id, and what else was sent is then meant for that one.
   */
  take(maxWorkflows: number, maxBytes: number): { mailbox: Mailbox; entries: Entry[] }[] {
    const taken: { mailbox: Mailbox; entries: Entry[] }[] = [];
    let bytes = 0;
    for (const ready of [this.readyUpdates, this.readyStarts]) {
      for (const mailbox of ready) {
        const starts = mailbox.entries.filter(isStart);
        const entries = starts.length > 0 ? starts : mailbox.entries;
        const size = entries.reduce((sum, entry) => sum + entry.bytes, 0);
        if (taken.length >= maxWorkflows || (taken.length > 0 && bytes + size > maxBytes)) return taken;
        bytes += size;
        ready.delete(mailbox);
        mailbox.inFlight = true;
        taken.push({ mailbox, entries });
        mailbox.entries = starts.length > 0 ? mailbox.entries.filter((entry) => !isStart(entry)) : [];
      }
    }
    return taken;
  }

  /** The entries were answered. */
  settle(entries: readonly Entry[]): void {
    this.count -= entries.length;
    for (const entry of entries) this.bytes -= entry.bytes;
  }

  /** The workflow may be in a batch again; what came meanwhile is ready. */
  releaseMailbox(mailbox: Mailbox): void {
    mailbox.inFlight = false;
    mailbox.busyTimes = 0;
    if (mailbox.entries.length > 0) this.makeReady(mailbox);
    else this.mailboxes.delete(mailbox.workflowId);
  }

  /** Its row was locked by others: the entries go back to the front and wait for `unpark`. */
  park(mailbox: Mailbox, entries: readonly Entry[]): void {
    mailbox.inFlight = false;
    mailbox.isParked = true;
    mailbox.busyTimes += 1;
    mailbox.entries = [...entries, ...mailbox.entries];
  }

  unpark(mailbox: Mailbox): void {
    mailbox.isParked = false;
    if (mailbox.inFlight) return;
    if (mailbox.entries.length > 0) this.makeReady(mailbox);
    else this.mailboxes.delete(mailbox.workflowId);
  }

  /** Takes out, as settled, what clients sent before a time and no lane has taken. */
  expire(before: number): Entry[] {
    const expired: Entry[] = [];
    for (const mailbox of this.mailboxes.values()) {
      const old = mailbox.entries.filter(({ internal, since }) => !internal && since < before);
      if (old.length === 0) continue;
      expired.push(...old);
      mailbox.entries = mailbox.entries.filter((entry) => !old.includes(entry));
      if (mailbox.inFlight || mailbox.isParked) continue;
      this.readyStarts.delete(mailbox);
      this.readyUpdates.delete(mailbox);
      if (mailbox.entries.length > 0) this.makeReady(mailbox);
      else this.mailboxes.delete(mailbox.workflowId);
    }
    this.settle(expired);
    return expired;
  }
}
