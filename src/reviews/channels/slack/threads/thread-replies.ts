import { Injectable } from '@nestjs/common';
import { Database } from '../../../../database/database.js';
import { AppError } from '../../../../errors.js';
import { ReviewComments } from '../../../comments/comments.service.js';
import { maySee, Readers } from '../../../readers.js';
import type { Review } from '../../../review.js';
import { Reviewers } from '../../../reviewers.js';
import type { Reviewer } from '../../../rules/review.js';
import { findComment } from '../../../sql/comments.js';
import { findReview } from '../../../sql/find-review.js';
import { SlackEventHandler, type SlackEvent } from '../inbound/events.js';
import type { Handled, SlackHome } from '../inbound/handled.js';
import { SlackWhispers } from '../inbound/slack-whispers.js';
import { linkBlocks } from '../people/link-invitation.js';
import { SlackIdentities } from '../people/slack-identities.js';
import { REFUSALS, SlackSpeakers } from '../people/slack-speakers.js';
import { reviewOfMessage } from '../sql/copies.js';
import { findSlackPerson } from '../sql/identities.js';
import { findReply, insertReply, type SlackReply } from '../sql/replies.js';
import { threadAct, type ThreadAct } from './message-event.js';
import { mentionedAccounts, replyText } from './reply-text.js';

type Written = Extract<ThreadAct, { readonly text: string }>;

const MOST_NAMES = 20;
const REMOVED = '(removed in Slack)';

/** What people write in the thread of a review's message is a comment of theirs; changed and removed there, it says so here. */
@Injectable()
export class ThreadReplies extends SlackEventHandler {
  readonly eventType = 'message';

  constructor(
    private readonly db: Database,
    private readonly comments: ReviewComments,
    private readonly readers: Readers,
    private readonly reviewers: Reviewers,
    private readonly speakers: SlackSpeakers,
    private readonly identities: SlackIdentities,
    private readonly whispers: SlackWhispers,
  ) {
    super();
  }

  async received({ body }: SlackEvent, home: SlackHome): Promise<Pick<Handled, 'afterwards'>> {
    const act = threadAct(body, home);
    if (act === undefined) return {};
    const known = await findReply(this.db, act.channel, act.ts);
    if (act.kind === 'removed') {
      if (known !== undefined) await this.change(known, REMOVED);
      return {};
    }
    if (known !== undefined) {
      if (act.kind === 'changed') await this.change(known, await this.textOf(act, home));
      return {};
    }
    // The change of a message that was none of ours makes no comment of it.
    return act.kind === 'wrote' ? this.wrote(act, home) : {};
  }

  private async wrote(act: Written, home: SlackHome): Promise<Pick<Handled, 'afterwards'>> {
    const reviewId = await reviewOfMessage(this.db, act.channel, act.root);
    if (reviewId === undefined) return {};
    const whisper = (text: string, blocks?: Parameters<SlackWhispers['whisper']>[2]): Promise<void> =>
      this.whispers.whisper({ channel: act.channel, userId: act.user.id, thread: act.root }, text, blocks);
    const who = await this.speakers.speaker(act.user, home);
    if (who === 'unknown')
      return {
        afterwards: async () => {
          const url = await this.identities.linkUrl({
            teamId: home.teamId,
            userId: act.user.id,
            userName: act.user.id,
          });
          await whisper(
            'Link your Slack account first; your reply was not kept with the review.',
            linkBlocks(url),
          );
        },
      };
    // Not acknowledged: it comes again, by when Slack may say who that is.
    if (who === 'unchecked') throw new Error('Slack does not say just now who wrote a reply');
    if (typeof who === 'string') return { afterwards: () => whisper(REFUSALS[who]) };
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return {};
    if (!(await this.maySee(who, review)))
      return {
        afterwards: () => whisper('You may not see reviews of this queue; your reply was not kept with it.'),
      };
    const text = await this.textOf(act, home);
    if (text === '') return {};
    await this.comments.add(review, text, who, (tx, commentId) =>
      insertReply(tx, { channel: act.channel, ts: act.ts, reviewId, commentId }),
    );
    return {};
  }

  /** In the name of who wrote it: nobody else can change a message in Slack, and only an admin there removes one. */
  private async change({ reviewId, commentId }: SlackReply, text: string): Promise<void> {
    const review = await findReview(this.db, { id: reviewId });
    const comment = await findComment(this.db, reviewId, commentId);
    if (review === undefined || comment === undefined || text === '') return;
    const { author, version } = comment;
    try {
      await this.comments.edit(
        review,
        { id: commentId, text, version },
        { ...author, isAdmin: false, via: 'slack', method: 'slack' },
      );
    } catch (error) {
      // Changed on the web at the same moment: what was said last there stands.
      if (!(error instanceof AppError) || error.status >= 500) throw error;
    }
  }

  private async maySee({ id }: Reviewer, { policy }: Review): Promise<boolean> {
    const reader = (await this.readers.list()).find((one) => one.id === id);
    return reader !== undefined && maySee(reader, policy.queue);
  }

  private async textOf({ text, files }: Written, home: SlackHome): Promise<string> {
    const names = new Map<string, string>();
    const accounts = mentionedAccounts(text).slice(0, MOST_NAMES);
    const people = accounts.length === 0 ? [] : await this.reviewers.list();
    for (const userId of accounts) {
      const person = await findSlackPerson(this.db, { teamId: home.teamId, userId });
      const known = people.find(({ personId }) => personId === person?.id);
      if (known !== undefined) names.set(userId, known.login ?? known.name);
    }
    const said = replyText(text, (userId) => names.get(userId));
    if (files === 0) return said;
    return `${said}\n(with ${files} ${files === 1 ? 'file' : 'files'}, kept in Slack)`.trim();
  }
}
