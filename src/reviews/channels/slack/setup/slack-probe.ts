/* oxlint-disable unicorn/require-post-message-target-origin -- Slack's chat.postMessage, not a window's */
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { Overloaded } from '../../../../errors.js';
import { visible } from '../../../../outbound/safe-text.js';
import { section } from '../block-kit.js';
import { BrokenSlack } from '../delivery/broken-slack.js';
import { postedAt } from '../delivery/posted-at.js';
import { remedyOf } from '../delivery/remedies.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { LITERALLY, NOTHING_UNFURLED, proseSpan } from '../slack-text.js';
import { notSetUp } from './ask-slack.js';
import { SlackAccess } from './slack-access.js';

// Whoever asked for the probe waits for its answer.
const SHORT_WAIT_SECONDS = 5;

/** What became of a probe. */
export interface Probed {
  readonly channel: string;
  readonly posted: boolean;
  /** Whether the message is gone again; it stays when that was asked for or did not work. */
  readonly removed: boolean;
  readonly durationMs: number;
  /** Slack's word for what was wrong. */
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
}

/** Who asks for a probe: for the audit, and for those who read it. */
export interface ProbeAsker {
  readonly actor: string;
  readonly name: string;
}

/** Posts a message that says what it is for, so that people see whether a channel works before a review needs it. */
@Injectable()
export class SlackProbe {
  private isBusy = false;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly broken: BrokenSlack,
  ) {}

  /** @throws Conflict without a bot token, Overloaded while another one is under way in this process. */
  async probe(channel: string, keep: boolean, by: ProbeAsker): Promise<Probed> {
    const { web } = this.access;
    if (web === undefined) throw notSetUp();
    if (this.isBusy) throw new Overloaded('A probe is under way. Try again when it is over.', 2);
    this.isBusy = true;
    try {
      const began = this.clock.now();
      const outcome = await this.post(channel, keep, by.name);
      const probed = { channel, ...outcome, durationMs: Math.round(this.clock.now() - began) };
      await appendAudit(this.db, [
        {
          at: Math.round(this.clock.now()),
          actor: by.actor,
          action: 'slack.probed',
          subject: 'slack',
          data: { channel, posted: probed.posted, reason: probed.reason },
        },
      ]);
      return probed;
    } finally {
      this.isBusy = false;
    }
  }

  private async post(
    channel: string,
    keep: boolean,
    asker: string,
  ): Promise<Pick<Probed, 'posted' | 'removed' | 'reason' | 'remedy'>> {
    const text = `A test of Sallyport, asked for by ${proseSpan(asker, 100)}. Nothing needs to be done.`;
    try {
      const posted = await this.say(channel, text).catch(async (error: unknown) => {
        const seconds = (error as { readonly retryAfter?: unknown }).retryAfter;
        if (typeof seconds !== 'number' || seconds > SHORT_WAIT_SECONDS) throw error;
        // A review was posted there a moment ago: Slack takes one message a second.
        await this.clock.sleepUntil(this.clock.now() + seconds * 1000);
        return this.say(channel, text);
      });
      // A message that goes through proves more than any look.
      await this.broken.tookMessage(posted.channel);
      if (keep) return { posted: true, removed: false };
      return { posted: true, removed: await this.remove(posted.channel, posted.ts) };
    } catch (error) {
      const reason = visible(slackErrorCode(error), 200);
      return { posted: false, removed: false, reason, remedy: remedyOf(reason) };
    }
  }

  private async say(channel: string, text: string): Promise<{ channel: string; ts: string }> {
    const { web } = this.access;
    const blocks = [section([text])];
    return postedAt(
      await web?.chat.postMessage({
        channel,
        text,
        blocks,
        ...NOTHING_UNFURLED,
        ...LITERALLY,
      }),
      channel,
    );
  }

  private async remove(channel: string, ts: string): Promise<boolean> {
    try {
      await this.access.web?.chat.delete({ channel, ts });
      return true;
    } catch {
      // It says itself that nothing needs to be done; the answer says that it stayed.
      return false;
    }
  }
}
