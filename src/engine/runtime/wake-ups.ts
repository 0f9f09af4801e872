import type { Clock, Instant } from '../../clock.js';

/** The channel on which nodes tell each other that something waits. */
export const TASKS_CHANNEL = 'sallyport_tasks';

/** Best effort messages between processes; see `Notices` for what is promised. */
export interface NoticeBoard {
  publish(channel: string, payload: string): void;
  on(channel: string, listener: (payload: string) => void): () => void;
  onReconnect(listener: () => void): () => void;
}

// Whoever fires timers looks at least this often, so that only what is due sooner has to be told.
const LOOKED_AT_MS = 1_000;

/*
 * What is said: a task type that has something to hand out, that something becomes due very soon, or that a node
 * joined. The text after the first letter is the task type.
 */
const TASKS = 't';
const DUE = 'd';
const JOINED = 'j';

interface Parts {
  readonly board: NoticeBoard | undefined;
  readonly clock: Clock;
  /** Whether other nodes are registered; nobody else is told anything. */
  readonly hasPeers: () => boolean;
  readonly peerJoined: () => void;
  /** Another node queued tasks of this type. */
  readonly wake: (taskType: string) => void;
  /** Something is due soon that only nodes with the role `engine` fire. */
  readonly fire: () => void;
  /** Notices may have been missed: look at everything that somebody here waits for. */
  readonly look: () => void;
}

/**
 * What this process tells the other nodes after a commit, and what it does when they tell. All of it is a hint that
 * may be lost: everybody looks again each second.
 */
export class WakeUps {
  private readonly deaf: (() => void)[] = [];
  private toldDueAt: Instant = -Infinity;

  constructor(private readonly parts: Parts) {}

  start(): void {
    const { board, look } = this.parts;
    if (board === undefined) return;
    this.deaf.push(
      board.on(TASKS_CHANNEL, (payload) => this.heard(payload)),
      board.onReconnect(look),
    );
    board.publish(TASKS_CHANNEL, JOINED);
  }

  stop(): void {
    for (const stop of this.deaf.splice(0)) stop();
  }

  /** Tasks of this type wait to be claimed. */
  tasks(taskType: string): void {
    if (this.parts.hasPeers()) this.parts.board?.publish(TASKS_CHANNEL, TASKS + taskType);
  }

  /** Something that this node does not fire itself becomes due at `at` (0: now). */
  due(at: Instant): void {
    const { board, clock, hasPeers } = this.parts;
    if (board === undefined || !hasPeers()) return;
    const now = clock.now();
    if (at > now + LOOKED_AT_MS) return;
    // Whoever was told of an earlier moment looks then, and sees this one.
    if (this.toldDueAt > now && this.toldDueAt <= at) return;
    this.toldDueAt = at;
    board.publish(TASKS_CHANNEL, DUE);
  }

  private heard(payload: string): void {
    switch (payload[0]) {
      case TASKS:
        this.parts.wake(payload.slice(1));
        return;
      case DUE:
        this.parts.fire();
        return;
      case JOINED:
        this.parts.peerJoined();
        return;
      // A newer release may say more: what this one does not know it finds when it looks.
      default:
        this.parts.look();
    }
  }
}
