import { randomUUID } from 'node:crypto';
import { Injectable, type Type } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import type { Task } from '../engine/model/execution.js';
import {
  RetryLater,
  TaskWorker,
  TerminalError,
  type TaskContext,
  type TaskOutcome,
} from '../engine/ports.js';
import { Alerts } from '../outbound/alerts.js';
import { OutboxBell } from '../outbound/outbox-bell.js';
import { questionOf } from './cases/kin.js';
import { Kinship } from './cases/kinship.js';
import { workingHoursOf } from './calendars/calendar-spec.js';
import { Calendars } from './calendars/calendars.service.js';
import { lengthsOf, NoWorkingTime, workingLater, type WorkingHours } from './calendars/working-time.js';
import { EvidenceSource } from './evidence.js';
import { FourEyes } from './four-eyes.js';
import { readHumanInput, type HumanQuestion } from './human-input.js';
import { FormTemplates } from './orkes/form-templates.js';
import { chooseHolder, givenTo } from './opening.js';
import { People, type Roster } from './people.js';
import { partiesText } from './refusal-error.js';
import { schemaFault } from './review-form.js';
import { ReviewWriter, SYSTEM } from './review-writer.js';
import type { Review } from './review.js';
import type { ReviewerPerson } from './reviewers.js';
import { withUndetermined, type Policy } from './rules/policy.js';
import { canBeReached } from './rules/quorum.js';
import { timersOf, type Timer } from './rules/schedule.js';
import type { Subject } from './rules/subject.js';
import { isCalendarStill, type StoredCalendar } from './sql/calendars.js';
import { findReview } from './sql/find-review.js';
import { insertReview } from './sql/insert-review.js';
import { insertTimers } from './sql/timers.js';
import { subjectDigest } from './subject-digest.js';
import type { Uploader } from './uploader/resolve.js';
import { Uploaders } from './uploader/uploaders.js';

/** A review as it opens, and whom it asks. */
interface Draft {
  readonly review: Review;
  readonly asked: readonly ReviewerPerson[];
  readonly roster: Roster;
  /** Which question it is, whatever object it names. */
  readonly question: string;
  /** All that the clock is to do to it. */
  readonly timers: readonly Timer[];
  /** By which they were computed. */
  readonly calendar: StoredCalendar | undefined;
}

// Each attempt after the first means that somebody changed the calendar meanwhile.
const MAX_DRAFTS = 5;

/**
 * The worker of HUMAN tasks: opens the task's one review and leaves the task to whoever decides.
 *
 * Review, timeline, timers, notifications and audit event commit together; handed out again, it finds the review and
 * adds nothing.
 */
@Injectable()
export class HumanWorker extends TaskWorker {
  readonly taskType = 'HUMAN';

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bell: OutboxBell,
    private readonly evidence: EvidenceSource,
    private readonly people: People,
    private readonly fourEyes: FourEyes,
    private readonly writer: ReviewWriter,
    private readonly alerts: Alerts,
    private readonly uploaders: Uploaders,
    private readonly templates: FormTemplates,
    private readonly kinship: Kinship,
    private readonly calendars: Calendars,
  ) {
    super();
  }

  async execute(task: Task, context: TaskContext): Promise<TaskOutcome> {
    const existing = await findReview(this.db, { taskId: task.taskId });
    if (existing !== undefined) return { kind: 'parked' };
    for (let attempt = 1; attempt <= MAX_DRAFTS; attempt++) {
      const draft = await this.draft(task);
      // Once around: what follows is durable, and must not be done for a task that is no longer ours.
      if (context.signal.aborted) return { kind: 'parked' };
      const opened = await this.db.transaction((tx) => this.open(tx, draft));
      if (opened === 'outdated') continue;
      if (opened === 'opened') {
        this.bell.ring();
        context.log(`review ${draft.review.id} opened; it asks ${draft.asked.length} people`);
      }
      return { kind: 'parked' };
    }
    throw new RetryLater(1, 'its working calendar changes faster than the review can be opened');
  }

  private async open(tx: Queryable, draft: Draft): Promise<'opened' | 'known' | 'outdated'> {
    const { review: pooled, asked, roster, question, timers, calendar } = draft;
    // Else an edit that does not see the review yet would leave it with the old hours.
    if (calendar !== undefined && !(await isCalendarStill(tx, calendar.name, calendar.version)))
      return 'outdated';
    const at = pooled.createdAt;
    const to = await chooseHolder(tx, pooled, asked);
    const review = to === undefined ? pooled : givenTo(pooled, to, at);
    if ((await insertReview(tx, review)) === undefined) return 'known';
    await insertTimers(tx, review.id, timers);
    const holder = to === undefined ? undefined : roster.person(to.id);
    const messages = this.writer.tell(review, holder === undefined ? asked : [holder], { kind: 'opened' });
    const data = {
      outcomes: review.outcomes,
      queue: review.policy.queue,
      asks: partiesText(review.policy.to),
      ...(review.policy.calendar === undefined ? {} : { calendar: review.policy.calendar }),
      told: messages.map((message) => message.kind),
      ...(to === undefined ? {} : { to }),
      ...(review.excluded.length === 0 ? {} : { excluded: review.excluded }),
      ...(review.policy.undetermined === undefined ? {} : { undetermined: review.policy.undetermined }),
    };
    const { taskId, workflowId, subjectDigest: digest } = review;
    await this.writer.note(tx, review.id, 'opened', SYSTEM, at, data, { taskId, workflowId, digest });
    await this.kinship.opened(tx, review, question);
    if (!canBeReached(review.policy, asked.length)) await this.nobody(tx, review, asked.length);
    await this.writer.enqueue(tx, messages);
    return 'opened';
  }

  /** Too few are left to decide: known now, not at the deadline. */
  private async nobody(tx: Queryable, review: Review, eligible: number): Promise<void> {
    const { policy } = review;
    const needed = policy.quorum.approve;
    await this.writer.note(tx, review.id, 'nobody_eligible', SYSTEM, review.createdAt, { eligible, needed });
    await this.alerts.tell(tx, {
      key: `review.nobody:${review.id}`,
      subject: 'a review has too few people who may decide it',
      lines: [
        `Review ${review.id}, “${review.title}”, asks ${partiesText(policy.to)} and needs ${needed} to agree; ${eligible} may decide now.`,
        ...review.excluded.map(({ name, because }) => `Kept out by four eyes: ${name} (${because}).`),
        ...(policy.undetermined === undefined
          ? []
          : ['Nobody knows who uploaded the object, so that one vote more is needed.']),
      ],
      remedy: 'Add people to the group, or reassign the review to somebody who may decide.',
    });
  }

  private async draft(task: Task): Promise<Draft> {
    const read = readHumanInput(task.inputData);
    if ('fault' in read) throw new TerminalError(`HUMAN task ${task.referenceTaskName}: ${read.fault}`);
    const { question } = read;
    const now = Math.round(this.clock.now());
    const roster = await this.people.at(now);
    const calendar = await this.calendarOf(task, question);
    const hours = calendar && workingHoursOf(calendar);
    const policy = {
      ...question.policy((named) => roster.party(named), hours && lengthsOf(hours)),
      ...(await this.formOf(task, question)),
      ...(calendar === undefined ? {} : { calendar: calendar.name }),
    };
    const timers = this.timersBy(task, policy, now, hours);
    const fault = policy.form === undefined ? undefined : schemaFault(policy.form);
    if (fault !== undefined)
      throw new TerminalError(`HUMAN task ${task.referenceTaskName}: input form: ${fault}`);
    const asking = { workflowId: task.workflowInstanceId, workflowName: task.workflowType };
    const found = await this.subjectOf(question);
    const [inLedger, told] = [found.object?.uploader, question.uploader];
    const uploaders = [
      await this.uploaders.resolve(inLedger),
      ...(told === undefined ? [] : [await this.uploaders.resolve(told, true)]),
    ];
    const subject = withUploader(found, inLedger ?? told, uploaders);
    const { excluded, undetermined } = await this.fourEyes.judge(policy, question, uploaders, asking, roster);
    const asked = roster.asked({ policy }, policy.to, excluded);
    const review: Review = {
      id: randomUUID(),
      taskId: task.taskId,
      workflowId: task.workflowInstanceId,
      taskRef: task.referenceTaskName,
      taskDefName: task.taskDefName,
      workflowName: task.workflowType,
      scanId: question.scanId,
      title: question.title,
      outcomes: question.outcomes,
      subject,
      subjectDigest: subjectDigest(subject, policy.form),
      state: 'OPEN',
      version: 1,
      policy: everyone(withUndetermined(policy, undetermined), policy, asked.length),
      round: 1,
      votes: [],
      excluded,
      escalated: 0,
      dueAt: timers.find(({ kind }) => kind === 'expire')?.at,
      createdAt: now,
      updatedAt: now,
    };
    const reference = question.joinsCase
      ? task.referenceTaskName
      : `${task.referenceTaskName} of ${task.taskId}`;
    const named = { workflowName: task.workflowType, reference };
    return {
      review,
      asked,
      roster,
      question: questionOf(named, review.outcomes, review.policy),
      timers,
      calendar,
    };
  }

  /** The working calendar by which it counts. */
  private async calendarOf(
    { referenceTaskName }: Task,
    { calendar: named, asked }: HumanQuestion,
  ): Promise<StoredCalendar | undefined> {
    const groups = asked.filter(({ kind }) => kind === 'group').map(({ name }) => name);
    const found = await this.calendars.forQuestion(named, groups);
    if (found !== 'unknown') return found;
    throw new TerminalError(
      `HUMAN task ${referenceTaskName}: input calendar: there is no calendar ${named ?? ''}. Make it by PUT /api/v1/calendars/{name}, then retry.`,
    );
  }

  private timersBy(
    { referenceTaskName }: Task,
    policy: Policy,
    now: number,
    hours: WorkingHours | undefined,
  ): readonly Timer[] {
    try {
      return timersOf(policy, now, hours && workingLater(hours));
    } catch (error) {
      if (!(error instanceof NoWorkingTime)) throw error;
      throw new TerminalError(
        `HUMAN task ${referenceTaskName}: input calendar: ${policy.calendar ?? ''}: ${error.message}`,
        { cause: error },
      );
    }
  }

  /** The form of the template that it names, as it is now: the review keeps it. */
  private async formOf(
    { referenceTaskName }: Task,
    { template: named }: HumanQuestion,
  ): Promise<Pick<Policy, 'form' | 'template'>> {
    if (named === undefined) return {};
    const found = await this.templates.find(named.name, named.version);
    if (found === undefined) {
      const version = named.version === undefined ? '' : ` in version ${named.version}`;
      throw new TerminalError(
        `HUMAN task ${referenceTaskName}: input __humanTaskDefinition.userFormTemplate: there is no template ${named.name}${version}. Save it by POST /api/human/template, then retry.`,
      );
    }
    return { form: found.jsonSchema, template: { name: found.name, version: found.version } };
  }

  private async subjectOf(question: HumanQuestion): Promise<Subject> {
    const found: Subject =
      question.scanId === undefined
        ? { findings: [], findingsTotal: 0, fingerprints: [] }
        : await this.evidence.ofScan(question.scanId);
    const said = { verdict: question.verdict, reason: question.reason, quarantined: question.quarantined };
    return {
      ...found,
      ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
    };
  }
}

/** Where all vote, everybody who is asked when it opens must agree. */
const everyone = (policy: Policy, said: Policy, asked: number): Policy => {
  if (policy.strategy !== 'all') return policy;
  const least = 1 + policy.quorum.approve - said.quorum.approve;
  return { ...policy, quorum: { ...policy.quorum, approve: Math.max(asked, least) } };
};

/** The subject with the one who is best known as its uploader. */
function withUploader(
  subject: Subject,
  principal: string | undefined,
  uploaders: readonly Uploader[],
): Subject {
  if (subject.object === undefined) return subject;
  const best = BEST_KNOWN.map((how) => uploaders.find((one) => one.how === how)).find(
    (one) => one !== undefined,
  );
  const name = best === undefined ? undefined : nameOf(best);
  const uploadedBy = { how: best?.how ?? 'unknown', ...(name !== undefined && { name }) };
  return {
    ...subject,
    object: { ...subject.object, ...(principal !== undefined && { uploader: principal }), uploadedBy },
  };
}

const BEST_KNOWN = ['mapped', 'named', 'service', 'likely', 'unknown'] as const;

const nameOf = (uploader: Uploader): string | undefined =>
  'account' in uploader ? uploader.account.name : 'email' in uploader ? uploader.email : undefined;

/** In-process workers of this stage. */
export const REVIEW_WORKERS: readonly Type<TaskWorker>[] = [HumanWorker];
