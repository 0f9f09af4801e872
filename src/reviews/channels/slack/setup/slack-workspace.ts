import { Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import type { SlackHome } from '../inbound/handled.js';
import { SlackAccess } from './slack-access.js';

/** Whose workspace the bot token is for. */
@Injectable()
export class SlackWorkspace {
  private known: SlackHome | undefined;

  constructor(private readonly access: SlackAccess) {}

  /** As Slack last said; `undefined` before it said anything. */
  get home(): SlackHome | undefined {
    return this.known;
  }

  /** Asks Slack. @throws what the SDK throws. */
  async ask(web: WebClient | undefined = this.access.web): Promise<SlackHome> {
    if (web === undefined) throw new Error('Slack is not set up');
    const who = await web.auth.test();
    this.known = {
      teamId: who.team_id ?? '',
      teamName: who.team,
      botUserId: who.user_id,
      scopes: who.response_metadata?.scopes ?? [],
    };
    return this.known;
  }
}
