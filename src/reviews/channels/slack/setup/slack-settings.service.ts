import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '../../../../access/keyring.js';
import { auditActor, hasRole, type Principal } from '../../../../access/principal.js';
import { appendAudit, type AuditEvent } from '../../../../audit/audit.js';
import { Clock } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import { Conflict, Forbidden, InvalidInput, NotFound } from '../../../../errors.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { VARIABLES } from './known-settings.js';
import type { SlackSettingsPatch } from './settings-fields.js';
import { SlackAccess } from './slack-access.js';
import { lookAtChannel, refusalOfChannel } from './slack-channels.js';
import { createWebClient } from './slack-clients.js';
import { hintOf, sealSetting } from './slack-secrets.js';
import { socketRemedyOf } from './socket-remedies.js';
import { triesSocket } from './socket-trial.js';
import { refusedToken } from './token-errors.js';
import {
  deleteRoute,
  deleteSetting,
  raiseSetupRevision,
  readStoredSetup,
  SETTING_NAMES,
  writeRoute,
  writeSetting,
  type SetBy,
  type SettingName,
  type SlackRoute,
} from './sql/stored-settings.js';

/** Queues that may have a channel of their own. */
const MAX_ROUTES = 500;

/** Sets what is stored of Slack. Every change is in the audit; no token and no secret is. */
@Injectable()
export class SlackSettingsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly keyring: Keyring,
    private readonly access: SlackAccess,
  ) {}

  /**
   * Every process has it within seconds. @throws Forbidden for secrets from whoever is no admin; Conflict for what the
   * environment sets; InvalidInput for a token that Slack refuses, or a channel that cannot be posted to.
   */
  async change(patch: SlackSettingsPatch, principal: Principal): Promise<void> {
    const names = SETTING_NAMES.filter((name) => patch[name] !== undefined);
    this.refuseSecrets(names, principal);
    for (const name of names) this.refuseSetElsewhere(name);
    if (typeof patch.botToken === 'string') await this.tryToken(patch.botToken);
    if (typeof patch.appToken === 'string') await this.tryAppToken(patch.appToken);
    const web = this.webOf(patch.botToken ?? undefined);
    if (typeof patch.channel === 'string' && web !== undefined)
      refusalOfChannel('channel', await lookAtChannel(web, patch.channel));
    const set = this.setBy(principal);
    await this.db.transaction(async (tx) => {
      await raiseSetupRevision(tx);
      for (const name of names) await this.write(tx, name, patch[name] ?? null, set);
      const removed = names.filter((name) => patch[name] === null);
      await this.audit(tx, set, 'slack.settings_changed', 'slack', {
        set: names.filter((name) => !removed.includes(name)),
        removed,
        ...(typeof patch.channel === 'string' && { channel: patch.channel }),
      });
    });
    await this.access.changed();
  }

  /** Has the reviews of a queue posted to a channel of its own. @throws InvalidInput, Conflict */
  async route(queue: string, channel: string, principal: Principal): Promise<SlackRoute> {
    const { web } = this.access;
    const seen = web === undefined ? undefined : await lookAtChannel(web, channel);
    if (seen !== undefined) refusalOfChannel('channel', seen);
    const route: SlackRoute = { queue, channel, channelName: seen?.name, ...this.setBy(principal) };
    await this.db.transaction(async (tx) => {
      await raiseSetupRevision(tx);
      const { routes } = await readStoredSetup(tx);
      if (routes.length >= MAX_ROUTES && !routes.some((one) => one.queue === queue))
        throw new Conflict(
          `${MAX_ROUTES} queues have a channel of their own, the most that may. Remove one first.`,
        );
      await writeRoute(tx, route);
      await this.audit(tx, route, 'slack.route_set', `queue:${queue}`, { channel, channelName: seen?.name });
    });
    await this.access.changed();
    return route;
  }

  /** From now on they go to the default channel. What was posted stays where it is. @throws NotFound */
  async unroute(queue: string, principal: Principal): Promise<void> {
    const set = this.setBy(principal);
    await this.db.transaction(async (tx) => {
      await raiseSetupRevision(tx);
      const channel = await deleteRoute(tx, queue);
      if (channel === undefined)
        throw new NotFound(`The queue ${queue} has no channel of its own. Check its name.`);
      await this.audit(tx, set, 'slack.route_removed', `queue:${queue}`, { channel });
    });
    await this.access.changed();
  }

  /** Whoever knows the signing secret can speak for everybody who linked an account: that is more than operating. */
  private refuseSecrets(names: readonly SettingName[], principal: Principal): void {
    if (names.every((name) => name === 'channel') || hasRole(principal, ['admin'])) return;
    throw new Forbidden(
      'Only an admin may set tokens and secrets of Slack: they open the way to decide for others.',
    );
  }

  private refuseSetElsewhere(name: SettingName): void {
    if (this.access.known[name]?.from !== 'environment') return;
    throw new Conflict(
      `${name} comes from the environment (${VARIABLES[name]}), which wins. Change it there, or remove it there first.`,
    );
  }

  private async tryToken(botToken: string): Promise<void> {
    try {
      await this.webOf(botToken)?.auth.test();
    } catch (error) {
      const refusal = refusedToken(error);
      if (refusal !== undefined) throw InvalidInput.field('botToken', refusal, { cause: error });
      // Slack cannot be asked just now; /health says what becomes of it.
      this.log.warn({ reason: slackErrorCode(error) }, 'a new bot token was stored without a test');
    }
  }

  private async tryAppToken(appToken: string): Promise<void> {
    const refusal = await triesSocket({ appToken, apiUrl: this.config.SLACK_API_URL }, this.log);
    if (refusal === undefined) return;
    if (socketRemedyOf(refusal.reason) !== undefined)
      throw InvalidInput.field('appToken', `Slack refuses it (${refusal.reason}). ${refusal.remedy}`);
    // Slack cannot be asked just now; /health says what becomes of it.
    this.log.warn({ reason: refusal.reason }, 'a new app token was stored without a test');
  }

  private webOf(botToken: string | undefined) {
    if (botToken === undefined) return this.access.web;
    return createWebClient({ botToken, apiUrl: this.config.SLACK_API_URL }, this.log);
  }

  private async write(tx: Queryable, name: SettingName, value: string | null, set: SetBy): Promise<void> {
    if (value === null) return void (await deleteSetting(tx, name));
    const stored =
      name === 'channel'
        ? { value, hint: undefined }
        : { value: sealSetting(this.keyring, name, value), hint: hintOf(value) };
    await writeSetting(tx, { name, ...stored, ...set });
  }

  private setBy(principal: Principal): SetBy {
    return { by: auditActor(principal), byName: principal.name, at: Math.round(this.clock.now()) };
  }

  private audit(
    tx: Queryable,
    { by: actor, at }: SetBy,
    action: string,
    subject: string,
    data: AuditEvent['data'],
  ): Promise<void> {
    return appendAudit(tx, [{ at, actor, action, subject, data }]);
  }
}
