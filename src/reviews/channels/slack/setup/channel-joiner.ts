import { Injectable } from '@nestjs/common';
import { auditActor, type Principal } from '../../../../access/principal.js';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { askSlack, notSetUp } from './ask-slack.js';
import { SlackAccess } from './slack-access.js';

/** Has the app join a public channel, where it has the optional scope for that. */
@Injectable()
export class ChannelJoiner {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {}

  /** @throws Conflict when Slack refuses: a private channel needs an invitation, and the scope is optional. */
  async join(channel: string, principal: Principal): Promise<void> {
    const { web } = this.access;
    if (web === undefined) throw notSetUp();
    await askSlack(() => web.conversations.join({ channel }));
    await appendAudit(this.db, [
      {
        at: Math.round(this.clock.now()),
        actor: auditActor(principal),
        action: 'slack.channel_joined',
        subject: 'slack',
        data: { channel },
      },
    ]);
  }
}
