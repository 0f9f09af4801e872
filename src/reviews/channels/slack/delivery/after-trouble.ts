import { Injectable } from '@nestjs/common';
import type { Delivery } from '../../../../outbound/outbox.js';
import { WORKSPACE } from '../sql/broken.js';
import { BrokenSlack } from './broken-slack.js';
import type { SlackTrouble } from './slack-errors.js';
import { retry } from './slack-sender.js';

/** About a quarter of a minute with the delays of the outbox; a hiccup is over by then. */
export const PATIENT_ATTEMPTS = 5;

/** How a failed attempt goes on: it is made again, or that place is broken and the message is told otherwise. */
export type After =
  | { readonly kind: 'again'; readonly delivery: Delivery }
  | { readonly kind: 'broken'; readonly place: string; readonly reason: string };

/** Tells bad luck from what is broken, and says so. */
@Injectable()
export class AfterTrouble {
  constructor(private readonly broken: BrokenSlack) {}

  /** @param channel where it was to be said. */
  async of(trouble: SlackTrouble, channel: string, attempt: number): Promise<After> {
    switch (trouble.kind) {
      case 'channel':
        return this.isBroken(channel, trouble.reason);
      case 'workspace':
        return this.isBroken(WORKSPACE, trouble.reason);
      case 'unsure':
        return attempt < PATIENT_ATTEMPTS ? again(trouble) : this.isBroken(WORKSPACE, 'unreachable');
      case 'again':
      case 'unreachable':
      case 'unfit':
      case 'gone':
        return attempt < PATIENT_ATTEMPTS ? again(trouble) : this.isBroken(channel, trouble.reason);
      case 'wait':
      case 'turn':
        return again(trouble);
      default:
        return trouble satisfies never;
    }
  }

  private async isBroken(place: string, reason: string): Promise<After> {
    await this.broken.broke(place, reason);
    return { kind: 'broken', place, reason };
  }
}

// Longer than that nobody is left untold.
const LONG_WAIT_SECONDS = 120;

/** Nothing is broken, and yet it takes too long: the message is told otherwise meanwhile. */
export const isLongWait = (trouble: SlackTrouble): boolean =>
  (trouble.kind === 'wait' || trouble.kind === 'turn') && trouble.seconds > LONG_WAIT_SECONDS;

const again = (trouble: SlackTrouble): After => ({ kind: 'again', delivery: retry(trouble) });
