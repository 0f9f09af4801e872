import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import type { Role } from '../config.js';
import { Database } from '../database/database.js';
import { isTerminalTask, type Task } from '../engine/model/execution.js';
import type { JsonObject } from '../engine/model/json.js';
import { Engine } from '../engine/ports.js';
import { Conflict, NotFound } from '../errors.js';
import { LOG, type Log } from '../ops/log.js';
import { OutboxHandler, type Delivery, type OutboxDelivery } from '../outbound/outbox.js';
import { Ledger } from '../verdicts/ledger.js';
import { canonicalJson } from '../canonical-json.js';
import { ReviewWriter, SYSTEM } from './review-writer.js';
import type { Review } from './review.js';
import { decidingVote, type Decision, type Vote } from './rules/review.js';
import { findReview } from './sql/find-review.js';
import { ENGINE_COMPLETE, markCompletion } from './sql/mark-completion.js';

const BY_REVIEWS = { kind: 'system', id: 'reviews' } as const;

/**
 * Brings a decision to the workflow that waits for it. Delivered twice, it changes nothing the second time; a workflow
 * that ended meanwhile makes the decision `late`, which the review says from then on.
 */
@Injectable()
export class CompleteHandler extends OutboxHandler {
  readonly kind = ENGINE_COMPLETE;
  override readonly leaves = false;
  override readonly role: Role = 'engine';
  override readonly concurrency = 8;
  // Short, so that a process killed in the middle holds the workflow up for seconds only.
  override readonly timeoutSeconds = 5;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly engine: Engine,
    private readonly ledger: Ledger,
    private readonly writer: ReviewWriter,
    @Inject(LOG) private readonly log: Log,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const review = await findReview(this.db, { id: message.key });
    if (review?.decision === undefined)
      return { kind: 'giveUp', reason: 'the review or its decision is gone' };
    const { decision } = review;
    const task = await this.taskOf(review);
    const isOurs = task !== undefined && isAnsweredWith(task, review, outputOf(review, decision));
    if (task === undefined || (isTerminalTask(task.status) && !isOurs)) {
      const note =
        task === undefined ? 'the workflow no longer exists' : `the task was already ${task.status}`;
      return this.noted(review, 'late', note);
    }
    await this.tellLedger(review, decision);
    if (isOurs) return this.noted(review, 'applied', null);
    const outcome = await this.engine.updateTask(
      {
        workflowInstanceId: review.workflowId,
        taskId: review.taskId,
        status: statusOf(review),
        outputData: outputOf(review, decision),
        workerId: 'reviews',
        ...(isFailure(review) ? { reasonForIncompletion: decision.reason } : {}),
      },
      BY_REVIEWS,
    );
    if (outcome.kind === 'applied') return this.noted(review, 'applied', null);
    // Ended between our look and the update; look again, because it may have been our own lost answer.
    return { kind: 'retry', afterSeconds: 0, reason: `the task was already ${outcome.status}` };
  }

  private async taskOf(review: Review): Promise<Task | undefined> {
    try {
      return await this.engine.getTask(review.taskId);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  private async tellLedger(review: Review, decision: Decision): Promise<void> {
    if (review.scanId === undefined) return;
    try {
      await this.ledger.recordDecision(review.scanId, {
        reviewId: review.id,
        outcome: decision.outcome,
        // The name that people know; the audit record keeps the id.
        by: decision.by.name,
        at: decision.at,
        reason: decision.reason,
      });
    } catch (error) {
      // A scan that the ledger does not know, or has closed, does not hold up a workflow that waits.
      if (!(error instanceof NotFound || error instanceof Conflict)) throw error;
      this.log.warn(
        { err: error, reviewId: review.id, scanId: review.scanId },
        'decision without a ledger row',
      );
    }
  }

  private async noted(
    review: Review,
    completion: 'applied' | 'late',
    note: string | null,
  ): Promise<Delivery> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      if (!(await markCompletion(tx, review.id, completion, note, at))) return;
      const data = { completion, ...(note === null ? {} : { note }) };
      await this.writer.note(tx, review.id, 'completed', SYSTEM, at, data);
    });
    return { kind: 'sent', receipt: { completion } };
  }
}

/**
 * Whether the task ended with this very decision. All of it is compared: whoever may report tasks can write the review's
 * id, and a decision that the workflow did not get must not be called applied.
 */
const isAnsweredWith = ({ status, outputData }: Task, review: Review, output: JsonObject): boolean =>
  status === statusOf(review) && canonicalJson(outputData) === canonicalJson(output);

/** The clock ended it, and its definition wants the task to fail then. */
const isFailure = ({ state, policy }: Review): boolean =>
  state === 'EXPIRED' && policy.onExpire.action === 'FAIL';

const statusOf = (review: Review) =>
  isFailure(review) ? ('FAILED_WITH_TERMINAL_ERROR' as const) : ('COMPLETED' as const);

const outputOf = (review: Review, decision: Decision): JsonObject => ({
  // Where Orkes' definitions look for it. What we say ourselves comes behind, and is not overwritten.
  ...(review.policy.asOrkes === true ? formOf(review, decision) : {}),
  outcome: decision.outcome,
  reviewId: review.id,
  decidedBy: decision.by.id,
  decidedByName: decision.by.name,
  decidedAt: new Date(decision.at).toISOString(),
  reason: decision.reason,
  // Set only where it says something: a plain question is answered as in earlier releases.
  ...(review.state === 'COMPLETED' ? {} : { state: review.state }),
  ...(review.state === 'EXPIRED' ? { automatic: true } : {}),
  ...(review.votes.length > 1 ? { votes: review.votes.map(voteOutput) } : {}),
  ...formOutput(review, decision),
});

const voteOutput = (vote: Vote): JsonObject => ({
  by: vote.by.id,
  byName: vote.by.name,
  outcome: vote.outcome,
  reason: vote.reason,
  at: new Date(vote.at).toISOString(),
  ...(vote.onBehalfOf === undefined ? {} : { onBehalfOf: vote.onBehalfOf.name }),
});

/** What the deciding vote filled in. */
function formOutput(review: Review, decision: Decision): JsonObject {
  const form = formOf(review, decision);
  return form === undefined ? {} : { form };
}

const formOf = ({ votes }: Review, decision: Decision): JsonObject | undefined =>
  decidingVote(votes, decision)?.form as JsonObject | undefined;
