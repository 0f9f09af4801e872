import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { auditActor, type Principal } from '../../access/principal.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Engine } from '../../engine/ports.js';
import type { Task } from '../../engine/model/execution.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { People, type Roster } from '../people.js';
import { ReviewDesk, seenQueues, speaker } from '../review-desk.js';
import { refuseSize } from '../review-form.js';
import type { Review } from '../review.js';
import { ReviewsService } from '../reviews.service.js';
import { refusalError } from '../refusal-error.js';
import { text } from '../request-fields.js';
import { MAX_REASON_LENGTH, type Refusal } from '../rules/command.js';
import { minuteOf } from '../channels/question.js';
import { eligibility, ineligible } from '../rules/eligibility.js';
import { isShared } from '../rules/policy.js';
import { isEnded, type Reviewer } from '../rules/review.js';
import { findDraft, noteShown, saveDraft, type Draft } from '../sql/drafts.js';
import {
  likeText,
  searchHumanTasks,
  taskByReference,
  waitingTitles,
  type NamedInSearch,
} from '../sql/search-human-tasks.js';
import { FormTemplates } from './form-templates.js';
import { PAGE_SIZE_LIMIT, type HumanTaskSearch } from './human-search.js';
import {
  entryOf,
  fullTemplate,
  type HumanTaskEntry,
  type HumanTaskTemplate,
  type HumanTaskUser,
} from './human-task.view.js';

const DEFAULT_SIZE = 15;
const MAX_TITLES = 1000;

export interface ClaimOptions {
  /** An admin takes it from whom it was given to. */
  readonly overrideAssignment: boolean;
  readonly withTemplate: boolean;
}

/**
 * Orkes Conductor's human tasks over reviews. All of it goes through the desk that the inbox uses, so that permissions, four
 * eyes and quorum are the same.
 *
 * Its clients send no digest of what they were shown: what somebody got or claimed last is kept for them, and that is what
 * they vote on.
 */
@Injectable()
export class HumanTasks {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly engine: Engine,
    private readonly people: People,
    private readonly desk: ReviewDesk,
    private readonly reviews: ReviewsService,
    private readonly templates: FormTemplates,
  ) {}

  /** @throws NotFound; Forbidden for a queue that is none of theirs. */
  async get(taskId: string, principal: Principal, withTemplate: boolean): Promise<HumanTaskEntry> {
    return this.shown(await this.desk.ofTask(taskId, principal), principal, withTemplate);
  }

  /** @throws what claiming a review throws. */
  async claim(taskId: string, principal: Principal, options: ClaimOptions): Promise<HumanTaskEntry> {
    const review = await this.desk.ofTask(taskId, principal);
    const isOthers = review.claim !== undefined && review.claim.by.id !== principal.id;
    if (options.overrideAssignment && isOthers) {
      const to = { id: principal.id, name: principal.name };
      await this.desk.act(review.id, { kind: 'reassign', to }, principal);
    }
    await this.desk.act(review.id, { kind: 'claim' }, principal);
    return this.shown(await this.reviews.get(review.id), principal, options.withTemplate);
  }

  /**
   * Gives it to somebody in the caller's name. A vote is always the caller's own, so the other must decide it themselves:
   * it is theirs to decide, not claimed by them.
   */
  async claimFor(
    taskId: string,
    user: string,
    principal: Principal,
    options: ClaimOptions,
  ): Promise<HumanTaskEntry> {
    const roster = await this.roster();
    const party = roster.party({ kind: 'user', name: user });
    if (party?.kind === 'user' && party.id === principal.id) return this.claim(taskId, principal, options);
    const review = await this.desk.ofTask(taskId, principal);
    if (review.claim !== undefined && party?.kind === 'user' && review.claim.by.id !== party.id)
      if (!options.overrideAssignment) throw heldBy(review);
    await this.desk.act(review.id, { kind: 'reassign', to: personIn(party, 'userId') }, principal);
    return this.shown(await this.reviews.get(review.id), principal, options.withTemplate);
  }

  async release(taskId: string, principal: Principal): Promise<void> {
    const { id } = await this.desk.ofTask(taskId, principal);
    await this.desk.act(id, { kind: 'release' }, principal);
  }

  /** Gives it to the one person that is named. @throws InvalidInput for a group, or several. */
  async reassign(
    taskId: string,
    to: readonly { readonly assignee: HumanTaskUser }[],
    principal: Principal,
  ): Promise<void> {
    const { id } = await this.desk.ofTask(taskId, principal);
    const [first] = to;
    if (first === undefined || to.length > 1 || first.assignee.userType.endsWith('GROUP'))
      throw InvalidInput.field(
        'assignee',
        'must be one person: which groups are asked, and who after them, stands in the definition',
      );
    const roster = await this.roster();
    const party = roster.party({ kind: 'user', name: first.assignee.user });
    await this.desk.act(id, { kind: 'reassign', to: personIn(party, 'assignee.user') }, principal);
  }

  /** Passes it on to those whom its escalation asks next. @throws Conflict where nobody comes next. */
  async skip(taskId: string, reason: string, principal: Principal): Promise<void> {
    const review = await this.desk.ofTask(taskId, principal);
    const step = review.escalated;
    if (!isEnded(review.state) && review.policy.escalation[step] === undefined)
      throw new Conflict(
        `Nobody is asked after this. To go on without an answer: POST /api/v1/reviews/${review.id}/skip.`,
      );
    await this.desk.act(review.id, { kind: 'escalate', step, reason }, principal);
  }

  /** Keeps what was filled in so far, with what was kept before. @throws Conflict once it has ended. */
  async save(taskId: string, output: Readonly<Record<string, unknown>>, principal: Principal): Promise<void> {
    const review = await this.desk.ofTask(taskId, principal);
    const at = Math.round(this.clock.now());
    const no = notTheirs(review, await this.people.acting(speaker(principal), at));
    if (no !== undefined) throw refusalError(no);
    const before = await findDraft(this.db, review.id, principal.id);
    const merged = { ...before?.output, ...output };
    refuseSize(merged);
    await this.db.transaction(async (tx) => {
      if (!(await saveDraft(tx, review.id, principal.id, merged, at)))
        throw new Conflict('This task has ended meanwhile; nothing was saved.');
      await appendAudit(tx, [
        {
          at,
          actor: auditActor(principal),
          action: 'review.drafted',
          subject: `review:${review.id}`,
          // What is in a draft is nobody's word yet.
          data: { fields: Object.keys(output).length },
        },
      ]);
    });
  }

  /**
   * Votes: with `outcome` of the output where the question offers several, else with its only one. What else is in the
   * output is the form.
   *
   * @throws what deciding a review throws; Conflict when the caller was shown another round, or never looked.
   */
  async complete(
    taskId: string,
    given: Readonly<Record<string, unknown>>,
    principal: Principal,
  ): Promise<void> {
    const review = await this.desk.ofTask(taskId, principal);
    const draft = await findDraft(this.db, review.id, principal.id);
    const answer = answerOf(review, { ...draft?.output, ...given });
    const digest = isEnded(review.state) ? undefined : shownTo(review, draft);
    await this.desk.act(review.id, { kind: 'decide', ...answer, digest }, principal);
  }

  /** The id of a task by its reference. @throws NotFound */
  async byReference(workflowId: string, reference: string, iteration: number | undefined): Promise<string> {
    const taskId = await taskByReference(this.db, workflowId, reference, iteration);
    if (taskId === undefined)
      throw new NotFound(`No human task ${reference} in workflow ${workflowId}. Check both names.`);
    return taskId;
  }

  async search(
    query: HumanTaskSearch,
    principal: Principal,
  ): Promise<{
    start: number;
    hits: number;
    totalHits: number;
    pageSizeLimit: number;
    results: HumanTaskEntry[];
  }> {
    const roster = await this.roster();
    const me = roster.person(principal.id);
    const { reviews, total } = await searchHumanTasks(this.db, {
      states: some(query.states),
      queues: seenQueues(principal),
      inboxOf:
        query.searchType === 'INBOX' ? { personId: principal.id, groups: me?.groups ?? [] } : undefined,
      assignees: namedIn(some(query.assignees), roster),
      claimants: namedIn(some(query.claimants), roster),
      definitionNames: some(query.definitionNames),
      displayNames: some(query.displayNames),
      taskRefNames: some(query.taskRefNames),
      workflowIds: some(query.workflowIds),
      workflowNames: some(query.workflowNames),
      text: (query.fullTextQuery ?? '').trim() === '' ? undefined : (query.fullTextQuery ?? '').trim(),
      updatedFrom: query.updateStartTime ?? undefined,
      updatedUntil: query.updateEndTime ?? undefined,
      start: query.start ?? 0,
      size: query.size ?? DEFAULT_SIZE,
    });
    const results: HumanTaskEntry[] = [];
    for (const review of reviews) {
      const draft = await findDraft(this.db, review.id, principal.id);
      results.push(entryOf(review, { roster, task: await this.taskOf(review), draft: draft?.output }));
    }
    const start = query.start ?? 0;
    return { start, hits: results.length, totalHits: total, pageSizeLimit: PAGE_SIZE_LIMIT, results };
  }

  displayNames(principal: Principal): Promise<string[]> {
    return waitingTitles(this.db, seenQueues(principal), MAX_TITLES);
  }

  /** @throws NotFound for a task without a form. */
  async templateOf(taskId: string, principal: Principal): Promise<HumanTaskTemplate> {
    const review = await this.desk.ofTask(taskId, principal);
    if (review.policy.form === undefined) throw new NotFound(`The task ${taskId} has no form.`);
    return fullTemplate(review, await this.storedTemplate(review));
  }

  /** Closes what waits for a task that ended without it. @throws Conflict where the workflow still waits. */
  async removeEnded(taskId: string, principal: Principal): Promise<void> {
    const { id, state } = await this.desk.ofTask(taskId, principal);
    if (isEnded(state) || (await this.reviews.cancelIfTaskEnded(id, taskId))) return;
    throw new Conflict(`The workflow of task ${taskId} still waits for it. Terminate the workflow instead.`);
  }

  private async shown(review: Review, principal: Principal, withTemplate: boolean): Promise<HumanTaskEntry> {
    const at = Math.round(this.clock.now());
    await noteShown(this.db, review.id, principal.id, review.subjectDigest, at);
    const draft = await findDraft(this.db, review.id, principal.id);
    return entryOf(review, {
      roster: await this.roster(),
      task: await this.taskOf(review),
      draft: draft?.output,
      withTemplate,
      template: withTemplate ? await this.storedTemplate(review) : undefined,
    });
  }

  private async storedTemplate({ policy: { template } }: Review) {
    return template && this.templates.find(template.name, template.version);
  }

  private async taskOf({ taskId }: Review): Promise<Task | undefined> {
    try {
      return await this.engine.getTask(taskId);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  private roster(): Promise<Roster> {
    return this.people.at(Math.round(this.clock.now()));
  }
}

/** What a filter names; nothing where it is empty, as Orkes' clients send it. */
const some = <T>(list: readonly T[] | null | undefined): readonly T[] | undefined =>
  list == null || list.length === 0 ? undefined : list;

/** `*` in a name stands for anything. */
function namedIn(users: readonly HumanTaskUser[] | undefined, roster: Roster): NamedInSearch | undefined {
  if (users === undefined) return undefined;
  const personIds: string[] = [];
  const groupPatterns: string[] = [];
  for (const { userType, user } of users) {
    const like = user.split('*').map(likeText).join('%');
    if (userType.endsWith('GROUP')) groupPatterns.push(`group:${like}`);
    else if (user.includes('*')) {
      for (const { personId, login, name, email } of roster.people)
        if ([login ?? name, email].some((one) => one !== undefined && fits(one, user)))
          personIds.push(personId);
    } else {
      const party = roster.party({ kind: 'user', name: user });
      // Nobody of this name: finds what names nobody else either.
      personIds.push(party?.kind === 'user' ? party.id : `unknown:${user}`);
    }
  }
  return { personIds, groupPatterns };
}

/** Whether a name is as a pattern says, in whatever case. */
function fits(name: string, pattern: string): boolean {
  const [head = '', ...others] = pattern.toLowerCase().split('*');
  const tail = others.pop() ?? '';
  let rest = name.toLowerCase();
  if (!rest.startsWith(head) || rest.length < head.length + tail.length || !rest.endsWith(tail)) return false;
  rest = rest.slice(head.length, rest.length - tail.length);
  for (const part of others) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  return true;
}

function personIn(party: ReturnType<Roster['party']>, field: string): { id: string; name: string } {
  if (party?.kind === 'user') return { id: party.id, name: party.name };
  throw InvalidInput.field(field, 'is not somebody who may decide: name them by login, address or id');
}

/**
 * What the caller was shown. Of a question about an object that may be scanned again, whoever never looked must look first;
 * any other cannot change.
 */
function shownTo(review: Review, draft: Draft | undefined): string {
  if (draft?.digest !== undefined) return draft.digest;
  if (review.scanId === undefined) return review.subjectDigest;
  throw new Conflict(
    'This task asks about an object that may be scanned again, and you were not shown it yet. Get or claim it first, then complete it.',
    { digest: review.subjectDigest },
  );
}

/** Why somebody has nothing to fill in here: as for a vote. */
function notTheirs(review: Review, who: Reviewer): Refusal | undefined {
  const { claim, decision, cancelled, state, policy } = review;
  if (decision !== undefined)
    return { why: 'decided', winner: decision.by, at: decision.at, outcome: decision.outcome, state };
  if (cancelled !== undefined) return { why: 'cancelled', ...cancelled };
  const judged = eligibility(review, who);
  if (!judged.may) return ineligible(judged, who);
  if (claim === undefined || claim.by.id === who.id || claim.by.id === judged.onBehalfOf?.id)
    return undefined;
  return who.isAdmin || isShared(policy)
    ? undefined
    : { why: 'claimed', winner: claim.by, at: claim.at, state };
}

interface Answer {
  readonly outcome: string;
  readonly reason: string;
  readonly form: Readonly<Record<string, unknown>> | undefined;
}

/** Tells outcome and reason from the fields of the form. @throws InvalidInput naming the outcomes. */
function answerOf({ outcomes, policy }: Review, output: Readonly<Record<string, unknown>>): Answer {
  const properties = policy.form?.['properties'];
  const isField = (name: string): boolean =>
    policy.form === undefined
      ? policy.asOrkes === true
      : typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
  const said = output['outcome'];
  const named = typeof said === 'string' && outcomes.includes(said) ? said : undefined;
  const [only] = outcomes;
  const outcome = named ?? (outcomes.length === 1 ? only : undefined);
  if (outcome === undefined)
    throw InvalidInput.field(
      'outcome',
      `must be one of ${outcomes.join(', ')}: this task asks for a decision`,
    );
  const reason = typeof output['reason'] === 'string' ? output['reason'] : '';
  const fault = text(MAX_REASON_LENGTH).safeParse(reason).error?.issues[0]?.message;
  if (fault !== undefined) throw InvalidInput.field('reason', fault);
  const left = Object.entries(output).filter(
    ([name]) =>
      !(name === 'outcome' && named !== undefined && !isField(name)) &&
      !(name === 'reason' && typeof output['reason'] === 'string' && !isField(name)),
  );
  return {
    outcome,
    reason,
    form: left.length === 0 ? undefined : Object.fromEntries(left),
  };
}

const heldBy = ({ claim }: Review): Conflict =>
  new Conflict(
    `${claim?.by.name ?? 'Somebody'} has this task since ${minuteOf(claim?.at ?? 0)}. Give it back first (release), or say overrideAssignment=true.`,
    { winner: claim?.by, at: new Date(claim?.at ?? 0).toISOString() },
  );
