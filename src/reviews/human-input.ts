import { z } from 'zod';
import { outcomeFacts } from './rules/outcome.js';
import {
  EXPIRED_OUTCOME,
  EXPIRY_ACTIONS,
  PLAIN_POLICY,
  STRATEGIES,
  type EscalationStep,
  type Party,
  type Policy,
} from './rules/policy.js';

/*
 * The input of a HUMAN task: what is asked, of whom, and until when. What a definition leaves unresolved arrives as
 * null. Orkes' `__humanTaskDefinition` is taken beside it; where both say something, ours counts.
 */

const MINUTE = 60_000;
const UNITS = { m: MINUTE, h: 60 * MINUTE, d: 1440 * MINUTE, w: 7 * 1440 * MINUTE } as const;
const MAX_MS = 3650 * UNITS.d;

interface Duration {
  readonly count: number;
  readonly unit: keyof typeof UNITS;
}

/** What a day and a week stand for in milliseconds: less than the whole of them where working time is counted. */
interface Lengths {
  readonly d: number;
  readonly w: number;
}

const lengthOf = ({ count, unit }: Duration, lengths: Lengths): number =>
  Math.round(count * { ...UNITS, ...lengths }[unit]);

/** `30m`, `4h`, `3d`, `2w`; a number counts minutes, as Orkes' slaMinutes does. */
const duration = z.union([z.string(), z.number()]).transform((value, context): Duration => {
  const [, digits = '', letter = 'm'] = /^(\d{1,6})([mhdw])$/.exec(String(value)) ?? [];
  const unit = letter as Duration['unit'];
  const count = typeof value === 'number' ? value : Number(digits);
  const ms = lengthOf({ count, unit }, UNITS);
  if ((digits !== '' || typeof value === 'number') && ms >= MINUTE && ms <= MAX_MS) return { count, unit };
  context.addIssue({
    code: 'custom',
    message: 'must be a time such as 30m, 4h, 3d or 2w: at least a minute, at most ten years',
  });
  return z.NEVER;
});

const outcomeName = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[A-Za-z0-9_-]+$/, 'may hold letters, digits, _ and -');

const partyName = z.string().trim().min(1).max(200);
/** A person or group by name, before it is looked up. */
const named = z
  .union([
    z.strictObject({ user: partyName }),
    z.strictObject({ group: partyName }),
    z.string().regex(/^(user|group):.+$/, 'must be user:NAME or group:NAME'),
  ])
  .transform((value): NamedParty => {
    if (typeof value !== 'string')
      return 'user' in value ? { kind: 'user', name: value.user } : { kind: 'group', name: value.group };
    const at = value.indexOf(':');
    return { kind: value.slice(0, at) as NamedParty['kind'], name: value.slice(at + 1).trim() };
  });
const parties = z.array(named).max(50);

export interface NamedParty {
  readonly kind: 'user' | 'group';
  readonly name: string;
}

const optionalText = z.string().max(4000).nullish();

const webhookName = z.string().trim().min(1).max(100);
const webhooks = z.union([webhookName.transform((name) => [name]), z.array(webhookName).max(20)]);

/** What a review queue may be called: it is there once a review is put into it. */
export const queueName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'may hold letters, digits, _ . and -, 100 at most');

const Ours = z.object({
  title: optionalText,
  scanId: z.string().min(1).max(100).nullish(),
  verdict: optionalText,
  reason: optionalText,
  quarantine: z.object({ moved: z.boolean().nullish() }).nullish(),
  outcomes: z
    .array(outcomeName)
    .min(1)
    .max(5)
    .refine((names) => new Set(names).size === names.length, 'names an outcome twice')
    .nullish(),
  queue: queueName.nullish(),
  assign: z.object({ to: parties.nullish(), strategy: z.enum(STRATEGIES).nullish() }).nullish(),
  quorum: z
    .object({
      approve: z.number().int().min(1).max(50).nullish(),
      reject: z.number().int().min(1).max(50).nullish(),
      distinctGroups: z.boolean().nullish(),
    })
    .nullish(),
  /** Who asked for it, and who uploaded the object: an account's name, address or id. */
  requester: optionalText,
  uploader: optionalText,
  fourEyes: z.array(z.enum(['requester', 'uploader', 'definitionEditor', 'assigner'])).nullish(),
  rejecting: z.array(outcomeName).max(5).nullish(),
  deadline: duration.nullish(),
  reminders: z.array(duration).max(50).nullish(),
  escalation: z
    .array(
      z.object({
        after: duration,
        to: parties.min(1, 'must name whom to ask'),
        action: z.enum(['add', 'replace']).default('add'),
        loops: z.number().int().min(1).max(100).default(1),
        every: duration.optional(),
      }),
    )
    .max(20)
    .nullish(),
  onExpire: z
    .union([
      z.enum(EXPIRY_ACTIONS).transform((action) => ({ action, outcome: undefined })),
      z.object({ action: z.enum(EXPIRY_ACTIONS), outcome: outcomeName.optional() }),
    ])
    .nullish(),
  /** A working calendar by its name, in place of the one of the groups that are asked. */
  calendar: z.string().trim().max(100).nullish(),
  claimTimeout: duration.nullish(),
  holdStopsClock: z.boolean().nullish(),
  /** False: it joins no case, because its title says what others of its kind do not ask. */
  joinsCase: z.boolean().nullish(),
  /** Subscriptions, by name, that hear of it whatever queues they asked for. */
  notify: z.object({ webhook: webhooks.nullish() }).nullish(),
  form: z.record(z.string(), z.unknown()).nullish(),
});

const orkesUser = z.object({
  userType: z.enum(['EXTERNAL_USER', 'EXTERNAL_GROUP', 'CONDUCTOR_USER', 'CONDUCTOR_GROUP']),
  user: partyName,
});

/** Orkes Conductor's words for the same; what it has and we do not (triggers) is left alone. */
const Orkes = z.object({
  displayName: optionalText,
  /** As the JavaScript SDK writes a single one. */
  assignee: orkesUser.nullish(),
  /** Version 0, or none: the newest. */
  userFormTemplate: z
    .object({ name: z.string().max(200).nullish(), version: z.number().int().min(0).nullish() })
    .nullish(),
  assignmentCompletionStrategy: z.enum(['LEAVE_OPEN', 'TERMINATE']).nullish(),
  assignments: z
    .array(
      z.object({
        assignee: orkesUser,
        slaMinutes: z.number().int().min(0).max(5_256_000).nullish(),
      }),
    )
    .max(20)
    .nullish(),
});

const HumanInput = Ours.extend({ __humanTaskDefinition: Orkes.nullish() });

/** A question as its task asks it; people and groups are still names. */
export interface HumanQuestion {
  readonly title: string;
  readonly scanId: string | undefined;
  readonly verdict: string | undefined;
  readonly reason: string | undefined;
  readonly quarantined: boolean | undefined;
  readonly outcomes: readonly string[];
  readonly requester: string | undefined;
  readonly joinsCase: boolean;
  readonly uploader: string | undefined;
  /**
   * Resolves the names by `find`, which answers nothing for one that it does not know. @param lengths of a day and a week
   * of working time, where there is a calendar.
   */
  policy(find: (named: NamedParty) => Party | undefined, lengths?: Lengths): Policy;
  /** The working calendar that it names. */
  readonly calendar: string | undefined;
  /** Whom it asks first. */
  readonly asked: readonly NamedParty[];
  /** Everyone whom it names. */
  readonly named: readonly NamedParty[];
  /** The stored template that is its form; the newest version where none is named. */
  readonly template: { readonly name: string; readonly version: number | undefined } | undefined;
}

const DEFAULT_OUTCOMES = ['approve', 'reject'];
// Orkes knows no outcomes: a task of its words is completed, which approves nothing.
const ORKES_OUTCOMES = ['complete'];

/** Reads a HUMAN task's input. @returns what is wrong with it, naming the field, or the question. */
export function readHumanInput(input: unknown): { fault: string } | { question: HumanQuestion } {
  const parsed = HumanInput.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { fault: `input ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
  }
  const given = parsed.data;
  const definition = given.__humanTaskDefinition ?? undefined;
  const orkes = fromOrkes(definition);
  const outcomes = given.outcomes ?? (definition === undefined ? DEFAULT_OUTCOMES : ORKES_OUTCOMES);
  const to = given.assign?.to ?? orkes.to;
  const escalationIn = (lengths: Lengths): OrkesParts['escalation'] =>
    given.escalation?.map(({ after, every, ...step }) => ({
      ...step,
      afterMs: lengthOf(after, lengths),
      everyMs: lengthOf(every ?? after, lengths),
    })) ?? orkes.escalation;
  const onExpire = given.onExpire ?? orkes.onExpire;
  const fault = faultOf(outcomes, given.rejecting ?? undefined, onExpire);
  if (fault !== undefined) return { fault };
  const rejecting = given.rejecting ?? refusing(outcomes);
  const action = onExpire?.action ?? 'REJECT';
  const granting = outcomes.find((name) => !rejecting.includes(name));
  return {
    question: {
      title: given.title ?? definition?.displayName ?? 'A decision is needed',
      scanId: given.scanId ?? undefined,
      verdict: given.verdict ?? undefined,
      reason: given.reason ?? undefined,
      quarantined: given.quarantine?.moved ?? undefined,
      outcomes,
      requester: given.requester ?? undefined,
      joinsCase: given.joinsCase ?? true,
      uploader: given.uploader ?? undefined,
      named: [...to, ...escalationIn(UNITS).flatMap((step) => step.to)],
      asked: to,
      calendar: given.calendar == null || given.calendar === '' ? undefined : given.calendar,
      template: given.form == null ? orkes.template : undefined,
      policy: (find, lengths = UNITS) => {
        const found = (list: readonly NamedParty[]): Party[] =>
          // A name that nobody has any more stays, so that nobody else is asked in its place.
          list.map((party) => find(party) ?? unknownParty(party));
        return {
          ...PLAIN_POLICY,
          queue: given.queue ?? PLAIN_POLICY.queue,
          to: found(to),
          strategy: given.assign?.strategy ?? 'pool',
          quorum: {
            approve: given.quorum?.approve ?? 1,
            reject: given.quorum?.reject ?? 1,
            distinctGroups: given.quorum?.distinctGroups ?? false,
          },
          fourEyes: given.fourEyes ?? [],
          rejecting,
          deadlineMs: given.deadline == null ? orkes.deadlineMs : lengthOf(given.deadline, lengths),
          remindersMs: (given.reminders ?? []).map((after) => lengthOf(after, lengths)),
          escalation: escalationIn(lengths).map((step): EscalationStep => ({ ...step, to: found(step.to) })),
          onExpire: {
            action,
            outcome: onExpire?.outcome ?? (action === 'APPROVE' ? (granting ?? '') : EXPIRED_OUTCOME),
          },
          claimTimeoutMs: given.claimTimeout == null ? undefined : lengthOf(given.claimTimeout, UNITS),
          holdStopsClock: given.holdStopsClock ?? false,
          webhooks: given.notify?.webhook ?? undefined,
          form: given.form ?? undefined,
          ...(definition === undefined ? {} : { asOrkes: true }),
        };
      },
    },
  };
}

const refusing = (outcomes: readonly string[]): string[] =>
  outcomes.filter((name) => outcomeFacts(name).refuses);

/** A name without an account or group behind it: nobody is it. */
const unknownParty = ({ kind, name }: NamedParty): Party =>
  kind === 'user' ? { kind, id: `unknown:${name}`, name } : { kind, name };

interface OrkesParts {
  readonly to: readonly NamedParty[];
  readonly escalation: readonly (Omit<EscalationStep, 'to'> & { readonly to: readonly NamedParty[] })[];
  readonly deadlineMs: number | undefined;
  readonly onExpire: z.infer<typeof Ours>['onExpire'];
  readonly template: HumanQuestion['template'];
}

/** Orkes asks one assignee after the other, each for slaMinutes; then it leaves the task open or ends it. */
function fromOrkes(orkes: z.infer<typeof Orkes> | undefined): OrkesParts {
  const only = orkes?.assignee ?? undefined;
  const assignments = orkes?.assignments ?? (only === undefined ? [] : [{ assignee: only, slaMinutes: 0 }]);
  const [first, ...others] = assignments.map(({ assignee, slaMinutes }) => ({
    party: {
      kind: assignee.userType.endsWith('GROUP') ? ('group' as const) : ('user' as const),
      name: assignee.user,
    },
    ms: (slaMinutes ?? 0) * MINUTE,
  }));
  let afterMs = first?.ms ?? 0;
  const escalation: OrkesParts['escalation'][number][] = [];
  for (const { party, ms } of others) {
    // Without a time for the one before, the next is never asked.
    if (afterMs === 0) break;
    escalation.push({ afterMs, to: [party], action: 'replace', loops: 1, everyMs: 0 });
    afterMs = ms === 0 ? 0 : afterMs + ms;
  }
  const ends = orkes?.assignmentCompletionStrategy === 'TERMINATE' && afterMs > 0;
  return {
    to: first === undefined ? [] : [first.party],
    escalation,
    deadlineMs: ends ? afterMs : undefined,
    onExpire: ends ? { action: 'FAIL', outcome: undefined } : undefined,
    template: templateOf(orkes?.userFormTemplate ?? undefined),
  };
}

function templateOf(
  form:
    { readonly name?: string | null | undefined; readonly version?: number | null | undefined } | undefined,
): HumanQuestion['template'] {
  const name = form?.name?.trim() ?? '';
  if (name === '') return undefined;
  const version = form?.version ?? 0;
  return { name, version: version === 0 ? undefined : version };
}

function faultOf(
  outcomes: readonly string[],
  rejecting: readonly string[] | undefined,
  onExpire: z.infer<typeof Ours>['onExpire'],
): string | undefined {
  const strange = rejecting?.find((name) => !outcomes.includes(name));
  if (strange !== undefined) return `input rejecting: ${strange} is none of the outcomes`;
  const wanted = onExpire?.outcome;
  if (wanted === undefined) return undefined;
  if (onExpire?.action === 'APPROVE' && !outcomes.includes(wanted))
    return `input onExpire.outcome: ${wanted} is none of the outcomes`;
  // An approval by the clock must say so in its word.
  const grants = outcomes.includes(wanted) && !(rejecting ?? refusing(outcomes)).includes(wanted);
  if (onExpire?.action !== 'APPROVE' && grants)
    return `input onExpire.outcome: ${wanted} grants what is asked for; that takes the action APPROVE`;
  return undefined;
}
