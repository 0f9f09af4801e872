import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { SlackAnswerError, slackErrorCode } from '../delivery/slack-errors.js';
import type { SlackHome } from '../inbound/handled.js';
import { SlackAccess } from '../setup/slack-access.js';
import { keepCheckedAccount, type CheckedAccount } from '../sql/accounts.js';
import { within } from '../within.js';
import { SlackUserInfo, standingOf, type Standing } from './standing.js';

/** Who was a member so long ago still is one: Slack tells us of changes, and this is for those that we did not hear. */
const FRESH_MS = 5 * 60_000;
/** While Slack does not answer, what it said within this still counts. */
const STILL_GOOD_MS = 3_600_000;
// Somebody waits for the acknowledgement, for three seconds at most.
const PATIENCE_MS = 1_500;
// After Slack gave no answer it is not waited for again by everybody who clicks.
const ASK_AGAIN_MS = 10_000;

/** What an account is in our workspace, as Slack says: asked again every few minutes, and kept for all nodes. */
@Injectable()
export class SlackAccounts {
  private readonly asking = new Map<string, Promise<Standing | undefined>>();
  private silentUntil: Instant = 0;

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {}

  /** What was found out lately, without asking; `undefined` when Slack has to be asked. */
  fresh(checked: CheckedAccount | undefined): Standing | undefined {
    return checked !== undefined && this.clock.now() - checked.checkedAt < FRESH_MS
      ? checked.standing
      : undefined;
  }

  /** Asks Slack. `unchecked` when it does not say, and did not say so lately. */
  async asked(
    userId: string,
    home: SlackHome,
    checked: CheckedAccount | undefined,
  ): Promise<Standing | 'unchecked'> {
    const now = this.clock.now();
    const asked = await this.askOnce(userId, home, checked === undefined);
    if (asked !== undefined) return asked;
    return checked !== undefined && now - checked.checkedAt < STILL_GOOD_MS ? checked.standing : 'unchecked';
  }

  /** Slack told of the account by itself. */
  async heard(user: SlackUserInfo, home: SlackHome): Promise<Standing> {
    return this.keep(user, home, Math.round(this.clock.now()));
  }

  /** The address by which Slack knows an account; `undefined` where it does not say (scope users:read.email). */
  async emailOf(userId: string): Promise<string | undefined> {
    const { web } = this.access;
    if (web === undefined) return undefined;
    try {
      const { user } = await within(PATIENCE_MS, web.users.info({ user: userId }));
      const email = user?.id === userId ? user.profile?.email : undefined;
      return email === '' ? undefined : email;
    } catch (error) {
      this.log.info({ reason: slackErrorCode(error) }, 'Slack does not say the address of an account');
      return undefined;
    }
  }

  /** One question per account at a time, however many clicks wait for it. */
  private askOnce(userId: string, home: SlackHome, isNew: boolean): Promise<Standing | undefined> {
    const running = this.asking.get(userId);
    if (running !== undefined) return running;
    if (!isNew && this.clock.now() < this.silentUntil) return Promise.resolve(undefined);
    const asked = this.ask(userId, home).finally(() => this.asking.delete(userId));
    this.asking.set(userId, asked);
    return asked;
  }

  private async ask(userId: string, home: SlackHome): Promise<Standing | undefined> {
    const { web } = this.access;
    if (web === undefined) return undefined;
    const at = Math.round(this.clock.now());
    try {
      const answer = await within(PATIENCE_MS, web.users.info({ user: userId }));
      const user = SlackUserInfo.parse(answer.user);
      // What another account is says nothing of this one.
      if (user.id !== userId) throw new SlackAnswerError('the answer tells of another account');
      return await this.keep(user, home, at);
    } catch (error) {
      const reason = slackErrorCode(error);
      // An account that our bot cannot see is none of this workspace.
      if (reason === 'user_not_found' || reason === 'user_not_visible') return 'foreign';
      this.silentUntil = this.clock.now() + ASK_AGAIN_MS;
      this.log.warn({ reason }, 'Slack does not say what an account is (users.info, scope users:read)');
      return undefined;
    }
  }

  private async keep(user: SlackUserInfo, home: SlackHome, checkedAt: Instant): Promise<Standing> {
    const standing = standingOf(user, home);
    const name = user.name?.replaceAll('\u0000', '').toWellFormed();
    await keepCheckedAccount(this.db, {
      teamId: home.teamId,
      userId: user.id,
      standing,
      name,
      checkedAt,
    });
    return standing;
  }
}
