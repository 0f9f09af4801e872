import { Injectable } from '@nestjs/common';
import type { Delivery } from '../../../../outbound/outbox.js';
import { SlackAccess } from '../setup/slack-access.js';
import { WORKSPACE } from '../sql/broken.js';
import { within } from '../within.js';
import { BrokenSlack } from './broken-slack.js';
import { troubleOf, type SlackTrouble } from './slack-errors.js';
import { retry } from './slack-sender.js';

/** About a quarter of a minute with the delays of the outbox; a hiccup is over by then. */
export const PATIENT_ATTEMPTS = 5;

// The attempt that failed has used up most of the time that its handler has.
const PATIENCE_MS = 3000;

/** How a failed attempt goes on: it is made again, or that place is broken and the message is told otherwise. */
export type After =
  | { readonly kind: 'again'; readonly delivery: Delivery }
  | { readonly kind: 'broken'; readonly place: string; readonly reason: string };

/** Tells bad luck from what is broken, and says so. */
@Injectable()
export class AfterTrouble {
  constructor(
    private readonly broken: BrokenSlack,
    private readonly access: SlackAccess,
  ) {}

  /** @param channel where it was to be said; `*` for one person's, of which nothing follows for others. */
  async of(trouble: SlackTrouble, channel: string, attempt: number): Promise<After> {
    switch (trouble.kind) {
      case 'channel':
        return this.isBroken(channel, trouble.reason);
      case 'workspace':
        return this.isBroken(WORKSPACE, trouble.reason);
      case 'unsure':
        return attempt < PATIENT_ATTEMPTS ? again(trouble) : this.silent(trouble, channel);
      case 'again':
      case 'unreachable':
      case 'unfit':
      case 'gone':
        return attempt < PATIENT_ATTEMPTS ? again(trouble) : this.isBroken(channel, trouble.reason);
      case 'wait':
        // Asked to wait again and again, it waits: given up it would be told nowhere.
        return attempt < PATIENT_ATTEMPTS ? again(trouble) : later(trouble);
      case 'turn':
        return again(trouble);
      default:
        return trouble satisfies never;
    }
  }

  /** Of a channel whose answers are lost, while Slack answers otherwise, nothing follows for the others. */
  private async silent(trouble: SlackTrouble, channel: string): Promise<After> {
    const ofAll = await this.troubleOfAll();
    if (ofAll?.kind === 'workspace') return this.isBroken(WORKSPACE, ofAll.reason);
    if (ofAll?.kind === 'unsure') return this.isBroken(WORKSPACE, 'unreachable');
    return channel === WORKSPACE ? again(trouble) : this.isBroken(channel, 'no_answer');
  }

  /** Whether Slack answers, and this app. */
  async isSlackThere(): Promise<boolean> {
    const ofAll = await this.troubleOfAll();
    return ofAll?.kind !== 'workspace' && ofAll?.kind !== 'unsure';
  }

  private async troubleOfAll(): Promise<SlackTrouble | undefined> {
    const { web } = this.access;
    if (web === undefined) return undefined;
    const silent: SlackTrouble = { kind: 'unsure', reason: 'no answer in time' };
    const asked = web.auth.test().then(() => undefined, troubleOf);
    // Late is as good as lost.
    return within(PATIENCE_MS, asked).catch(() => silent);
  }

  private async isBroken(place: string, reason: string): Promise<After> {
    await this.broken.broke(place, reason);
    return { kind: 'broken', place, reason };
  }
}

// Longer than that nobody is left untold.
const LONG_WAIT_SECONDS = 120;

/** Nothing is broken, and yet it takes too long, at once or in many waits: the message is told otherwise meanwhile. */
export const isLongWait = (trouble: SlackTrouble, attempt: number): boolean =>
  (trouble.kind === 'wait' && attempt >= PATIENT_ATTEMPTS) ||
  ((trouble.kind === 'wait' || trouble.kind === 'turn') && trouble.seconds > LONG_WAIT_SECONDS);

const later = ({ seconds, reason }: Extract<SlackTrouble, { readonly kind: 'wait' }>): After => ({
  kind: 'again',
  delivery: { kind: 'later', afterSeconds: seconds, reason },
});

const again = (trouble: SlackTrouble): After => ({ kind: 'again', delivery: retry(trouble) });
