import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../../outbound/outbox.js';
import { troubleOf } from '../delivery/slack-errors.js';
import { retry } from '../delivery/slack-sender.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { HomeTabs } from './home-tabs.js';

/** Outbox kind of a Home tab that is to be brought up to date. */
export const SLACK_HOME = 'slack.home';

const Payload = z.object({ teamId: z.string(), userId: z.string() });
// A later change brings it up to date, and so does opening it.
const MAX_TRIES = 3;
const PASSES: ReadonlySet<string> = new Set(['wait', 'unsure', 'again']);

/** Delivers `slack.home`. */
@Injectable()
export class SlackHomeHandler extends OutboxHandler {
  readonly kind = SLACK_HOME;
  override readonly concurrency = 2;

  constructor(
    private readonly tabs: HomeTabs,
    private readonly workspace: SlackWorkspace,
  ) {
    super();
  }

  async deliver({ payload, attempt }: OutboxDelivery): Promise<Delivery> {
    const account = Payload.safeParse(payload).data;
    if (account === undefined) return { kind: 'giveUp', reason: 'it names no account' };
    try {
      const home = await this.workspace.known();
      // Of a workspace that the app is no longer in.
      if (home?.teamId !== account.teamId) return skipped('not our workspace');
      await this.tabs.refreshed(account, home);
      return { kind: 'sent' };
    } catch (error) {
      const trouble = troubleOf(error);
      if (PASSES.has(trouble.kind) && attempt < MAX_TRIES) return retry(trouble);
      return skipped(trouble.reason);
    }
  }
}
