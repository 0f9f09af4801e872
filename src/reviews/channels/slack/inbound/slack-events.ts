import { Inject, Injectable } from '@nestjs/common';
import { SLACK_EVENTS, type SlackEventHandler } from './events.js';
import type { Handled, SlackHome } from './handled.js';
import { EventCallback } from './payloads.js';

/** Events of the workspace, however they reach us, handed to whoever takes their type. */
@Injectable()
export class SlackEvents {
  constructor(@Inject(SLACK_EVENTS) private readonly handlers: readonly SlackEventHandler[]) {}

  async handle(payload: unknown, home: SlackHome): Promise<Handled> {
    const parsed = EventCallback.safeParse(payload);
    if (!parsed.success) return {};
    const { event_id: eventId, event } = parsed.data;
    const later: (() => Promise<void>)[] = [];
    for (const handler of this.handlers) {
      if (handler.eventType !== event.type) continue;
      const { afterwards } = await handler.received({ eventId, type: event.type, body: event }, home);
      if (afterwards !== undefined) later.push(afterwards);
    }
    return {
      afterwards: async () => {
        for (const work of later) await work();
      },
    };
  }
}
