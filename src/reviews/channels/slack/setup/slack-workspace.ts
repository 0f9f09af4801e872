import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { SlackAnswerError, slackErrorCode } from '../delivery/slack-errors.js';
import type { SlackHome } from '../inbound/handled.js';
import { findSlackHome, forgetSlackHomes, keepSlackHome } from '../sql/home.js';
import { within } from '../within.js';
import { notSetUp } from './ask-slack.js';
import { SlackAccess } from './slack-access.js';

// A name, a scope or an app's id changes rarely; the workspace of a token never does.
const ASK_EVERY_MS = 600_000;
// After Slack gave no answer.
const ASK_AGAIN_MS = 15_000;
// Somebody who clicked waits for it.
const PATIENCE_MS = 2_000;
const FORGET_MS = 90 * 86_400_000;

const word = z
  .string()
  .max(500)
  .nullish()
  .transform((said) => said ?? undefined);
const Who = z.object({
  team_id: z.string().min(1).max(100),
  team: word,
  enterprise_id: word,
  bot_id: word,
  user_id: word,
});
const Bot = z.object({ bot: z.object({ app_id: word }).optional() });

interface Kept {
  readonly key: string;
  readonly home: SlackHome;
  readonly askedAt: Instant;
}

/**
 * Whose workspace the bot token is for. Kept in the database too, so that a node that Slack does not answer just then
 * knows it from whoever asked last.
 */
@Injectable()
export class SlackWorkspace {
  private kept: Kept | undefined;
  private asking: Promise<SlackHome> | undefined;
  private askedAt = -Infinity;
  /** The token of which bots.info told the app. */
  private toldAppOf: string | undefined;

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {}

  /** As Slack last said to this node; `undefined` before it said anything. */
  get home(): SlackHome | undefined {
    const { settings } = this.access;
    return settings !== undefined && this.kept?.key === keyOf(settings.botToken) ? this.kept.home : undefined;
  }

  /** As far as anybody knows it; `undefined` while nobody does. Never waits long. */
  async known(): Promise<SlackHome | undefined> {
    const { settings } = this.access;
    if (settings === undefined) return undefined;
    const key = keyOf(settings.botToken);
    if (this.kept?.key !== key) {
      const stored = await findSlackHome(this.db, Buffer.from(key, 'hex'));
      if (stored !== undefined) this.kept = { key, ...stored };
    }
    const now = this.clock.now();
    const isFresh = this.kept?.key === key && now - this.kept.askedAt < ASK_EVERY_MS;
    if (isFresh || now - this.askedAt < ASK_AGAIN_MS) return this.home;
    const asked = this.tryToAsk();
    // With something to go by nobody waits for the newest.
    if (this.home === undefined) await asked;
    return this.home;
  }

  /** Asks Slack. @throws what the SDK throws; Conflict while there is no bot token. */
  async ask(web: WebClient | undefined = this.access.web): Promise<SlackHome> {
    const { settings } = this.access;
    if (web === undefined || settings === undefined) throw notSetUp();
    const now = Math.round(this.clock.now());
    this.askedAt = now;
    const answer = await web.auth.test();
    const told = Who.safeParse(answer);
    if (!told.success) throw new SlackAnswerError('the answer names no workspace');
    const who = told.data;
    const key = keyOf(settings.botToken);
    const appId = await this.appOf(web, who.bot_id);
    if (appId !== undefined) this.toldAppOf = key;
    const home: SlackHome = {
      teamId: who.team_id,
      teamName: who.team,
      enterpriseId: who.enterprise_id,
      appId,
      botUserId: who.user_id,
      botId: who.bot_id,
      scopes: answer.response_metadata?.scopes ?? [],
    };
    return this.keep(key, home, now);
  }

  /**
   * The app's id as the greeting of a connection says it, for where bots.info does not. It takes the place of one that was
   * heard before, since the app token may have been the wrong one then.
   */
  async heardAppId(appId: string): Promise<void> {
    const { home, kept } = this;
    if (home === undefined || kept === undefined || this.toldAppOf === kept.key || home.appId === appId)
      return;
    await this.keep(kept.key, { ...home, appId }, kept.askedAt);
  }

  private async keep(key: string, home: SlackHome, askedAt: Instant): Promise<SlackHome> {
    const known = this.kept?.key === key ? this.kept.home.appId : undefined;
    this.kept = { key, home: { ...home, appId: home.appId ?? known }, askedAt };
    await keepSlackHome(this.db, Buffer.from(key, 'hex'), this.kept.home, askedAt);
    await forgetSlackHomes(this.db, askedAt - FORGET_MS);
    return this.kept.home;
  }

  private async appOf(web: WebClient, botId: string | undefined): Promise<string | undefined> {
    if (botId === undefined) return undefined;
    try {
      return Bot.safeParse(await web.bots.info({ bot: botId })).data?.bot?.app_id;
    } catch (error) {
      // Needs users:read. Requests are signed by the app all the same, and a connection is opened with its own token.
      this.log.debug({ reason: slackErrorCode(error) }, 'Slack did not tell the id of the app');
      return undefined;
    }
  }

  private async tryToAsk(): Promise<void> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    try {
      await within(PATIENCE_MS, this.asking);
    } catch (error) {
      this.log.warn({ reason: slackErrorCode(error) }, 'Slack did not say whose workspace this is');
    }
  }
}

const keyOf = (botToken: string): string =>
  createHash('sha256').update(`slack-home:${botToken}`).digest('hex');
