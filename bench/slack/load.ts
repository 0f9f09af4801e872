import { setTimeout as pause } from 'node:timers/promises';
import type { FakeUser } from '../../test/support/slack/fake-slack.js';
import type { Options } from './options.js';
import type { Question } from './questions.js';
import type { Rig } from './rig.js';

/** What is done about each question, one after the other. */
export const STEPS = ['claim', 'open the form', 'send it empty', 'send it'] as const;

const STEP_SECONDS = 4;

type Json = Record<string, unknown>;

interface Interaction {
  readonly question: Question;
  readonly user: FakeUser;
  readonly step: number;
  readonly dueAt: number;
  readonly isMeasured: boolean;
}

/** How long Slack waited, from the moment at which each interaction was due. */
export interface Load {
  readonly ackMs: readonly number[];
  /** The same of what decides: a whole transaction before the acknowledgement. */
  readonly decisionMs: readonly number[];
  /** From the click to the form, which Slack lets be opened for three seconds. */
  readonly formMs: readonly number[];
  readonly failures: readonly string[];
  /** Questions that were sent an answer. */
  readonly answered: readonly string[];
}

/**
 * As many interactions a second as it should be, whether or not the last ones were acknowledged: what comes late is
 * counted from when it was due.
 */
export async function interactions(
  { slack, people }: Rig,
  questions: readonly Question[],
  { rate, seconds }: Pick<Options, 'rate' | 'seconds'>,
): Promise<Load> {
  const ackMs: number[] = [];
  const decisionMs: number[] = [];
  const formMs: number[] = [];
  const failures: string[] = [];
  const clicked = new Map<string, number>();
  const memories = new Map<string, string>();
  slack.onCall = ({ method, args }) => {
    if (method !== 'views.open') return;
    const { private_metadata: memory = '' } = JSON.parse(args['view'] ?? '{}') as {
      private_metadata?: string;
    };
    const id = reviewIn(memory);
    const at = clicked.get(id);
    if (at === undefined || memories.has(id)) return;
    memories.set(id, memory);
    formMs.push(performance.now() - at);
  };
  const one = async ({ question, user, step, dueAt, isMeasured }: Interaction): Promise<void> => {
    const name = STEPS[step] ?? '';
    try {
      if (step === 1) clicked.set(question.id, dueAt);
      const payload =
        step < 2
          ? click(slack, user, question, step)
          : submission(slack, user, memories.get(question.id), step);
      const ack = await slack.deliver(payload);
      const waitedMs = performance.now() - dueAt;
      if (isMeasured) ackMs.push(waitedMs);
      if (isMeasured && step === 3) decisionMs.push(waitedMs);
      const wanted = step === 2 ? 'errors' : undefined;
      if (ack['response_action'] !== wanted) failures.push(`${name}: ${JSON.stringify(ack).slice(0, 300)}`);
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message.slice(0, 300)}`);
    }
  };
  const began = performance.now() + 200;
  const ramp = rampOf(rate);
  const sent: Promise<void>[] = [];
  for (let slot = 0; slot < rate * seconds + 2 * ramp; slot++) {
    const dueAt = began + (slot * 1000) / rate;
    if (dueAt > performance.now()) await pause(dueAt - performance.now());
    const { question: index, step } = placeOf(slot, rate);
    const question = questions[index];
    const user = people[index % people.length];
    const isMeasured = slot >= ramp && slot < rate * seconds + ramp;
    if (question !== undefined && user !== undefined)
      sent.push(one({ question, user, step, dueAt, isMeasured }));
  }
  await Promise.all(sent);
  slack.onCall = () => undefined;
  return { ackMs, decisionMs, formMs, failures, answered: questions.map(({ id }) => id) };
}

/**
 * What happens in a slot: each kind of step has every fourth one, and each question its next step four seconds later, as
 * long as a form may take to open. Until the first questions have come to their last step some slots are empty.
 */
export function placeOf(slot: number, rate: number): { question: number; step: number } {
  const step = slot % STEPS.length;
  return { question: Math.floor(slot / STEPS.length) - step * lagOf(rate), step };
}

/** Questions that begin until one that has begun comes to its next step. */
const lagOf = (rate: number): number => Math.ceil((rate * STEP_SECONDS) / STEPS.length);

/** Slots before every kind of step is under way; as many again are needed after the last question has begun. */
const rampOf = (rate: number): number => lagOf(rate) * (STEPS.length - 1) * STEPS.length;

/** How many questions are begun, and all of them answered by the end. */
export const questionsFor = ({ rate, seconds }: Pick<Options, 'rate' | 'seconds'>): number =>
  Math.ceil((rate * seconds + rampOf(rate)) / STEPS.length);

const who = ({ teamId, workspace }: Rig['slack'], user: FakeUser): Json => ({
  team: { id: teamId },
  user: { id: user.id, username: user.name, name: user.name, team_id: teamId },
  api_app_id: workspace.appId,
  trigger_id: workspace.triggers.issue(user.id),
});

const click = (slack: Rig['slack'], user: FakeUser, question: Question, step: number): Json => ({
  type: 'block_actions',
  ...who(slack, user),
  container: { type: 'message', channel_id: slack.channel, message_ts: '1.1' },
  channel: { id: slack.channel, name: 'reviews' },
  actions: [
    {
      type: 'button',
      action_id: step === 0 ? 'review.claim' : 'review.decide:release',
      block_id: `review:${question.id}`,
      value: `${question.id}.${question.subjectDigest}`,
    },
  ],
});

function submission(slack: Rig['slack'], user: FakeUser, memory: string | undefined, step: number): Json {
  if (memory === undefined) throw new Error('the form was not opened');
  const value = step === 2 ? ' ' : 'as expected';
  return {
    type: 'view_submission',
    ...who(slack, user),
    view: {
      id: 'V0BENCH',
      type: 'modal',
      callback_id: 'review.decide',
      private_metadata: memory,
      state: { values: { reason: { text: { type: 'plain_text_input', value } } } },
    },
  };
}

function reviewIn(memory: string): string {
  try {
    return (JSON.parse(memory) as { reviewId?: string }).reviewId ?? '';
  } catch {
    // Another window than the form.
    return '';
  }
}
