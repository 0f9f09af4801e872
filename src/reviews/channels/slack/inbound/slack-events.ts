import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { Unavailable } from '../../../../errors.js';
import { finishSlackEvent, giveBackSlackEvent, holdSlackEvent } from '../sql/events.js';
import { SLACK_EVENTS, type SlackEvent, type SlackEventHandler } from './events.js';
import type { Handled, SlackHome } from './handled.js';
import { foreignness, originOfEvent } from './origin.js';
import { EventCallback } from './payloads.js';

// Slack waits three seconds; whoever takes longer than this has died.
const HOLD_MS = 30_000;
// Slack tells an event three times more, the last time after about an hour.
const REMEMBER_MS = 4 * 3_600_000;

/**
 * Events of the workspace, however they reach us, handed to whoever takes their type: each once, over all nodes. It is
 * told again what was not taken to its end.
 */
@Injectable()
export class SlackEvents {
  constructor(
    @Inject(SLACK_EVENTS) private readonly handlers: readonly SlackEventHandler[],
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** @throws what a handler throws, and Unavailable while another node has it: Slack tells it again. */
  async handle(payload: unknown, home: SlackHome): Promise<Handled> {
    const parsed = EventCallback.safeParse(payload);
    if (!parsed.success) return { refused: 'malformed' };
    const refused = foreignness(originOfEvent(parsed.data), home);
    if (refused !== undefined) return { refused };
    const { event_id: eventId, event } = parsed.data;
    const handlers = this.handlers.filter(({ eventType }) => eventType === event.type);
    if (handlers.length === 0) return {};
    const now = Math.round(this.clock.now());
    const turn = await holdSlackEvent(this.db, {
      eventId,
      now,
      heldUntil: now + HOLD_MS,
      forgetAt: now + REMEMBER_MS,
    });
    if (turn === 'done') return {};
    if (turn === 'elsewhere') throw new Unavailable('slack', 'Another node is taking this event just now.');
    return this.take(handlers, { eventId, type: event.type, body: event }, home);
  }

  private async take(
    handlers: readonly SlackEventHandler[],
    event: SlackEvent,
    home: SlackHome,
  ): Promise<Handled> {
    const later: (() => Promise<void>)[] = [];
    try {
      for (const handler of handlers) {
        const { afterwards } = await handler.received(event, home);
        if (afterwards !== undefined) later.push(afterwards);
      }
    } catch (error) {
      await giveBackSlackEvent(this.db, event.eventId);
      throw error;
    }
    await finishSlackEvent(this.db, event.eventId, Math.round(this.clock.now()));
    return {
      afterwards: async () => {
        for (const work of later) await work();
      },
    };
  }
}
