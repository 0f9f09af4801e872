import { Inject, Injectable } from '@nestjs/common';
import type { KnownBlock } from '@slack/types';
import { LOG, type Log } from '../../../../ops/log.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { SlackAccess } from '../setup/slack-access.js';
import { escapeSlack } from '../slack-text.js';

/** Answers that one person sees alone. */
@Injectable()
export class SlackWhispers {
  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly access: SlackAccess,
  ) {}

  /** Nothing is decided by it, so an answer that does not arrive is only noted. */
  async whisper(
    to: { readonly channel: string | undefined; readonly userId: string },
    text: string,
    blocks?: KnownBlock[],
  ): Promise<void> {
    if (to.channel === undefined) return;
    try {
      await this.access.web?.chat.postEphemeral({
        channel: to.channel,
        user: to.userId,
        text: escapeSlack(text),
        ...(blocks === undefined ? {} : { blocks }),
      });
    } catch (error) {
      this.log.warn({ reason: slackErrorCode(error) }, 'a private answer did not reach Slack');
    }
  }
}
