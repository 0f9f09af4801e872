import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock, type Instant } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { OutboxBell } from '../../outbound/outbox-bell.js';
import { Outbox } from '../../outbound/outbox.js';
import { findReview } from '../../reviews/sql/find-review.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { startOf } from '../start-workflow.handler.js';
import { nextStep, type By, type Exception, type ExceptionKind, type Target } from './exception.js';
import { overOf } from './over.handler.js';
import { reopenOf } from './reopen.handler.js';
import { targetOf, type Wanted } from './target.js';
import { questionOf } from './wording.js';
import {
  countWaiting,
  endException,
  findException,
  insertException,
  listExceptions,
  putInForce,
  type Ending,
  type ExceptionFilter,
} from './sql/exception-rows.js';
import { knownFinding, type KnownFinding } from './sql/known-finding.js';
import { matchingFindings, type Matching } from './sql/matching-findings.js';

const DAY_MS = 86_400_000;
// Whoever has more has rules to switch off, and nobody who looks through them.
const MOST = 20_000;
const SAMPLE = 10;

/** The workflow that asks the second person, and lasts as long as what they agreed on. */
export const EXCEPTION_WORKFLOW = 'exception_request';

export interface ExceptionRequest {
  readonly kind: ExceptionKind;
  readonly wanted: Wanted;
  readonly reason: string;
  readonly expiresAt: Instant;
}

/** Somebody who does something with an exception; `actor` is as in AuditEvent. */
export interface Acting extends By {
  readonly actor: string;
}

/**
 * What people decide about findings: asked for by one, agreed to by another, for a time. Each change is one conditional
 * UPDATE with its audit event and whatever follows from it.
 */
@Injectable()
export class Exceptions {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    @Inject(CONFIG) private readonly config: Pick<Config, 'EXCEPTION_MAX_DAYS'>,
  ) {}

  /** @throws NotFound */
  async get(id: string): Promise<Exception> {
    const found = await findException(this.db, id);
    if (found === undefined) throw new NotFound(`No exception ${id}. See: sallyport exceptions list`);
    return found;
  }

  list(
    filter: ExceptionFilter,
    page: {
      readonly after?: { readonly at: Instant; readonly id: string } | undefined;
      readonly limit: number;
    },
  ): Promise<Exception[]> {
    return listExceptions(this.db, filter, page);
  }

  /** What it would answer for now. @throws InvalidInput, NotFound as `request` does. */
  async preview(wanted: Wanted): Promise<Matching> {
    return matchingFindings(this.db, await this.target(wanted), SAMPLE);
  }

  /**
   * Asks for an exception; it counts when somebody else agreed.
   *
   * @throws NotFound for an unknown finding; InvalidInput for a scope that it does not have, and for a time that is over
   *   or longer than EXCEPTION_MAX_DAYS; Conflict when there are too many.
   */
  async request({ kind, wanted, reason, expiresAt }: ExceptionRequest, who: Acting): Promise<Exception> {
    const finding = wanted.findingId === undefined ? undefined : await this.finding(wanted.findingId);
    const target = targetOf(wanted, finding);
    return this.ask({ kind, target, reason, expiresAt }, who, { scanId: finding?.scanId });
  }

  /**
   * Asks to go on with one that is in force. What counts until then goes on counting, and ends when it would have ended
   * if nobody agrees.
   *
   * @throws Conflict when it is not in force, or an extension is asked for already.
   */
  async extend(
    id: string,
    { expiresAt, reason }: { readonly expiresAt: Instant; readonly reason: string },
    who: Acting,
  ): Promise<Exception> {
    const { kind, target, state, expiresAt: until } = await this.get(id);
    if (state !== 'IN_FORCE') throw new Conflict(`Only what is in force can be extended; this is ${state}.`);
    if (expiresAt <= until)
      throw InvalidInput.field('expiresAt', `must be later than ${new Date(until).toISOString()}`);
    return this.ask({ kind, target, reason, expiresAt }, who, { extends: id });
  }

  /**
   * Ends it early, or takes the request back. What it answered for is scanned again.
   *
   * @throws NotFound; Conflict saying who ended it, and when.
   */
  async withdraw(id: string, reason: string, who: Acting): Promise<Exception> {
    await this.get(id);
    const now = wholeMilliseconds(this.clock);
    const from = ['REQUESTED', 'IN_FORCE'] as const;
    const ended = await this.db.transaction((tx) =>
      this.end(tx, { id, from, to: 'WITHDRAWN', by: who.actor, reason, now }),
    );
    if (ended === undefined) throw overAlready(await this.get(id));
    this.bell.ring();
    return ended;
  }

  /**
   * The second person agreed: it counts from the next scan on. The review itself is asked, whatever the task says.
   *
   * @returns undefined when no review of this very request says so.
   */
  async grant(id: string, reviewId: string): Promise<Exception | undefined> {
    const exception = await this.get(id);
    if (exception.state !== 'REQUESTED') return exception;
    const review = await findReview(this.db, { id: reviewId });
    const decision = review?.decision;
    const isAgreed =
      review?.workflowId === id && review.state === 'COMPLETED' && decision?.outcome === 'approve';
    if (!isAgreed || decision.by.id === exception.requestedBy.id) return undefined;
    const now = wholeMilliseconds(this.clock);
    const inForce = { ...exception, state: 'IN_FORCE' as const };
    const granted = await this.db.transaction(async (tx) => {
      const { by, reason } = decision;
      const nextAt = nextStep(inForce, now).at;
      const after = await putInForce(tx, { id, reviewId, by, reason, nextAt, now });
      if (after === undefined) return undefined;
      await this.note(tx, after, 'granted', `user:${by.id}`, now, { reviewId, reason });
      if (after.extends !== undefined) {
        const from = ['IN_FORCE'] as const;
        const why = `goes on as ${id}`;
        await this.end(tx, {
          id: after.extends,
          from,
          to: 'EXTENDED',
          by: `user:${by.id}`,
          reason: why,
          now,
        });
      }
      return after;
    });
    this.bell.ring();
    return granted ?? this.get(id);
  }

  /** Nobody agreed. @returns how it stands then. */
  async refuse(id: string, by: string, reason: string): Promise<Exception> {
    const now = wholeMilliseconds(this.clock);
    await this.db.transaction((tx) =>
      this.end(tx, { id, from: ['REQUESTED'], to: 'REFUSED', by, reason, now }),
    );
    return this.get(id);
  }

  /**
   * Ends it in the caller's transaction. Whatever it answered for is open again, and its clock starts anew: unless another
   * goes on in its place, or it never counted.
   */
  async end(tx: Queryable, ending: Ending): Promise<Exception | undefined> {
    const ended = await endException(tx, ending);
    if (ended === undefined) return undefined;
    const { to, by, now, reason } = ending;
    await this.note(tx, ended, to.toLowerCase(), by, now, { reason });
    const isReopened = ended.decided !== undefined && to !== 'EXTENDED';
    await this.outbox.enqueue(tx, [
      // A refusal comes from the workflow itself, which ends by it.
      ...(to === 'REFUSED' ? [] : [overOf(ended)]),
      ...(isReopened ? [reopenOf(ended.id, '0')] : []),
    ]);
    return ended;
  }

  private async ask(
    wanted: Omit<ExceptionRequest, 'wanted'> & { readonly target: Target },
    who: Acting,
    more: { readonly scanId?: string | undefined; readonly extends?: string | undefined },
  ): Promise<Exception> {
    const now = wholeMilliseconds(this.clock);
    this.refuseTime(wanted.expiresAt, now);
    const exception: Exception = {
      id: randomUUID(),
      ...wanted,
      state: 'REQUESTED',
      requestedBy: { id: who.id, name: who.name },
      requestedAt: now,
      extends: more.extends,
    };
    const input = {
      exceptionId: exception.id,
      title: questionOf(exception),
      requester: who.id,
      scanId: more.scanId ?? null,
    };
    try {
      await this.db.transaction(async (tx) => {
        await insertException(tx, exception, nextStep(exception, now).at);
        if ((await countWaiting(tx)) > MOST)
          throw new Conflict(
            `There would be more than ${MOST} exceptions. Withdraw some, or disable the rule that finds so many.`,
          );
        await this.note(tx, exception, 'requested', who.actor, now, {
          reason: exception.reason,
          ...(more.extends !== undefined && { extends: more.extends }),
        });
        await this.outbox.enqueue(tx, [
          startOf(exception.id, { name: EXCEPTION_WORKFLOW, input, createdBy: who.actor }),
        ]);
      });
    } catch (error) {
      if ((error as { constraint?: unknown }).constraint === 'finding_exception_extension')
        throw new Conflict('Somebody has asked to extend it already.', {}, { cause: error });
      throw error;
    }
    this.bell.ring();
    return exception;
  }

  private refuseTime(expiresAt: Instant, now: Instant): void {
    const { EXCEPTION_MAX_DAYS: days } = this.config;
    if (expiresAt <= now)
      throw InvalidInput.field('expiresAt', 'is over already: nothing would be answered for');
    if (expiresAt > now + days * DAY_MS)
      throw InvalidInput.field(
        'expiresAt',
        `must be at most ${days} days ahead (EXCEPTION_MAX_DAYS): nobody answers for a finding for ever`,
      );
  }

  private async target(wanted: Wanted): Promise<Target> {
    return targetOf(
      wanted,
      wanted.findingId === undefined ? undefined : await this.finding(wanted.findingId),
    );
  }

  private async finding(id: string): Promise<KnownFinding> {
    const found = await knownFinding(this.db, { id });
    if (found === undefined)
      throw new NotFound(`No finding ${id}. Its object may have been scanned again: see sallyport findings`);
    return found;
  }

  private note(
    tx: Queryable,
    exception: Exception,
    verb: string,
    actor: string,
    at: Instant,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { id, kind, target, expiresAt } = exception;
    const facts = { kind, ...target, expiresAt: new Date(expiresAt).toISOString(), ...data };
    return appendAudit(tx, [
      { at, actor, action: `exception.${verb}`, subject: `exception:${id}`, data: facts },
    ]);
  }
}

function overAlready({ state, ended, decided }: Exception): Conflict {
  const at = new Date(ended?.at ?? decided?.at ?? 0).toISOString();
  const by = ended?.by ?? '';
  return new Conflict(`It is over already: ${state} by ${by} at ${at}.`, { state, by, at });
}
