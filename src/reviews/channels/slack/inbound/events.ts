import type { Handled, SlackHome } from './handled.js';
import type { EventCallback } from './payloads.js';

/** Something that happened in the workspace. */
export interface SlackEvent {
  /** By which Slack tells a repetition from another event. */
  readonly eventId: string;
  readonly type: string;
  /** The event itself, as Slack says it; whoever takes it reads it with a shape of its own. */
  readonly body: EventCallback['event'];
}

/**
 * Takes one type of event. Slack tells an event again until it is acknowledged, which it is once `received` resolves:
 * what must not be lost is stored by then. An event whose handling failed or was cut off comes again, so taking it twice
 * must do no more than taking it once; one that was taken to its end does not.
 */
export abstract class SlackEventHandler {
  /** As `app_home_opened`; of messages, whatever they are sent in, `message`. */
  abstract readonly eventType: string;
  /** @returns what may be done after the acknowledgement, and would be lost with the process; `ack` is of no use here. */
  abstract received(event: SlackEvent, home: SlackHome): Promise<Pick<Handled, 'afterwards'>>;
}

/** Injection token of the array of all of them. Several may take the same type. */
export const SLACK_EVENTS = Symbol('SLACK_EVENTS');
