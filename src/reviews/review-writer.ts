import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type AuditEvent } from '../audit/audit.js';
import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { Outbox, type OutboxMessage } from '../outbound/outbox.js';
import { REVIEW_CHANNELS, type ReviewChannel, type Telling } from './channels/channel.js';
import { watchedMessages, type News } from './channels/mail/review-news.js';
import type { Mentioned } from './comments/mentioned.js';
import type { Roster } from './people.js';
import type { Review } from './review.js';
import type { ReviewerPerson } from './reviewers.js';
import type { ReviewCommand } from './rules/command.js';
import { isStopped } from './rules/clockwork.js';
import { partiesOf } from './rules/eligibility.js';
import { isEnded, type Reviewer, type ReviewStanding } from './rules/review.js';
import { warning, type Timer } from './rules/schedule.js';
import { ENGINE_COMPLETE } from './sql/mark-completion.js';
import { insertReviewEvent, type ReviewEventKind } from './sql/review-events.js';
import { dropDrafts } from './sql/drafts.js';
import { endKin } from './sql/cases.js';
import { dropTimers, insertTimers, moveTimers, setExpiry } from './sql/timers.js';
import { insertVote, withdrawVote } from './sql/votes.js';

/** A change as it was decided: from what, to what, by which command and whom. */
export interface Change {
  readonly before: ReviewStanding;
  readonly after: Review;
  readonly command: ReviewCommand;
  readonly who: Reviewer;
  readonly now: Instant;
  /** Who is named in what was said with it. */
  readonly mentioned?: Mentioned | undefined;
}

/** The service itself, where a review changes without a person. */
export const SYSTEM: Reviewer = {
  id: 'reviews',
  name: 'Sallyport',
  isAdmin: true,
  via: 'system',
  method: 'system',
};

const EVENT_OF = {
  claim: 'claimed',
  release: 'released',
  reassign: 'reassigned',
  delegate: 'delegated',
  withdraw: 'withdrawn',
  skip: 'skipped',
  hold: 'held',
  resume: 'resumed',
  ask: 'asked',
  answer: 'answered',
  postpone: 'postponed',
  renew: 'renewed',
  escalate: 'escalated',
  giveBack: 'given_back',
  cancel: 'cancelled',
} as const satisfies Record<Exclude<ReviewCommand['kind'], 'decide' | 'expire'>, ReviewEventKind>;

/**
 * Everything that belongs to a change beside the review's own row, in the same transaction: its timeline line, the audit
 * event, votes, timers, whom to tell, and for a decision the way back to the engine.
 */
@Injectable()
export class ReviewWriter {
  constructor(
    private readonly outbox: Outbox,
    @Inject(REVIEW_CHANNELS) private readonly channels: readonly ReviewChannel[],
  ) {}

  async write(tx: Queryable, change: Change, roster: Roster): Promise<void> {
    const { before, after, command, who, now, mentioned } = change;
    const { mentions = [], messages: toMentioned = [] } = mentioned ?? {};
    const data = { ...eventData(change), ...(mentions.length === 0 ? {} : { mentions }) };
    await this.note(tx, after.id, eventOf(change), who, now, data, formData(change));
    if (command.kind === 'withdraw') await withdrawVote(tx, before, who.id, now);
    const isNew = after.round === before.round ? after.votes.slice(before.votes.length) : [];
    if (command.kind === 'decide') for (const vote of isNew) await insertVote(tx, after, vote);
    await this.setTimers(tx, change);
    if (isEnded(after.state)) await endKin(tx, after.id);
    const messages = [...this.tellings(change, roster), ...toMentioned, ...this.changed(after)];
    if (after.decision !== undefined && before.decision === undefined)
      messages.push({ kind: ENGINE_COMPLETE, key: after.id, payload: { reviewId: after.id } });
    messages.push(...(await watchedMessages(tx, after.id, newsOf(change))));
    await this.outbox.enqueue(tx, messages);
  }

  /** A line of the timeline, and the same in the audit record. @param more that the review itself shows: in the record alone. */
  async note(
    tx: Queryable,
    reviewId: string,
    kind: ReviewEventKind,
    who: Reviewer,
    at: Instant,
    data: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const event = { at, kind, by: { id: who.id, name: who.name }, via: who.via, data };
    const id = await insertReviewEvent(tx, reviewId, event);
    for (const channel of this.channels)
      await this.outbox.enqueue(tx, await channel.noted(tx, reviewId, { ...event, id }));
    await appendAudit(tx, [audit(reviewId, kind, who, at, { ...more, ...data })]);
  }

  /** The messages by which people are told. */
  tell(review: Review, people: readonly ReviewerPerson[], telling: Telling): OutboxMessage[] {
    return this.channels.flatMap((channel) => channel.tell(review, people, telling));
  }

  enqueue(tx: Queryable, messages: readonly OutboxMessage[]): Promise<void> {
    return this.outbox.enqueue(tx, messages);
  }

  private changed(review: Review): readonly OutboxMessage[] {
    return this.channels.flatMap((channel) => channel.changed(review));
  }

  private tellings({ before, after, command, who }: Change, roster: Roster): OutboxMessage[] {
    if (isEnded(after.state)) return [];
    switch (command.kind) {
      case 'reassign':
      case 'delegate': {
        const to = after.claim === undefined ? undefined : roster.person(after.claim.by.id);
        return to === undefined || to.personId === who.id
          ? []
          : this.tell(after, [to], {
              kind: 'assigned',
              version: after.version,
              ...byWhom(who, command.reason),
              ...(command.kind === 'delegate' ? { staysWith: true } : {}),
            });
      }
      case 'escalate':
      case 'expire': {
        const people = escalatedTo(before, after, roster);
        const reason = command.kind === 'escalate' ? command.reason : undefined;
        return this.tell(after, people, {
          kind: 'escalated',
          step: after.escalated - 1,
          loop: 0,
          ...byWhom(who, reason),
        });
      }
      case 'renew':
        return this.tell(after, askedNow(after, roster), { kind: 'renewed', round: after.round });
      case 'answer': {
        const asker = before.info === undefined ? undefined : roster.person(before.info.by.id);
        return asker === undefined
          ? []
          : this.tell(after, [asker], {
              kind: 'answered',
              version: after.version,
              by: who.name,
              question: before.info?.question,
              answer: command.text,
            });
      }
      default:
        return [];
    }
  }

  private async setTimers(tx: Queryable, { before, after, now }: Change): Promise<void> {
    if (isEnded(after.state)) {
      await dropTimers(tx, after.id);
      await dropDrafts(tx, after.id);
      return;
    }
    const byMs = movedBy(before, after, now);
    if (byMs !== 0) await moveTimers(tx, after.id, byMs);
    if (after.dueAt !== undefined && after.dueAt !== before.dueAt)
      await setExpiry(tx, after.id, {
        warnAt: warning(after.createdAt, after.dueAt).at,
        at: after.dueAt,
      });
    await insertTimers(tx, after.id, comingTimers(before, after));
  }
}

/** Whoever a review waits for now: who has it, else everybody who is asked. */
export function askedNow(review: Review, roster: Roster): readonly ReviewerPerson[] {
  const holder = review.claim === undefined ? undefined : roster.person(review.claim.by.id);
  if (holder === undefined) return roster.asked(review, partiesOf(review), review.excluded);
  // Whoever is away finds it when they are back, should nobody stand in.
  return [roster.present(holder) ?? holder];
}

/** Whoever is told hears from whom, and why; of what the clock did there is nobody. */
function byWhom(who: Reviewer, reason: string | undefined): { by?: string; reason?: string } {
  if (who.via === 'system') return {};
  const why = reason?.trim() ?? '';
  return { by: who.name, ...(why === '' ? {} : { reason: why }) };
}

/** Those whom a step brings in: not those who were asked before. */
function escalatedTo(before: ReviewStanding, after: Review, roster: Roster): readonly ReviewerPerson[] {
  const to = after.policy.escalation.slice(before.escalated, after.escalated).flatMap((step) => step.to);
  return to.length === 0 ? [] : roster.asked(after, to, after.excluded);
}

/** By how much everything that counts from the opening moves: a deadline that was moved, or a wait that does not count. */
function movedBy(before: ReviewStanding, after: ReviewStanding, now: Instant): number {
  if (before.dueAt !== undefined && after.dueAt !== undefined) return after.dueAt - before.dueAt;
  const since = before.hold?.since ?? before.info?.since;
  return since !== undefined && isStopped(before) && !isStopped(after) ? now - since : 0;
}

/** Timers that a state brings with it: the silence of who claimed it, the end of a hold. */
function comingTimers(before: ReviewStanding, after: ReviewStanding): Timer[] {
  const timers: Timer[] = [];
  const { claim, hold, policy } = after;
  const isClaimed = after.state === 'CLAIMED' && claim !== undefined;
  const isNew = before.state !== 'CLAIMED' || before.claim?.at !== claim?.at;
  if (isClaimed && isNew && policy.claimTimeoutMs !== undefined)
    timers.push({ kind: 'claim_timeout', step: claim.at, loop: 0, at: claim.at + policy.claimTimeoutMs });
  if (hold !== undefined && hold.until !== before.hold?.until)
    timers.push({ kind: 'wake', step: hold.until, loop: 0, at: hold.until });
  return timers;
}

/** What was filled in with a vote. */
function formData({ after, command, who }: Change): Record<string, unknown> {
  if (command.kind !== 'decide') return {};
  const form = after.votes.find(({ by }) => by.id === who.id)?.form;
  return form === undefined ? {} : { form };
}

/** What watchers are told: the line of the timeline, and what was said with it. */
function newsOf(change: Change): News {
  const { after, who } = change;
  const { outcome, reason } = eventData(change) as { readonly outcome?: unknown; readonly reason?: unknown };
  const said = [outcome, reason].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return {
    event: `version-${after.version}`,
    what: eventOf(change),
    by: { id: who.id, name: who.name },
    ...(said === '' ? {} : { text: said }),
  };
}

function eventOf({ command, after }: Change): ReviewEventKind {
  if (command.kind === 'decide') return after.decision === undefined ? 'voted' : 'decided';
  if (command.kind === 'expire') return after.state === 'EXPIRED' ? 'expired' : 'escalated';
  return EVENT_OF[command.kind];
}

function eventData({ before, after, command, who }: Change): Record<string, unknown> {
  switch (command.kind) {
    case 'claim':
    case 'release':
      return {};
    case 'reassign':
    case 'delegate':
      return { to: command.to, ...(command.reason?.trim() ? { reason: command.reason.trim() } : {}) };
    case 'decide': {
      const vote = after.votes.find(({ by }) => by.id === who.id);
      return {
        outcome: command.outcome,
        reason: vote?.reason ?? '',
        method: who.method,
        digest: after.subjectDigest,
        round: after.round,
        groups: vote?.groups ?? [],
        ...(vote?.onBehalfOf === undefined ? {} : { onBehalfOf: vote.onBehalfOf }),
        ...(vote?.isOverride === true ? { override: true } : {}),
      };
    }
    case 'withdraw':
      return { outcome: before.votes.find(({ by }) => by.id === who.id)?.outcome ?? '' };
    case 'skip':
    case 'cancel':
      return { reason: command.reason };
    case 'hold':
      return { until: iso(command.until), reason: command.reason };
    case 'resume':
      return { from: before.state };
    case 'ask':
      return { question: command.question };
    case 'answer':
      return { question: before.info?.question ?? '', answer: command.text };
    case 'postpone':
      return { dueAt: iso(command.dueAt), reason: command.reason };
    case 'renew':
      return { round: after.round, digest: after.subjectDigest, voidVotes: before.votes.length };
    case 'escalate':
      return { step: command.step + 1, ...(command.reason === undefined ? {} : { reason: command.reason }) };
    case 'expire':
      return {
        action: after.policy.onExpire.action,
        outcome: after.decision?.outcome ?? null,
        dueAt: before.dueAt === undefined ? null : iso(before.dueAt),
      };
    case 'giveBack':
      return { from: before.claim === undefined ? null : before.claim.by };
    default:
      return command satisfies never;
  }
}

const iso = (at: Instant): string => new Date(at).toISOString();

/** A token is a key's, too: people have sessions. */
const isKey = ({ method }: Reviewer): boolean => method === 'apikey' || method === 'token';

/** An audit event about a review. */
export function audit(
  reviewId: string,
  verb: ReviewEventKind | 'watched' | 'unwatched' | 'attachment_fetched',
  who: Reviewer,
  at: Instant,
  data: Readonly<Record<string, unknown>>,
): AuditEvent {
  const kind = who.method === 'system' ? 'system' : isKey(who) ? 'apikey' : 'user';
  return {
    at,
    actor: `${kind}:${who.id}`,
    action: `review.${verb}`,
    subject: `review:${reviewId}`,
    data: { ...withoutNames(data), via: who.via },
  };
}

/** Whoever is meant by an id is not named beside it: names are of today, and the record is for good. */
function withoutNames(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([field, value]) => [
      field,
      // What was filled in is kept as it is.
      field === 'form' ? value : Array.isArray(value) ? value.map(unnamed) : unnamed(value),
    ]),
  );
}

function unnamed(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || !('id' in value && 'name' in value)) return value;
  const { name: _, ...rest } = value;
  return rest;
}
