import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Log } from '../ops/log.js';

/** Something that is looked at again and again in role engine. A look that fails is told, and the next one comes. */
export abstract class EngineRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  protected constructor(
    private readonly parts: {
      readonly config: Pick<Config, 'ROLES'>;
      readonly log: Log;
      readonly clock: Clock;
      readonly everyMs: number;
      /** For the log, as in `open reviews could not be checked`. */
      readonly failed: string;
    },
  ) {}

  /** Aborts when the service stops: leave promptly. */
  protected get stopping(): AbortSignal {
    return this.ending.signal;
  }

  protected abstract look(): Promise<unknown>;

  onApplicationBootstrap(): void {
    if (this.parts.config.ROLES.includes('engine')) this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, everyMs, log, failed } = this.parts;
    while (!this.stopping.aborted) {
      await clock.sleepUntil(clock.now() + everyMs, this.stopping);
      if (this.stopping.aborted) return;
      try {
        await this.look();
      } catch (error) {
        log.warn({ err: error }, `${failed}; tried again soon`);
      }
    }
  }
}
