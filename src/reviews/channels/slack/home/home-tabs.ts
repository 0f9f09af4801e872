import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { HomeView } from '@slack/types';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import type { SlackHome } from '../inbound/handled.js';
import { SlackAccess } from '../setup/slack-access.js';
import type { SlackAccount } from '../sql/identities.js';
import { filterHomeTab, findHomeTab, keepShownHome, openHomeTab, type HomeTab } from '../sql/home-tabs.js';
import { HomeContents } from './home-content.js';
import { homeFilter, type HomeFilter } from './home-filter.js';

// Whoever does not look for a month gets it anew when they do.
const FORGET_AFTER_MS = 30 * 86_400_000;
// Of two who publish at once one is told that the tab changed, and looks again.
const MAX_ROUNDS = 3;

/** People's Home tabs: published when they are opened and when what is in them changed, and never an older one over a newer. */
@Injectable()
export class HomeTabs {
  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly contents: HomeContents,
  ) {}

  /** Shows it anew, whatever was shown before: Slack may have forgotten. */
  async opened(userId: string, home: SlackHome): Promise<void> {
    const account = { teamId: home.teamId, userId };
    const now = Math.round(this.clock.now());
    await openHomeTab(this.db, account, {
      filter: homeFilter(undefined),
      now,
      forgetBefore: now - FORGET_AFTER_MS,
    });
    await this.orNote(() => this.publish(account, home, true));
  }

  /** What is shown from now on. */
  async filtered(userId: string, filter: HomeFilter, { teamId }: SlackHome): Promise<void> {
    await filterHomeTab(this.db, { teamId, userId }, filter);
  }

  /** Somebody clicked in it: what came of that is seen at once. */
  touched(userId: string, home: SlackHome): Promise<void> {
    return this.orNote(() => this.refreshed({ teamId: home.teamId, userId }, home));
  }

  /** @throws what the SDK throws. */
  refreshed(account: SlackAccount, home: SlackHome): Promise<void> {
    return this.publish(account, home, false);
  }

  private async publish(account: SlackAccount, home: SlackHome, always: boolean): Promise<void> {
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const tab = await findHomeTab(this.db, account);
      if (tab === undefined) return;
      const view = await this.contents.of(account.userId, homeFilter(tab.filter), home);
      const sha256 = createHash('sha256').update(JSON.stringify(view)).digest();
      if (!always && tab.shownSha256?.equals(sha256) === true) return;
      const isLast = round === MAX_ROUNDS;
      const published = await this.put(tab, view, isLast);
      if (published === 'conflict') continue;
      await keepShownHome(this.db, account, { sha256, viewHash: published.hash });
      return;
    }
  }

  /** @param anyway over whatever stands there: what we know of it is no longer true, as after the app was installed anew. */
  private async put(
    { userId, viewHash }: HomeTab,
    view: HomeView,
    anyway: boolean,
  ): Promise<{ readonly hash: string | undefined } | 'conflict'> {
    try {
      const guard = viewHash === null || anyway ? {} : { hash: viewHash };
      const answer = await this.access.web?.views.publish({ user_id: userId, view, ...guard });
      return { hash: answer?.view?.hash };
    } catch (error) {
      if (!anyway && slackErrorCode(error) === 'hash_conflict') return 'conflict';
      throw error;
    }
  }

  /** A tab that is not brought up to date shows nothing wrong that a click would not tell; the next change tries again. */
  private async orNote(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.warn({ reason: slackErrorCode(error) }, 'a Home tab in Slack was not brought up to date');
    }
  }
}
