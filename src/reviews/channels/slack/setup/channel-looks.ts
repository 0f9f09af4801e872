import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { SlackAccess } from './slack-access.js';
import { lookAtChannel, type SeenChannel } from './slack-channels.js';

// Slack lets a workspace ask about fifty times a minute; a page that is open asks much more often.
const LASTS_MS = 60_000;
const MAX_ASKED = 20;
const MAX_KEPT = 1000;

interface Look {
  readonly at: Instant;
  readonly seen: SeenChannel | undefined;
}

/** How channels are, as Slack last told this process; asked anew after a minute, and twenty at a time. */
@Injectable()
export class ChannelLooks {
  private readonly looks = new Map<string, Look>();
  /** Whose answers they are. */
  private botToken: string | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {}

  /** @returns those of which anything is known. */
  async at(channels: readonly string[]): Promise<ReadonlyMap<string, SeenChannel>> {
    const { web, settings } = this.access;
    if (this.botToken !== settings?.botToken) this.looks.clear();
    this.botToken = settings?.botToken;
    const now = this.clock.now();
    const due = channels.filter((channel) => now - (this.looks.get(channel)?.at ?? -Infinity) >= LASTS_MS);
    if (web !== undefined)
      await Promise.all(
        due.slice(0, MAX_ASKED).map(async (channel) => {
          const seen = await lookAtChannel(web, channel);
          // What Slack does not tell now, it told before.
          this.keep(channel, { at: now, seen: seen ?? this.looks.get(channel)?.seen });
        }),
      );
    return new Map(
      channels.flatMap((channel) => {
        const seen = this.looks.get(channel)?.seen;
        return seen === undefined ? [] : [[channel, seen] as const];
      }),
    );
  }

  /** What was seen is not taken for granted any more: somebody changed something. */
  forget(): void {
    this.looks.clear();
  }

  private keep(channel: string, look: Look): void {
    if (this.looks.size >= MAX_KEPT) this.looks.clear();
    this.looks.set(channel, look);
  }
}
