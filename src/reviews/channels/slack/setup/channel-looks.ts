import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import type { BrokenPlace } from '../sql/broken.js';
import { SlackAccess } from './slack-access.js';
import { lookAtChannel, type SeenChannel } from './slack-channels.js';

// Slack lets a workspace ask about fifty times a minute; a page that is open asks much more often.
const LASTS_MS = 60_000;
const MAX_ASKED = 20;
// Whoever mends a channel looks at the page while they do.
const TROUBLE_LASTS_MS = 10_000;
const MAX_URGENT = 3;
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

  /**
   * @param broken of these, and of those that Slack called of no use, a few are asked anew sooner: somebody may be mending them.
   * @returns those of which anything is known.
   */
  async at(
    channels: readonly string[],
    broken: readonly BrokenPlace[] = [],
  ): Promise<ReadonlyMap<string, SeenChannel>> {
    const { web, settings } = this.access;
    if (this.botToken !== settings?.botToken) this.looks.clear();
    this.botToken = settings?.botToken;
    const now = this.clock.now();
    const ageOf = (channel: string): number => now - (this.looks.get(channel)?.at ?? -Infinity);
    const urgent = channels.filter((channel) => {
      const since = broken.find(({ place }) => place === channel)?.since;
      const isTroubled = since !== undefined || this.looks.get(channel)?.seen?.trouble !== undefined;
      return (
        isTroubled && (ageOf(channel) >= TROUBLE_LASTS_MS || now - ageOf(channel) < (since ?? -Infinity))
      );
    });
    const usual = channels.filter((channel) => ageOf(channel) >= LASTS_MS);
    const due = [...new Set([...urgent.slice(0, MAX_URGENT), ...usual])];
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
