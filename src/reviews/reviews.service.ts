import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type AuditEvent } from '../audit/audit.js';
import { Clock, type Instant } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Engine } from '../engine/ports.js';
import { isTerminalTask, type TaskStatus } from '../engine/model/execution.js';
import { Conflict, NotFound } from '../errors.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import { Outbox, type OutboxMessage } from '../outbound/outbox.js';
import { REVIEW_CHANNELS, type ReviewChannel } from './channels/channel.js';
import { ENGINE_COMPLETE } from './complete.handler.js';
import { refusalError } from './refusal-error.js';
import type { Review } from './review.js';
import { isEnded, type Reviewer } from './rules/review.js';
import { transition, type ReviewCommand } from './rules/transition.js';
import { advanceReview } from './sql/advance-review.js';
import { findReview } from './sql/find-review.js';
import { insertVote } from './sql/insert-vote.js';
import { listReviews, type ReviewFilter } from './sql/list-reviews.js';
import { insertReviewEvent, type ReviewEvent, type ReviewEventKind } from './sql/review-events.js';

// Each lost round means that somebody else's change was committed; more than a few in a row is no bad luck.
const MAX_ROUNDS = 10;

const EVENT_OF = {
  claim: 'claimed',
  release: 'released',
  reassign: 'reassigned',
  decide: 'decided',
  cancel: 'cancelled',
} as const satisfies Record<ReviewCommand['kind'], ReviewEventKind>;

/** The service itself, where a review changes without a person. */
export const SYSTEM: Reviewer = {
  id: 'reviews',
  name: 'Sallyport',
  isAdmin: true,
  via: 'system',
  method: 'system',
};

/**
 * The one way to change a review, behind the web, the mail page and Slack alike.
 *
 * A change is one transaction: the conditional UPDATE, its timeline line, the audit event, the copies to bring up to
 * date and, for a decision, the vote and the way back to the engine.
 */
@Injectable()
export class ReviewsService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly engine: Engine,
    @Inject(REVIEW_CHANNELS) private readonly channels: readonly ReviewChannel[],
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
   * Claims, releases, reassigns, decides or cancels. The same command by the same person again answers like the
   * first time.
   *
   * @throws NotFound; InvalidInput for an outcome or reason that cannot be; Conflict naming who was first, and when.
   */
  async act(id: string, command: ReviewCommand, who: Reviewer): Promise<Review> {
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const review = await this.get(id);
      const now = Math.round(this.clock.now());
      const result = transition(review, command, who, now);
      if (result.kind === 'unchanged') return review;
      if (result.kind === 'refused') throw refusalError(result.refusal);
      if (command.kind === 'decide') await this.refuseEndedTask(review);
      const written = await this.db.transaction(async (tx) => {
        const next = await advanceReview(tx, review, result.next, now);
        if (next === undefined) return undefined;
        await this.record(tx, next, command, who, now);
        return next;
      });
      if (written !== undefined) {
        this.bell.ring();
        return written;
      }
    }
    throw new Conflict('This review changes faster than it can be written. Try again.');
  }

  /** Adds a remark to the timeline; allowed at any time. @throws NotFound */
  async comment(id: string, text: string, who: Reviewer): Promise<void> {
    await this.get(id);
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await insertReviewEvent(tx, id, {
        at,
        kind: 'commented',
        by: person(who),
        via: who.via,
        data: { text },
      });
      await appendAudit(tx, [audit(id, 'commented', who, at, { length: text.length })]);
    });
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

  private async record(
    tx: Queryable,
    review: Review,
    command: ReviewCommand,
    who: Reviewer,
    now: Instant,
  ): Promise<void> {
    const kind = EVENT_OF[command.kind];
    const data = eventData(review, command);
    await insertReviewEvent(tx, review.id, {
      at: now,
      kind,
      by: person(who),
      via: who.via,
      data,
    } satisfies ReviewEvent);
    await appendAudit(tx, [audit(review.id, kind, who, now, data)]);
    const messages: OutboxMessage[] = this.channels.flatMap((channel) => channel.changed(review));
    if (review.decision !== undefined) {
      await insertVote(tx, review, review.decision);
      messages.push({ kind: ENGINE_COMPLETE, key: review.id, payload: { reviewId: review.id } });
    }
    await this.outbox.enqueue(tx, messages);
  }
}

/** Whether a review can still be decided. */
export const isOpen = (review: Review): boolean => !isEnded(review.state);

const person = ({ id, name }: Reviewer) => ({ id, name });

const endedBecause = (status: TaskStatus | 'gone'): string =>
  status === 'gone' ? 'the workflow no longer exists' : `the workflow went on without it (task ${status})`;

function eventData(review: Review, command: ReviewCommand): Record<string, unknown> {
  switch (command.kind) {
    case 'claim':
    case 'release':
      return {};
    case 'reassign':
      return { to: command.to };
    case 'decide':
      return {
        outcome: command.outcome,
        reason: review.decision?.reason ?? '',
        method: review.decision?.method ?? '',
        digest: review.subjectDigest,
      };
    case 'cancel':
      return { reason: command.reason };
    default:
      return command satisfies never;
  }
}

/** An audit event about a review. */
export function audit(
  reviewId: string,
  verb: ReviewEventKind,
  who: Reviewer,
  at: Instant,
  data: Readonly<Record<string, unknown>>,
): AuditEvent {
  const kind = who.via === 'system' ? 'system' : who.method === 'apikey' ? 'apikey' : 'user';
  return {
    at,
    actor: `${kind}:${who.id}`,
    action: `review.${verb}`,
    subject: `review:${reviewId}`,
    data: { ...data, via: who.via },
  };
}
