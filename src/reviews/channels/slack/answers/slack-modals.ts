import { Injectable } from '@nestjs/common';
import type { ModalView } from '@slack/types';
import { Conflict } from '../../../../errors.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { SlackAccess } from '../setup/slack-access.js';

const TOO_LATE = new Set(['expired_trigger_id', 'exchanged_trigger_id', 'trigger_expired']);

/** Windows that open at a click. */
@Injectable()
export class SlackModals {
  constructor(private readonly access: SlackAccess) {}

  /** Each click opens one, and only within three seconds. @throws Conflict when that is over. */
  async open(triggerId: string, view: ModalView): Promise<void> {
    try {
      await this.access.web?.views.open({ trigger_id: triggerId, view });
    } catch (error) {
      if (!TOO_LATE.has(slackErrorCode(error))) throw error;
      throw new Conflict(
        'That took too long for Slack, and nothing was changed. Click again.',
        {},
        { cause: error },
      );
    }
  }
}
