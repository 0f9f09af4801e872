import { Inject, Injectable } from '@nestjs/common';
import type { KnownBlock } from '@slack/types';
import { LOG, type Log } from '../../../../ops/log.js';
import { sayView } from '../answers/view.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { SlackAccess } from '../setup/slack-access.js';
import { section } from '../block-kit.js';
import { LITERALLY, proseSpan } from '../slack-text.js';

const LONGEST = 2800;

/** To whom something is said, and where they are. */
export interface Whispered {
  /** Where they clicked; nowhere in App Home. */
  readonly channel: string | undefined;
  readonly userId: string;
  /** Root of the thread in which they wrote. */
  readonly thread?: string | undefined;
  /** Of the click that is answered: opens one window within three seconds. */
  readonly triggerId?: string | undefined;
}

/** Answers that one person sees alone. */
@Injectable()
export class SlackWhispers {
  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly access: SlackAccess,
  ) {}

  /**
   * Beside the conversation, or in a window where the bot is in none. Nothing is decided by it, so an answer that does
   * not arrive is only noted.
   */
  async whisper(to: Whispered, text: string, blocks?: KnownBlock[]): Promise<void> {
    if (await this.besideConversation(to, text, blocks)) return;
    try {
      if (to.triggerId !== undefined)
        await this.access.web?.views.open({
          trigger_id: to.triggerId,
          view: sayView('Sallyport', text, blocks),
        });
    } catch (error) {
      this.log.warn({ reason: slackErrorCode(error) }, 'a private answer did not reach Slack');
    }
  }

  private async besideConversation(
    { channel, userId, thread }: Whispered,
    text: string,
    blocks?: KnownBlock[],
  ): Promise<boolean> {
    if (channel === undefined) return false;
    try {
      await this.access.web?.chat.postEphemeral({
        channel,
        user: userId,
        ...(thread === undefined ? {} : { thread_ts: thread }),
        text: proseSpan(text, LONGEST),
        // In blocks Slack makes no links of what a text only mentions.
        blocks: blocks ?? [section([proseSpan(text, LONGEST)])],
        ...LITERALLY,
      });
      return true;
    } catch (error) {
      // The bot may not be where a slash command was typed.
      this.log.info(
        { reason: slackErrorCode(error) },
        'a private answer could not stand in its conversation',
      );
      return false;
    }
  }
}
