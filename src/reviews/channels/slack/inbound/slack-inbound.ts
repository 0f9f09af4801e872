import { Injectable } from '@nestjs/common';
import { Overloaded } from '../../../../errors.js';
import type { Handled, SlackHome } from './handled.js';
import { SlackCommands } from './slack-commands.js';
import { SlackEvents } from './slack-events.js';
import { SlackInteractions } from './slack-interactions.js';

/** The kinds of what comes in, by their names in Socket Mode. */
export type InboundKind = 'interactive' | 'slash_commands' | 'events_api';

// What waits behind so many is not answered within three seconds.
const MOST_AT_ONCE = 300;

/** The one way in, whether Slack delivers over its socket or by HTTP. */
@Injectable()
export class SlackInbound {
  private answering = 0;

  constructor(
    private readonly interactions: SlackInteractions,
    private readonly commands: SlackCommands,
    private readonly events: SlackEvents,
  ) {}

  /** @throws Overloaded when too much is being answered; what a handler throws, of which nothing came. */
  async receive(kind: InboundKind, payload: unknown, home: SlackHome): Promise<Handled> {
    if (this.answering >= MOST_AT_ONCE)
      throw new Overloaded('Too much from Slack is under way. Try again.', 1, 503);
    this.answering += 1;
    try {
      return await this.answer(kind, payload, home);
    } finally {
      this.answering -= 1;
    }
  }

  private answer(kind: InboundKind, payload: unknown, home: SlackHome): Promise<Handled> {
    switch (kind) {
      case 'interactive':
        return this.interactions.handle(payload, home);
      case 'slash_commands':
        return this.commands.handle(payload, home);
      case 'events_api':
        return this.events.handle(payload, home);
      default:
        return kind satisfies never;
    }
  }
}
