import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, Forbidden, NotFound } from '../../errors.js';
import { OutboxBell } from '../../outbound/outbox-bell.js';
import { minuteOf } from '../channels/question.js';
import { watchedMessages } from '../channels/mail/review-news.js';
import { audit, ReviewWriter } from '../review-writer.js';
import { Readers } from '../readers.js';
import type { Review } from '../review.js';
import type { Reviewer } from '../rules/review.js';
import { editComment, findComment, insertComment, type StoredComment } from '../sql/comments.js';
import { addWatcher, MAX_WATCHERS, removeWatcher, watchersOf } from '../sql/watchers.js';
import { Mentions, type Mentioned } from './mentioned.js';
import { mentionsIn } from './mentions.js';

/** What people write of a review: once, and changed with its history; whoever is mentioned is told. */
@Injectable()
export class ReviewComments {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bell: OutboxBell,
    private readonly mentions: Mentions,
    private readonly writer: ReviewWriter,
    private readonly readers: Readers,
  ) {}

  /** @param and says, in the same transaction and of the comment's id, whether it is still wanted; nothing is written when not. */
  async add(
    review: Review,
    text: string,
    given: Reviewer,
    and: (tx: Queryable, comment: string) => Promise<boolean> = async () => true,
  ): Promise<void> {
    const at = this.now();
    const who = await this.called(given);
    const author = { id: who.id, name: who.name };
    const comment: StoredComment = {
      id: randomUUID(),
      reviewId: review.id,
      author,
      text,
      version: 1,
      createdAt: at,
    };
    const { mentions, messages } = await this.mentioned(review, comment, []);
    await this.db.transaction(async (tx) => {
      if (!(await and(tx, comment.id))) return;
      await insertComment(tx, comment);
      const data = { comment: comment.id, text, ...(mentions.length === 0 ? {} : { mentions }) };
      await this.writer.note(tx, review.id, 'commented', who, at, data);
      const news = { event: `${comment.id}:1`, what: 'commented', by: author, text };
      await this.writer.enqueue(tx, [...messages, ...(await watchedMessages(tx, review.id, news))]);
    });
    this.bell.ring();
  }

  /**
   * Changes one's own; what it said before stays in the timeline.
   *
   * @throws NotFound; Forbidden for somebody else's; Conflict when another version is there by now.
   */
  async edit(
    review: Review,
    wish: { readonly id: string; readonly text: string; readonly version: number },
    who: Reviewer,
  ): Promise<void> {
    const found = await findComment(this.db, review.id, wish.id);
    if (found === undefined)
      throw new NotFound(`No comment ${wish.id} on this review. The timeline names each.`);
    if (found.author.id !== who.id)
      throw new Forbidden(
        `This comment is ${found.author.name}'s. Only they can change it; write one of your own.`,
      );
    await this.rewrite(review, found, wish, await this.called(who));
  }

  /** Changes somebody's, which is for the service alone: where it was written it is gone. @throws NotFound, Conflict */
  async replace(
    review: Review,
    wish: { readonly id: string; readonly text: string; readonly version: number },
    service: Reviewer,
  ): Promise<void> {
    const found = await findComment(this.db, review.id, wish.id);
    if (found === undefined)
      throw new NotFound(`No comment ${wish.id} on this review. The timeline names each.`);
    await this.rewrite(review, found, wish, service);
  }

  /** Whichever way somebody comes in, in the record they are called the same: as people call them, not by their login. */
  private async called(who: Reviewer): Promise<Reviewer> {
    const known = (await this.readers.list()).find(({ id }) => id === who.id);
    return known === undefined ? who : { ...who, name: known.name };
  }

  private async rewrite(
    review: Review,
    found: StoredComment,
    wish: { readonly text: string; readonly version: number },
    who: Reviewer,
  ): Promise<void> {
    if (found.version === wish.version && found.text === wish.text) return;
    const at = this.now();
    const before = mentionsIn(found.text).map((name) => name.toLowerCase());
    const next = { ...found, text: wish.text, version: wish.version + 1 };
    const { mentions, messages } = await this.mentioned(review, next, before);
    await this.db.transaction(async (tx) => {
      const changed = await editComment(tx, { ...found, version: wish.version }, wish.text, at);
      if (changed === undefined) throw await this.overtaken(review.id, found.id);
      await this.writer.note(tx, review.id, 'comment_edited', who, at, {
        comment: found.id,
        text: wish.text,
        version: changed.version,
        ...(mentions.length === 0 ? {} : { mentions }),
      });
      await this.writer.enqueue(tx, messages);
    });
    this.bell.ring();
  }

  /** Once is enough. @throws Conflict where too many do. */
  async watch({ id }: Review, given: Reviewer): Promise<void> {
    const at = this.now();
    const who = await this.called(given);
    await this.db.transaction(async (tx) => {
      if (await addWatcher(tx, id, who, at)) {
        await appendAudit(tx, [audit(id, 'watched', who, at, {})]);
        return;
      }
      if (!(await watchersOf(tx, id)).some((one) => one.id === who.id))
        throw new Conflict(`${MAX_WATCHERS} people watch this review, and no more can.`);
    });
  }

  async unwatch({ id }: Review, who: Reviewer): Promise<void> {
    const at = this.now();
    await this.db.transaction(async (tx) => {
      if (await removeWatcher(tx, id, who.id)) await appendAudit(tx, [audit(id, 'unwatched', who, at, {})]);
    });
  }

  private async overtaken(reviewId: string, id: string): Promise<Conflict> {
    const now = await findComment(this.db, reviewId, id);
    const at = now?.editedAt ?? now?.createdAt ?? 0;
    return new Conflict(`This comment was changed at ${minuteOf(at)}. Load it again, and change that.`, {
      winner: now?.author,
      at: new Date(at).toISOString(),
      version: now?.version,
    });
  }

  private mentioned(
    review: Review,
    { id, version, text, author }: StoredComment,
    before: readonly string[],
  ): Promise<Mentioned> {
    return this.mentions.of(review, { event: `${id}:${version}`, text }, author, before);
  }

  private now(): number {
    return Math.round(this.clock.now());
  }
}
