import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { appendAudit } from '../../audit/audit.js';
import { Clock, type Instant } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { InvalidInput, NotFound } from '../../errors.js';
import { OutboxBell } from '../../outbound/outbox-bell.js';
import { Outbox } from '../../outbound/outbox.js';
import type { Review } from '../../reviews/review.js';
import { findReview } from '../../reviews/sql/find-review.js';
import { acceptedAs } from '../../verdicts/baseline/accepted.js';
import { Baseline } from '../../verdicts/baseline/baseline.service.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { Acting } from '../exceptions/exceptions.service.js';
import { knownFinding } from '../exceptions/sql/known-finding.js';
import { startOf } from '../start-workflow.handler.js';
import { PROOFS, type Remedy } from './remedy.js';
import {
  findRemedy,
  insertRemedy,
  listRemedies,
  markRefused,
  markRemedied,
  remedyFigures,
  type RemedyFigures,
} from './sql/remedy-rows.js';

const DAY_MS = 86_400_000;

/** The workflow that asks whether a finding is real, and follows it until it is remedied. */
export const REVIEW_WORKFLOW = 'finding_review';

const Given = z.object({ proof: z.enum(PROOFS), note: z.string().trim().min(1).max(2000) });

/** A finding that is to be opened, as the workflow says. */
export interface ToOpen {
  readonly scanId: string;
  readonly fingerprint: string;
  readonly owner: readonly string[];
  readonly dueDays?: number | undefined;
  readonly escalateTo: readonly string[];
  readonly follows?: string | undefined;
}

/** Findings that are real, each followed until a proof says that it is remedied. */
@Injectable()
export class Remedies {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly baseline: Baseline,
    @Inject(CONFIG) private readonly config: Pick<Config, 'REMEDY_DAYS'>,
  ) {}

  /** @throws NotFound */
  async get(id: string): Promise<Remedy> {
    const found = await findRemedy(this.db, id);
    if (found === undefined) throw new NotFound(`No remedy ${id}. It opens when its finding is called real.`);
    return found;
  }

  list(
    filter: {
      readonly states?: readonly Remedy['state'][] | undefined;
      readonly isOverdue?: boolean | undefined;
    },
    page: {
      readonly after?: { readonly at: Instant; readonly id: string } | undefined;
      readonly limit: number;
    },
  ): Promise<Remedy[]> {
    const overdueAt = filter.isOverdue === true ? wholeMilliseconds(this.clock) : undefined;
    return listRemedies(this.db, { states: filter.states, overdueAt }, page);
  }

  figures(from: Instant, to: Instant): Promise<RemedyFigures[]> {
    return remedyFigures(this.db, { from, to, now: wholeMilliseconds(this.clock) });
  }

  /**
   * Asks whether a finding is real; one that is, is followed to its remedy. @returns the id of the workflow, and of the remedy.
   *
   * @throws NotFound; InvalidInput for what a scanner outside found.
   */
  async review(
    findingId: string,
    {
      owner,
      dueDays,
      escalateTo,
    }: {
      readonly owner: readonly string[];
      readonly dueDays?: number | undefined;
      readonly escalateTo: readonly string[];
    },
    who: Acting,
  ): Promise<string> {
    const finding = await knownFinding(this.db, { id: findingId });
    if (finding === undefined)
      throw new NotFound(
        `No finding ${findingId}. Its object may have been scanned again: see sallyport findings`,
      );
    if (finding.source !== '')
      throw InvalidInput.field('findingId', `was found by the scanner ${finding.source}; follow it there`);
    const id = randomUUID();
    const { scanId, fingerprint, ruleId, bucket, key } = finding;
    const title = `Is it real? ${finding.title} (${ruleId}) in s3://${bucket}/${key}`;
    const input = { scanId, fingerprint, title, owner, dueDays, escalateTo, confirmed: 'no' };
    const at = wholeMilliseconds(this.clock);
    await this.db.transaction(async (tx) => {
      await this.note(tx, id, 'review_requested', who.actor, at, { fingerprint, ruleId, scanId });
      await this.outbox.enqueue(tx, [startOf(id, { name: REVIEW_WORKFLOW, input, createdBy: who.actor })]);
    });
    this.bell.ring();
    return id;
  }

  /** Opens it, once; asked again, tells what is open. @throws NotFound for a finding that is not there. */
  async open(id: string, wanted: ToOpen): Promise<Remedy> {
    const known = await findRemedy(this.db, id);
    if (known !== undefined) return known;
    const finding = await knownFinding(this.db, wanted);
    if (finding === undefined)
      throw new NotFound('The finding is not there any more; its scan was made anew.');
    const now = wholeMilliseconds(this.clock);
    const dueDays = wanted.dueDays ?? this.config.REMEDY_DAYS;
    const remedy: Remedy = {
      id,
      findingKind: finding.kind,
      ruleId: finding.ruleId,
      fingerprint: finding.fingerprint,
      findingTitle: finding.title,
      scanId: finding.scanId,
      endpointId: finding.endpointId,
      bucket: finding.bucket,
      key: finding.key,
      memberPath: finding.path,
      sha256: finding.sha256,
      owner: wanted.owner,
      state: 'OPEN',
      openedAt: now,
      dueAt: now + dueDays * DAY_MS,
      dueDays,
      escalateTo: wanted.escalateTo,
      proof: null,
      proofNote: null,
      remediedAt: null,
      remediedByName: null,
      refused: null,
      returnedAt: null,
      follows: wanted.follows ?? null,
    };
    await this.db.transaction(async (tx) => {
      if (!(await insertRemedy(tx, remedy))) return;
      const dueAt = new Date(remedy.dueAt).toISOString();
      const { fingerprint, ruleId, owner, follows } = remedy;
      const facts = { fingerprint, ruleId, owner, dueAt, ...(follows !== null && { follows }) };
      await this.note(tx, id, 'opened', 'system:remedies', now, facts);
    });
    return this.get(id);
  }

  /**
   * Takes the proof of a completed review of this very workflow. @returns why it is none; undefined when it is remedied.
   */
  async close(id: string, reviewId: string): Promise<string | undefined> {
    const remedy = await this.get(id);
    if (remedy.state !== 'OPEN') return undefined;
    const review = await findReview(this.db, { id: reviewId });
    const given = this.proofIn(review, id);
    if (typeof given === 'string') return this.refuse(remedy, given);
    const { proof, note, by } = given;
    const now = wholeMilliseconds(this.clock);
    if (proof === 'accepted' && !(await this.isAccepted(remedy, now)))
      return this.refuse(
        remedy,
        'no exception in force answers for it: ask for one (sallyport exceptions request), then say so again',
      );
    await this.db.transaction(async (tx) => {
      if ((await markRemedied(tx, { id, proof, note, by, reviewId, now })) === undefined) return;
      await this.note(tx, id, 'remedied', `user:${by.id}`, now, { proof, note, reviewId });
    });
    return undefined;
  }

  private proofIn(review: Review | undefined, id: string) {
    if (review?.workflowId !== id || review.state !== 'COMPLETED' || review.decision?.outcome !== 'remedied')
      return 'nobody said that it is remedied';
    const { by, outcome } = review.decision;
    const vote = review.votes.find((one) => one.by.id === by.id && one.outcome === outcome);
    const given = Given.safeParse(vote?.form);
    return given.success ? { ...given.data, by } : 'the form says no proof';
  }

  private async isAccepted(remedy: Remedy, now: Instant): Promise<boolean> {
    const {
      findingKind: kind,
      ruleId,
      fingerprint,
      memberPath: path,
      endpointId,
      bucket,
      key,
      sha256,
    } = remedy;
    const found = { kind, ruleId, fingerprint, path };
    const at = { endpointId, bucket, key, ...(sha256 !== null && { sha256 }) };
    const entry = acceptedAs(found, at, await this.baseline.among([found], at), now);
    // What an author knows alone is no risk that two people bear.
    return entry?.exceptionId !== undefined;
  }

  private async refuse(remedy: Remedy, why: string): Promise<string> {
    const now = wholeMilliseconds(this.clock);
    await this.db.transaction(async (tx) => {
      await markRefused(tx, remedy.id, why);
      await this.note(tx, remedy.id, 'proof_refused', 'system:remedies', now, { why });
    });
    return why;
  }

  private note(
    tx: Queryable,
    id: string,
    verb: string,
    actor: string,
    at: Instant,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return appendAudit(tx, [{ at, actor, action: `remedy.${verb}`, subject: `remedy:${id}`, data }]);
  }
}
