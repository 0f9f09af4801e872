import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { LOG, type Log } from '../../../../ops/log.js';
import { BrokenSlack } from '../delivery/broken-slack.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { SlackEventHandler, type SlackEvent } from '../inbound/events.js';
import type { SlackHome } from '../inbound/handled.js';
import { WORKSPACE } from '../sql/broken.js';
import { within } from '../within.js';
import { SlackAccess } from './slack-access.js';
import { refusedToken } from './token-errors.js';

// The acknowledgement is due within three seconds.
const PATIENCE_MS = 1500;

/** Marks the workspace as broken as soon as Slack says that the app is out of it, before a message fails by it. */
@Injectable()
export class LostToken {
  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly access: SlackAccess,
    private readonly broken: BrokenSlack,
  ) {}

  /** An event may come late, when the app was installed again long since: a token that works is not lost. */
  async lost(why: 'token_revoked' | 'account_inactive'): Promise<void> {
    const { web } = this.access;
    try {
      if (web !== undefined) await within(PATIENCE_MS, web.auth.test());
      this.log.info({ why }, 'Slack told of a lost token, and the one in use works');
    } catch (error) {
      const reason = refusedToken(error) === undefined ? why : slackErrorCode(error);
      await this.broken.broke(WORKSPACE, reason);
    }
  }
}

const Revoked = z.object({ tokens: z.object({ bot: z.array(z.string()).nullish() }).nullish() });

/** Somebody revoked tokens of the app; those of people are none of ours. */
@Injectable()
export class TokensRevokedEvent extends SlackEventHandler {
  readonly eventType = 'tokens_revoked';

  constructor(private readonly token: LostToken) {
    super();
  }

  async received({ body }: SlackEvent, home: SlackHome): Promise<Record<string, never>> {
    const bots = Revoked.safeParse(body).data?.tokens?.bot ?? [];
    const isOurs = bots.length > 0 && (home.botUserId === undefined || bots.includes(home.botUserId));
    if (isOurs) await this.token.lost('token_revoked');
    return {};
  }
}

/** Somebody removed the app from the workspace. */
@Injectable()
export class AppUninstalledEvent extends SlackEventHandler {
  readonly eventType = 'app_uninstalled';

  constructor(private readonly token: LostToken) {
    super();
  }

  async received(): Promise<Record<string, never>> {
    await this.token.lost('account_inactive');
    return {};
  }
}
