import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Engine } from '../engine/ports.js';
import { isTerminalTask, type TaskStatus } from '../engine/model/execution.js';
import { Conflict, Forbidden, NotFound } from '../errors.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import { Mentions, type Mentioned } from './comments/mentioned.js';
import { mayDecideIn, People, type Roster } from './people.js';
import { refusalError } from './refusal-error.js';
import { refuseForm } from './review-form.js';
import { ReviewWriter, SYSTEM } from './review-writer.js';
import type { Review } from './review.js';
import { isEnded, type Person, type Reviewer } from './rules/review.js';
import type { ReviewCommand } from './rules/command.js';
import { transition } from './rules/transition.js';
import { advanceReview } from './sql/advance-review.js';
import { findReview } from './sql/find-review.js';
import { listReviews, type ReviewFilter } from './sql/list-reviews.js';

// Each lost round means that somebody else's change was committed; more than a few in a row is no bad luck.
const MAX_ROUNDS = 10;

/** The change is not made after all: what it rests on is gone. */
class Overtaken extends Error {}

/**
 * The one way to change a review, behind the web, the mail page, Slack and the clock alike.
 *
 * A change is one transaction: the conditional UPDATE and everything that the {@link ReviewWriter} adds.
 */
@Injectable()
export class ReviewsService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bell: OutboxBell,
    private readonly engine: Engine,
    private readonly people: People,
    private readonly writer: ReviewWriter,
    private readonly mentions: Mentions,
  ) {}

  /** @throws NotFound */
  async get(id: string): Promise<Review> {
    const review = await findReview(this.db, { id });
    if (review === undefined) throw new NotFound(`No review ${id}. Check the id.`);
    return review;
  }

  list(filter: ReviewFilter): Promise<Review[]> {
    return listReviews(this.db, filter);
  }

  /**
   * Claims, decides, hands on and so forth. The same command by the same person again answers like the first time.
   *
   * @throws NotFound; InvalidInput for an outcome, reason or form that cannot be; Forbidden for who is not asked or whom
   *   four eyes keep out; Conflict naming who was first, and when.
   */
  async act(id: string, command: ReviewCommand, who: Reviewer): Promise<Review> {
    return (await this.change(id, command, who, async () => true)) ?? (await this.get(id));
  }

  /**
   * The same, only together with something else in the same transaction. @param and says whether it still holds; the
   * review stays as it is when not.
   *
   * @returns the review after the change, or `undefined` when nothing had to change.
   */
  async change(
    id: string,
    command: ReviewCommand,
    given: Reviewer,
    and: (tx: Queryable, after: Review) => Promise<boolean>,
  ): Promise<Review | undefined> {
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const review = await this.get(id);
      const now = Math.round(this.clock.now());
      const roster = await this.people.at(now);
      const who = given.via === 'system' ? given : roster.acting(given);
      const result = transition(review, command, who, now);
      if (result.kind === 'unchanged') return undefined;
      if (result.kind === 'refused') throw refusalError(result.refusal);
      if (command.kind === 'reassign' || command.kind === 'delegate')
        refuseStranger(review.policy.queue, command.to, roster);
      if (command.kind === 'decide') {
        refuseForm(review.policy, command);
        await this.refuseEndedTask(review);
      }
      const mentioned = await this.mentioned(review, command, who);
      const written = await this.db
        .transaction(async (tx) => {
          const after = await advanceReview(tx, review, result.next, now);
          if (after === undefined) return undefined;
          if (!(await and(tx, after))) throw new Overtaken();
          await this.writer.write(tx, { before: review, after, command, who, now, mentioned }, roster);
          return after;
        })
        .catch((error: unknown) => {
          if (error instanceof Overtaken) return 'overtaken' as const;
          throw error;
        });
      if (written === 'overtaken') return undefined;
      if (written !== undefined) {
        this.bell.ring();
        return written;
      }
    }
    throw new Conflict('This review changes faster than it can be written. Try again.');
  }

  /**
   * Why a command would be refused now, without making it; a decision's form, which is filled in later, is not looked at.
   *
   * @throws the error that `act` would throw.
   */
  async tryOut(review: Review, command: ReviewCommand, given: Reviewer): Promise<void> {
    const now = Math.round(this.clock.now());
    const result = transition(review, command, await this.people.acting(given, now), now);
    if (result.kind === 'refused') throw refusalError(result.refusal);
  }

  /** Cancels an open review whose task ended without it. @returns whether it did. */
  async cancelIfTaskEnded(id: string, taskId: string): Promise<boolean> {
    const status = await this.taskStatus(taskId);
    if (status === undefined || (status !== 'gone' && !isTerminalTask(status))) return false;
    try {
      await this.act(id, { kind: 'cancel', reason: endedBecause(status) }, SYSTEM);
      return true;
    } catch (error) {
      // Somebody decided at the same moment: nothing is open any more, which is all we wanted.
      if (error instanceof Conflict) return false;
      throw error;
    }
  }

  /** Who is named in a question or its answer. An uploader, who answers by mail, names nobody here. */
  private async mentioned(
    review: Review,
    command: ReviewCommand,
    who: Reviewer,
  ): Promise<Mentioned | undefined> {
    const event = `version-${review.version + 1}`;
    if (command.kind === 'ask')
      return this.mentions.of(review, { event, where: 'question', text: command.question }, who);
    if (command.kind === 'answer' && who.via !== 'mail')
      return this.mentions.of(review, { event, where: 'answer', text: command.text }, who);
    return undefined;
  }

  private async refuseEndedTask(review: Review): Promise<void> {
    if (!(await this.cancelIfTaskEnded(review.id, review.taskId))) return;
    const closed = await this.get(review.id);
    const at = closed.cancelled?.at ?? this.clock.now();
    throw new Conflict(
      `The workflow no longer waits for this decision: ${closed.cancelled?.reason ?? 'it ended'}. Nothing was changed.`,
      { state: 'CANCELLED', at: new Date(at).toISOString() },
    );
  }

  /** `gone` when the engine no longer knows the task; `undefined` when the engine does not answer now. */
  private async taskStatus(taskId: string): Promise<TaskStatus | 'gone' | undefined> {
    try {
      return (await this.engine.getTask(taskId)).status;
    } catch (error) {
      if (error instanceof NotFound) return 'gone';
      // The decision is kept and delivered when the engine answers again; should it come late, that is noted then.
      return undefined;
    }
  }
}

/** Whether a review can still be decided. */
export const isOpen = (review: Review): boolean => !isEnded(review.state);

/** Whoever is given a review hears what was found: nobody is given one that they could neither see nor decide. */
function refuseStranger(queue: string, { id, name }: Person, roster: Roster): void {
  const to = roster.person(id);
  if (to !== undefined && mayDecideIn(queue, to)) return;
  throw new Forbidden(
    `${name} may not decide in the queue ${queue}. Give it to somebody else, or let an admin give them a grant for the queue.`,
  );
}

const endedBecause = (status: TaskStatus | 'gone'): string =>
  status === 'gone' ? 'the workflow no longer exists' : `the workflow went on without it (task ${status})`;
