import { Injectable } from '@nestjs/common';
import { Database } from '../../../../database/database.js';
import { AppError } from '../../../../errors.js';
import { ReviewComments } from '../../../comments/comments.service.js';
import { maySee, Readers } from '../../../readers.js';
import type { Review } from '../../../review.js';
import { Reviewers } from '../../../reviewers.js';
import type { Reviewer } from '../../../rules/review.js';
import { SYSTEM } from '../../../review-writer.js';
import { findComment, type StoredComment } from '../../../sql/comments.js';
import { findReview } from '../../../sql/find-review.js';
import { SlackEventHandler, type SlackEvent } from '../inbound/events.js';
import type { Handled, SlackHome } from '../inbound/handled.js';
import { SlackWhispers } from '../inbound/slack-whispers.js';
import { linkBlocks, linkText } from '../people/link-invitation.js';
import { SlackIdentities } from '../people/slack-identities.js';
import { refusalOf, SlackSpeakers } from '../people/slack-speakers.js';
import { reviewOfMessage } from '../sql/copies.js';
import { findSlackPerson } from '../sql/identities.js';
import { findReply, insertReply, type SlackReply } from '../sql/replies.js';
import { threadAct, type ThreadAct } from './message-event.js';
import { mentionedAccounts, REMOVED, replyText } from './reply-text.js';

type Written = Extract<ThreadAct, { readonly text: string }>;

const MOST_NAMES = 20;

/** What happened in Slack and is nobody's act here. */
const SLACK_ITSELF: Reviewer = { ...SYSTEM, id: 'slack', name: 'Slack', isAdmin: false, via: 'slack' };

interface Found {
  readonly review: Review;
  readonly comment: StoredComment;
}

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
    if (act.kind === 'wrote') return known === undefined ? this.wrote(act, home) : {};
    // The change of a message that was none of ours makes no comment of it.
    if (known === undefined) return {};
    if (act.kind === 'removed') await this.removed(known);
    else await this.changed(known, act, home);
    return {};
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
          await whisper(linkText('reply'), linkBlocks(url, 'reply'));
        },
      };
    // Not acknowledged: it comes again, by when Slack may say who that is.
    if (who === 'unchecked') throw new Error('Slack does not say just now who wrote a reply');
    if (typeof who === 'string') return { afterwards: () => whisper(refusalOf(who, 'reply')) };
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

  /** In the name of the comment's author, if the account still speaks for them and they still see the review. */
  private async changed(reply: SlackReply, act: Written, home: SlackHome): Promise<void> {
    const found = await this.commentOf(reply);
    const text = await this.textOf(act, home);
    // Slack tells a change of the preview of a link as one of the message too.
    if (found === undefined || text === '' || text === found.comment.text) return;
    const who = await this.speakers.speaker(act.user, home);
    // Not acknowledged: it comes again, by when Slack may say who that is.
    if (who === 'unchecked') throw new Error('Slack does not say just now who changed a reply');
    if (typeof who === 'string' || !(await this.isAuthor(who, found))) return;
    const { id, version } = found.comment;
    await overtakenOrNot(this.comments.edit(found.review, { id, text, version }, who));
  }

  /** Gone there, it is gone here, in nobody's name: an admin of Slack may remove it too, and Slack does not say who did. */
  private async removed(reply: SlackReply): Promise<void> {
    const found = await this.commentOf(reply);
    if (found === undefined) return;
    const { id, version } = found.comment;
    await overtakenOrNot(this.comments.replace(found.review, { id, text: REMOVED, version }, SLACK_ITSELF));
  }

  private async commentOf({ reviewId, commentId }: SlackReply): Promise<Found | undefined> {
    const review = await findReview(this.db, { id: reviewId });
    const comment = await findComment(this.db, reviewId, commentId);
    return review === undefined || comment === undefined ? undefined : { review, comment };
  }

  private async isAuthor(who: Reviewer, { review, comment }: Found): Promise<boolean> {
    return comment.author.id === who.id && (await this.maySee(who, review));
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

/** Changed on the web at the same moment: what was said last there stands. */
async function overtakenOrNot(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
  }
}
