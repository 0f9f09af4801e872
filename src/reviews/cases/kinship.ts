import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { ReviewWriter, SYSTEM } from '../review-writer.js';
import type { Review } from '../review.js';
import type { Subject } from '../rules/subject.js';
import { findKin, joinCase, kinRow, openCase, setKin } from '../sql/cases.js';
import { kinOf, type Kin } from './kin.js';

// Each lost round means that a case was decided or filled, or somebody else took the one that was alone.
const MAX_ROUNDS = 5;

/**
 * Puts open reviews about the same thing into one case.
 *
 * Whatever is opened is a review of its own, with its votes, its clock and its end. The case says only what belongs
 * together, so a vote on the case is a vote on each that was shown, and what joins later keeps nobody's vote from
 * counting and has none that was not given to it.
 */
@Injectable()
export class Kinship {
  constructor(private readonly writer: ReviewWriter) {}

  /** In the transaction that opens the review. */
  async opened(tx: Queryable, review: Review, question: string): Promise<void> {
    const kin = kinOf(review.subject);
    await setKin(tx, review.id, question, kin);
    await this.join(tx, review, question, kin, review.createdAt);
  }

  /** What is shown of it has changed: it leaves those that it was like, and joins others. */
  async renewed(tx: Queryable, review: Review, subject: Subject, at: Instant): Promise<void> {
    const row = await kinRow(tx, review.id);
    if (row === undefined || row.isDetached) return;
    const kin = kinOf(subject);
    await setKin(tx, review.id, row.question, kin);
    if (row.caseId !== null)
      await this.writer.note(tx, review.id, 'case_left', SYSTEM, at, {
        case: row.caseId,
        reason: 'a later scan found something else',
      });
    await this.join(tx, review, row.question, kin, at);
  }

  private async join(tx: Queryable, review: Review, question: string, kin: Kin, at: Instant): Promise<void> {
    const locks = [kin.findings, kin.bytes].filter((key) => key !== undefined).sort();
    // Two of the same at the same moment would each see nobody. In one order, so that no two wait for each other.
    for (const key of locks)
      await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`review_kin:${key}`]);
    if (locks.length === 0) return;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const found = await findKin(tx, review.id, question, kin);
      if (found === undefined) return;
      const caseId = found.caseId ?? randomUUID();
      if (found.caseId === null) {
        const { queue } = review.policy;
        if (!(await openCase(tx, { id: caseId, queue, title: review.title, at, first: found.reviewId })))
          continue;
        await this.note(tx, found.reviewId, caseId, found.by, at);
      }
      if (!(await joinCase(tx, caseId, review.id, at))) continue;
      await this.note(tx, review.id, caseId, found.by, at);
      return;
    }
  }

  private note(tx: Queryable, reviewId: string, caseId: string, by: string, at: Instant): Promise<void> {
    return this.writer.note(tx, reviewId, 'case_joined', SYSTEM, at, { case: caseId, same: by });
  }
}
