import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Clock, type Instant } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { isDatabaseAway } from '../database/is-away.js';
import { AppError } from '../errors.js';
import { LOG, type Log } from '../ops/log.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import type { OutboxMessage } from '../outbound/outbox.js';
import { digestMessage, MOST_SINGLE_REMINDERS } from './channels/mail/mail.channel.js';
import { wanting } from './channels/mail/preferences/wanted.js';
import { EngineRounds } from './engine-rounds.js';
import { People, type Roster } from './people.js';
import { askedNow, ReviewWriter, SYSTEM } from './review-writer.js';
import type { Review } from './review.js';
import type { ReviewerPerson } from './reviewers.js';
import { ReviewsService } from './reviews.service.js';
import type { ReviewCommand } from './rules/command.js';
import { isEnded } from './rules/review.js';
import type { TimerKind } from './rules/schedule.js';
import { findReviews } from './sql/find-review.js';
import { dueTimers, markFired, type DueTimer } from './sql/timers.js';

const LOOK_EVERY_MS = 1000;
// After an outage all that is overdue comes at once, and one look must see it whole to tell each person once.
const MOST_AT_ONCE = 2000;
const REMINDER_LOCK = 0x5a11_0007;

const COMMANDS: readonly TimerKind[] = ['escalate', 'expire', 'claim_timeout', 'wake'];

/**
 * Lets time act on reviews: reminders, escalation, deadlines, silent claims, the end of a hold. Time is rows, so it goes
 * on after a restart; each fires once, since it is marked in the transaction of what it does. Runs in role engine.
 */
@Injectable()
export class Timekeeper extends EngineRounds {
  constructor(
    @Inject(CONFIG) config: Pick<Config, 'ROLES'>,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bell: OutboxBell,
    private readonly people: People,
    private readonly reviews: ReviewsService,
    private readonly writer: ReviewWriter,
  ) {
    super({
      config,
      log,
      clock,
      everyMs: LOOK_EVERY_MS,
      failed: 'what is due for reviews could not be done',
    });
  }

  protected look(): Promise<number> {
    return this.tick();
  }

  /** Lets everything happen that is due. @returns how much was. */
  async tick(): Promise<number> {
    const now = Math.round(this.clock.now());
    const due = await dueTimers(this.db, now, MOST_AT_ONCE, COMMANDS);
    for (const timer of due) {
      if (this.stopping.aborted) return 0;
      try {
        await this.fire(timer, now);
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        // One that cannot be done holds up none of those behind it; it comes again with the next look.
        const { reviewId, kind } = timer;
        this.log.warn({ err: error, reviewId, kind }, 'a timer of a review could not fire; tried again soon');
      }
    }
    return due.length + (await this.warn(now)) + (await this.remind(now));
  }

  private async fire(timer: DueTimer, now: Instant): Promise<void> {
    try {
      const changed = await this.reviews.change(timer.reviewId, commandOf(timer), SYSTEM, (tx) =>
        markFired(tx, timer, now),
      );
      if (changed === undefined) await this.noChange(timer, now);
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      // It ended at the same moment; nothing is left for the clock to do.
      await markFired(this.db, timer, now);
    }
  }

  /** What is due changes no state: a deadline that leaves it open, or a step that is asked again. */
  private async noChange(timer: DueTimer, now: Instant): Promise<void> {
    const roster = await this.people.at(now);
    await this.db.transaction(async (tx) => {
      if (!(await markFired(tx, timer, now))) return;
      const [review] = await findReviews(tx, [timer.reviewId]);
      if (review === undefined || isEnded(review.state)) return;
      if (timer.kind === 'expire' && review.dueAt !== undefined && review.dueAt <= now) {
        const dueAt = new Date(review.dueAt).toISOString();
        await this.writer.note(tx, review.id, 'breached', SYSTEM, now, { dueAt });
      } else if (timer.kind === 'escalate') {
        const { step, loop } = timer;
        const people = roster.asked(review, review.policy.escalation[step]?.to ?? [], review.excluded);
        await this.writer.note(tx, review.id, 'escalated', SYSTEM, now, { step: step + 1, again: loop });
        await this.writer.enqueue(tx, this.writer.tell(review, people, { kind: 'escalated', step, loop }));
      }
    });
  }

  /** Notes that a deadline is near, for whoever is told of events; changes nothing. */
  private async warn(now: Instant): Promise<number> {
    const due = await dueTimers(this.db, now, MOST_AT_ONCE, ['warn']);
    for (const timer of due) {
      if (this.stopping.aborted) return 0;
      await this.db.transaction(async (tx) => {
        if (!(await markFired(tx, timer, now))) return;
        const [review] = await findReviews(tx, [timer.reviewId]);
        // After an outage the deadline itself may be past.
        if (review?.dueAt === undefined || isEnded(review.state) || review.dueAt <= now) return;
        await this.writer.note(tx, review.id, 'due_soon', SYSTEM, now, {
          dueAt: new Date(review.dueAt).toISOString(),
        });
      });
    }
    return due.length;
  }

  /**
   * Sends the reminders that are due: a mail for each review, or one digest for a person of whom many wait. All of one
   * moment are looked at together and by one node at a time, so that nobody gets two.
   */
  private async remind(now: Instant): Promise<number> {
    const looked = await dueTimers(this.db, now, 1, ['remind']);
    if (looked.length === 0) return 0;
    const roster = await this.people.at(now);
    const fired = await this.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [REMINDER_LOCK]);
      const due: DueTimer[] = [];
      for (const timer of await dueTimers(tx, now, MOST_AT_ONCE, ['remind']))
        if (await markFired(tx, timer, now)) due.push(timer);
      const reviews = new Map(
        (await findReviews(tx, [...new Set(due.map(({ reviewId }) => reviewId))])).map((one) => [
          one.id,
          one,
        ]),
      );
      const reminders = dueReminders(due, reviews);
      for (const { review, step } of reminders)
        await this.writer.note(tx, review.id, 'reminded', SYSTEM, now, { reminder: step + 1 });
      await this.writer.enqueue(tx, this.reminderMessages(reminders, roster));
      return due.length;
    });
    this.bell.ring();
    return fired;
  }

  private reminderMessages(reminders: readonly Reminder[], roster: Roster): OutboxMessage[] {
    const byPerson = new Map<string, { person: ReviewerPerson; reminders: Reminder[] }>();
    for (const reminder of reminders)
      for (const person of wanting(
        reminder.review,
        { kind: 'reminder', step: reminder.step },
        askedNow(reminder.review, roster),
      )) {
        const known = byPerson.get(person.personId) ?? { person, reminders: [] };
        known.reminders.push(reminder);
        byPerson.set(person.personId, known);
      }
    return [...byPerson.values()].flatMap(({ person, reminders: theirs }) =>
      theirs.length <= MOST_SINGLE_REMINDERS
        ? theirs.flatMap(({ review, step }) => this.writer.tell(review, [person], { kind: 'reminder', step }))
        : digestMessage(
            person,
            theirs.map(({ review }) => review),
            createHash('sha256')
              .update(JSON.stringify(theirs.map(({ review, step }) => [review.id, step])))
              .digest('hex')
              .slice(0, 40),
          ),
    );
  }
}

interface Reminder {
  readonly review: Review;
  readonly step: number;
}

/** One for each review, whatever of its reminders came due together; none while it waits for a time or an answer. */
function dueReminders(due: readonly DueTimer[], reviews: ReadonlyMap<string, Review>): Reminder[] {
  const latest = new Map<string, Reminder>();
  for (const { reviewId, step } of due) {
    const review = reviews.get(reviewId);
    if (review === undefined || isEnded(review.state)) continue;
    if (review.state === 'ON_HOLD' || review.state === 'INFO_REQUESTED') continue;
    if ((latest.get(reviewId)?.step ?? -1) < step) latest.set(reviewId, { review, step });
  }
  return [...latest.values()];
}

function commandOf({ kind, step }: DueTimer): ReviewCommand {
  switch (kind) {
    case 'escalate':
      return { kind: 'escalate', step };
    case 'expire':
      return { kind: 'expire' };
    case 'claim_timeout':
      return { kind: 'giveBack', claimedAt: step };
    case 'wake':
      return { kind: 'resume' };
    default:
      throw new Error(`a timer of kind ${kind} changes no review`);
  }
}
