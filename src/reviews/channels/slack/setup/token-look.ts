import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { visible } from '../../../../outbound/safe-text.js';
import type { SlackHome } from '../inbound/handled.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { within } from '../within.js';
import { SlackAccess } from './slack-access.js';
import { SlackWorkspace } from './slack-workspace.js';
import { refusedToken } from './token-errors.js';

// A page that is open asks every few seconds; scopes change when somebody installs the app again.
const LASTS_MS = 10_000;
// A probe asks every few seconds, on each node.
const LASTS_LONG_MS = 60_000;
// A health check answers within a second.
const HASTE_MS = 700;
// Somebody waits for the answer.
const PATIENCE_MS = 3000;

/** What Slack says of the bot token. */
export interface TokenLook {
  readonly home: SlackHome | undefined;
  /** Why it is of no use. */
  readonly refused?: string | undefined;
  /** Why Slack could not be asked. */
  readonly unreachable?: string | undefined;
}

/** Asks Slack about the bot token, at most every ten seconds. */
@Injectable()
export class TokenLooks {
  private asking: Promise<TokenLook> | undefined;
  private last: { readonly at: Instant; readonly botToken: string; readonly look: TokenLook } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
  ) {}

  async look(lastsMs = LASTS_MS): Promise<TokenLook> {
    const { settings } = this.access;
    if (settings === undefined) return { home: undefined };
    const now = this.clock.now();
    const { botToken } = settings;
    if (this.last?.botToken === botToken && now - this.last.at < lastsMs) return this.last.look;
    const look = await this.ask();
    this.last = { at: now, botToken, look };
    return look;
  }

  /** The same for whoever asks all day and cannot wait; `undefined` where Slack takes its time, and told the next time. */
  async lately(): Promise<TokenLook | undefined> {
    this.asking ??= this.look(LASTS_LONG_MS).finally(() => {
      this.asking = undefined;
    });
    return Promise.race([this.asking, sleep(HASTE_MS, undefined, { ref: false })]);
  }

  private async ask(): Promise<TokenLook> {
    try {
      return { home: await within(PATIENCE_MS, this.workspace.ask()) };
    } catch (error) {
      const home = await this.workspace.known();
      const refused = refusedToken(error);
      if (refused !== undefined) return { home, refused };
      return { home, unreachable: visible(slackErrorCode(error), 100) };
    }
  }
}
