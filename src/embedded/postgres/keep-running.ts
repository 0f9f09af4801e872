import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from './error-facts.js';
import type { Postmaster } from './postmaster.js';

// Each follows a failed try; the first comes at once, because a server that was killed starts again in a second.
const PAUSES_MS = [100, 1_000, 3_000, 5_000, 10_000];
// One that ran this long was well; what ends it then has nothing to do with the last time.
const WELL_AFTER_MS = 60_000;

/** What the keeper needs to bring a server back, and whom it tells. */
export interface KeepRunning {
  /** Starts (or finds) the server again, on the same port. */
  readonly start: () => Promise<Postmaster>;
  readonly onExit: () => void;
  /** The server is back under another process id. */
  readonly onBack: (server: Postmaster) => void;
  /** It cannot be brought back; `reason` says why in a sentence. */
  readonly onLost: (reason: string) => void;
}

/**
 * Watches a server and starts it again when it ends without having been told to: killed for want of memory, by an
 * operator's mistake, by its own panic. Gives up after a few tries in a row, which the caller must say aloud.
 */
export class ServerKeeper {
  private readonly stopping = new AbortController();
  private current: Postmaster;
  /** The start that is under way, if any. */
  private starting: Promise<unknown> = Promise.resolve();

  constructor(
    first: Postmaster,
    private readonly parts: KeepRunning,
  ) {
    this.current = first;
    void this.watch();
  }

  get server(): Postmaster {
    return this.current;
  }

  /** Lets the server end from now on; waits for a start that is under way. @returns the server to stop. */
  async release(): Promise<Postmaster> {
    this.stopping.abort();
    await this.starting;
    return this.current;
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    while (!signal.aborted) {
      const since = performance.now();
      await this.current.gone;
      if (signal.aborted) return;
      if (performance.now() - since > WELL_AFTER_MS) failures = 0;
      this.parts.onExit();
      const back = this.bringBack(failures);
      this.starting = back;
      const tries = await back;
      if (tries === undefined) return;
      failures = tries;
    }
  }

  /** @returns how many tries were used up, `undefined` when none is left or none is wanted any more. */
  private async bringBack(used: number): Promise<number | undefined> {
    const { signal } = this.stopping;
    let reason = 'it ended again and again; postgres.log in its folder tells why.';
    for (let tries = used; tries < PAUSES_MS.length; tries++) {
      await delay(PAUSES_MS[tries], undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        this.current = await this.parts.start();
        this.parts.onBack(this.current);
        return tries + 1;
      } catch (error) {
        reason = messageOf(error);
      }
    }
    if (!signal.aborted) this.parts.onLost(reason);
    return undefined;
  }
}
