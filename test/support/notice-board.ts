import type { NoticeBoard } from '../../src/engine/runtime/wake-ups.js';

/** Notices between engines of one test process, delivered at once; `lose` plays a connection that was cut. */
export class MemoryNotices {
  private readonly members = new Set<Member>();
  readonly said: string[] = [];
  lose = false;

  /** The board as one process sees it: it does not hear itself. */
  member(): NoticeBoard {
    const member: Member = { listeners: new Map(), reconnects: new Set() };
    this.members.add(member);
    return {
      publish: (channel, payload) => {
        this.said.push(`${channel} ${payload}`);
        if (this.lose) return;
        for (const other of this.members) {
          if (other === member) continue;
          for (const listener of other.listeners.get(channel) ?? []) listener(payload);
        }
      },
      on: (channel, listener) => {
        const listeners = member.listeners.get(channel) ?? new Set();
        member.listeners.set(channel, listeners);
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      onReconnect: (listener) => {
        member.reconnects.add(listener);
        return () => member.reconnects.delete(listener);
      },
    };
  }

  reconnect(): void {
    this.lose = false;
    for (const { reconnects } of this.members) for (const listener of reconnects) listener();
  }
}

interface Member {
  readonly listeners: Map<string, Set<(payload: string) => void>>;
  readonly reconnects: Set<() => void>;
}
