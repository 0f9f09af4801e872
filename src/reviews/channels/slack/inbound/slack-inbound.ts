import { Injectable } from '@nestjs/common';
import type { Handled, SlackHome } from './handled.js';
import { SlackCommands } from './slack-commands.js';
import { SlackEvents } from './slack-events.js';
import { SlackInteractions } from './slack-interactions.js';

/** The kinds of what comes in, by their names in Socket Mode. */
export type InboundKind = 'interactive' | 'slash_commands' | 'events_api';

/** The one way in, whether Slack delivers over its socket or by HTTP. */
@Injectable()
export class SlackInbound {
  constructor(
    private readonly interactions: SlackInteractions,
    private readonly commands: SlackCommands,
    private readonly events: SlackEvents,
  ) {}

  async receive(kind: InboundKind, payload: unknown, home: SlackHome): Promise<Handled> {
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
