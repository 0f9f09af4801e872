import { z } from 'zod';
import type { Task } from '../../engine/model/execution.js';
import type { Roster } from '../people.js';
import type { Review } from '../review.js';
import { partiesOf } from '../rules/eligibility.js';
import type { Party } from '../rules/policy.js';
import { isEnded, type Person } from '../rules/review.js';
import type { FormTemplate } from '../sql/form-templates.js';

/*
 * Reviews as Orkes Conductor's human task API shows them, in its field names. Times are milliseconds. Shown loosely: its
 * clients read what they know.
 */

export const HUMAN_TASK_STATES = [
  'PENDING',
  'ASSIGNED',
  'IN_PROGRESS',
  'COMPLETED',
  'TIMED_OUT',
  'DELETED',
] as const;
export type HumanTaskState = (typeof HUMAN_TASK_STATES)[number];

export const USER_TYPES = ['EXTERNAL_USER', 'EXTERNAL_GROUP', 'CONDUCTOR_USER', 'CONDUCTOR_GROUP'] as const;
export const HumanTaskUser = z.object({ userType: z.enum(USER_TYPES), user: z.string() });
export type HumanTaskUser = z.infer<typeof HumanTaskUser>;

const anyObject = z.record(z.string(), z.unknown());

export const HumanTaskTemplate = z
  .object({
    name: z.string(),
    version: z.number(),
    jsonSchema: anyObject,
    templateUI: anyObject,
    tags: z.array(z.unknown()),
    createTime: z.number(),
    createdBy: z.string(),
    updateTime: z.number(),
    updatedBy: z.string(),
  })
  .meta({ id: 'HumanTaskTemplate' });
export type HumanTaskTemplate = z.infer<typeof HumanTaskTemplate>;

export const HumanTaskEntry = z
  .object({
    taskId: z.string(),
    workflowId: z.string(),
    workflowName: z.string().optional(),
    taskRefName: z.string().optional(),
    definitionName: z.string().optional(),
    displayName: z.string(),
    state: z.enum(HUMAN_TASK_STATES),
    /** Whom it asks now: who it was given to, else the first of those whom it names. */
    assignee: HumanTaskUser.optional(),
    /** Who is at work on it, or decided it. */
    claimant: HumanTaskUser.optional(),
    createdOn: z.number(),
    updatedOn: z.number(),
    input: anyObject,
    /** What the workflow got; before that, what the caller filled in so far. */
    output: anyObject,
    humanTaskDef: anyObject,
  })
  .meta({ id: 'HumanTaskEntry' });
export type HumanTaskEntry = z.infer<typeof HumanTaskEntry>;

export const HumanTaskSearchResult = z
  .object({
    start: z.number(),
    hits: z.number(),
    /** Ends at 10,000: that is so many or more. */
    totalHits: z.number(),
    pageSizeLimit: z.number(),
    results: z.array(HumanTaskEntry),
  })
  .meta({ id: 'HumanTaskSearchResult' });

/** What is shown of a review beside itself. */
export interface EntryParts {
  readonly roster: Roster;
  /** The engine's task; absent when it no longer knows it. */
  readonly task?: Task | undefined;
  readonly draft?: Readonly<Record<string, unknown>> | undefined;
  /** Its form as stored, where it was asked for. */
  readonly template?: FormTemplate | undefined;
  readonly withTemplate?: boolean | undefined;
}

export function entryOf(review: Review, parts: EntryParts): HumanTaskEntry {
  const { task, roster } = parts;
  const [first] = partiesOf(review);
  const given = review.state === 'ASSIGNED' ? review.claim?.by : undefined;
  const assignee = given === undefined ? first && partyUser(first, roster) : personUser(given, roster);
  const claimant = review.decision?.by ?? (review.state === 'ASSIGNED' ? undefined : review.claim?.by);
  const isByPerson = review.decision === undefined || review.decision.via !== 'system';
  return {
    taskId: review.taskId,
    workflowId: review.workflowId,
    workflowName: review.workflowName ?? task?.workflowType,
    taskRefName: review.taskRef ?? task?.referenceTaskName,
    definitionName: review.taskDefName ?? task?.taskDefName,
    displayName: review.title,
    state: stateOf(review),
    assignee,
    claimant: claimant === undefined || !isByPerson ? undefined : personUser(claimant, roster),
    createdOn: review.createdAt,
    updatedOn: review.updatedAt,
    input: { ...task?.inputData },
    output: isEnded(review.state) ? { ...task?.outputData } : { ...parts.draft },
    humanTaskDef: definitionOf(review, parts),
  };
}

export function stateOf({ state, claim, policy, escalated }: Review): HumanTaskState {
  switch (state) {
    case 'COMPLETED':
    case 'SKIPPED':
      return 'COMPLETED';
    case 'EXPIRED':
      return 'TIMED_OUT';
    case 'CANCELLED':
      return 'DELETED';
    case 'ASSIGNED':
      return 'ASSIGNED';
    case 'OPEN':
    case 'CLAIMED':
    case 'ON_HOLD':
    case 'INFO_REQUESTED':
      if (claim !== undefined) return 'IN_PROGRESS';
      return partiesOf({ policy, escalated }).length === 0 ? 'PENDING' : 'ASSIGNED';
    default:
      return state satisfies never;
  }
}

/** As the task's input says it, where it does. */
function definitionOf(
  review: Review,
  { task, roster, template, withTemplate }: EntryParts,
): Record<string, unknown> {
  const { policy } = review;
  const said = anyObject.safeParse(task?.inputData['__humanTaskDefinition']).data;
  return {
    displayName: review.title,
    assignments: policy.to.map((party) => ({ assignee: partyUser(party, roster), slaMinutes: 0 })),
    assignmentCompletionStrategy: policy.onExpire.action === 'FAIL' ? 'TERMINATE' : 'LEAVE_OPEN',
    ...said,
    ...(policy.template === undefined ? {} : { userFormTemplate: policy.template }),
    ...(withTemplate === true && policy.form !== undefined
      ? { fullTemplate: fullTemplate(review, template) }
      : {}),
  };
}

/** The form with which the review asks; its looks from the stored template, where that is still there. */
export function fullTemplate(
  { policy, title, createdAt }: Review,
  stored: FormTemplate | undefined,
): HumanTaskTemplate {
  if (stored !== undefined) return { ...templateView(stored), jsonSchema: { ...policy.form } };
  return {
    name: policy.template?.name ?? title,
    version: policy.template?.version ?? 1,
    jsonSchema: { ...policy.form },
    templateUI: {},
    tags: [],
    createTime: createdAt,
    createdBy: '',
    updateTime: createdAt,
    updatedBy: '',
  };
}

export const templateView = (template: FormTemplate): HumanTaskTemplate => ({
  name: template.name,
  version: template.version,
  jsonSchema: { ...template.jsonSchema },
  templateUI: { ...template.templateUI },
  tags: [...template.tags],
  createTime: template.createdAt,
  createdBy: template.createdBy,
  updateTime: template.updatedAt,
  updatedBy: template.updatedBy,
});

/** People by what they log in with, as definitions name them. */
const personUser = ({ id, name }: Person, roster: Roster): HumanTaskUser => {
  const known = roster.person(id);
  return { userType: 'CONDUCTOR_USER', user: known?.login ?? known?.name ?? name };
};

const partyUser = (party: Party, roster: Roster): HumanTaskUser =>
  party.kind === 'group'
    ? { userType: 'CONDUCTOR_GROUP', user: party.name }
    : personUser({ id: party.id, name: party.name }, roster);
