import type { ActionsBlock, Button, KnownBlock } from '@slack/types';
import type { Review } from '../../review.js';
import { outcomeFacts } from '../../rules/outcome.js';
import { isEnded } from '../../rules/review.js';
import { questionOf, type Question } from '../question.js';
import { button, moment, section } from './block-kit.js';
import { bounded, codeSpan, proseSpan } from './slack-text.js';

const FINDINGS_IN_MESSAGE = 5;

/** action_id of the buttons; what follows the colon is the outcome. */
export const DECIDE_ACTION = 'review.decide:';
export const CLAIM_ACTION = 'review.claim';
export const OPEN_ACTION = 'review.open';

/** What a button means in Slack's words: the first of two outcomes is Approve, the other Reject. */
export const slackLabel = (review: Pick<Review, 'outcomes'>, outcome: string): string =>
  review.outcomes.length === 2
    ? review.outcomes[0] === outcome
      ? 'Approve'
      : 'Reject'
    : bounded(outcomeFacts(outcome).label, 75);

/** A review as one message: evidence and buttons while it waits, how it ended afterwards. */
export function reviewMessage(
  review: Review,
  inboxUrl: string,
  dryRun: boolean,
): { text: string; blocks: KnownBlock[] } {
  const question = questionOf(review, FINDINGS_IN_MESSAGE, dryRun);
  const blocks: KnownBlock[] = [
    { type: 'header', text: { type: 'plain_text', text: bounded(question.headline, 150), emoji: false } },
    section(
      question.facts.map(
        ({ label, value, literal }) => `*${label}* ${literal ? codeSpan(value, 320) : proseSpan(value, 200)}`,
      ),
    ),
  ];
  if (question.findings.length > 0) {
    const lines = question.findings.map((finding) => {
      const excerpt = finding.excerpt === '' ? '' : `\n      ${codeSpan(finding.excerpt, 140)}`;
      return `•  *${finding.severity}* ${proseSpan(finding.title, 140)} in ${codeSpan(finding.where, 200)}${excerpt}`;
    });
    if (question.more > 0) lines.push(`and ${question.more} more`);
    blocks.push(section(['*What was found*', ...lines]));
  }
  blocks.push(...ending(review, question, inboxUrl));
  const state = review.decision === undefined ? 'a decision is needed' : standing(review);
  return { text: `${bounded(question.headline, 150)}: ${proseSpan(question.name, 300)} – ${state}`, blocks };
}

function ending(review: Review, question: Question, inboxUrl: string): KnownBlock[] {
  if (isEnded(review.state))
    return [section([`*${standing(review)}*`, ...reasonLines(review)]), openOnly(review, inboxUrl)];
  const effects = question.outcomes.map(
    ({ name, effect }) => `*${slackLabel(review, name)}*: ${proseSpan(effect, 300)}`,
  );
  const blocks: KnownBlock[] = [
    { type: 'context', elements: [{ type: 'mrkdwn', text: effects.join('\n').slice(0, 2000) }] },
  ];
  if (review.claim !== undefined)
    blocks.push(
      section([
        `${review.state === 'ASSIGNED' ? 'Given to' : 'Taken by'} *${proseSpan(review.claim.by.name, 100)}* ${moment(review.claim.at)}`,
      ]),
    );
  const buttons: Button[] = review.outcomes.map((outcome) => ({
    ...button(DECIDE_ACTION + outcome, slackLabel(review, outcome), valueOf(review)),
    ...style(outcome, review),
  }));
  if (review.claim === undefined) buttons.push(button(CLAIM_ACTION, 'Take it', valueOf(review)));
  buttons.push({ ...button(OPEN_ACTION, 'Open', valueOf(review)), url: inboxUrl });
  const actions: ActionsBlock = { type: 'actions', block_id: `review:${review.id}`, elements: buttons };
  return [...blocks, actions];
}

const openOnly = (review: Review, inboxUrl: string): ActionsBlock => ({
  type: 'actions',
  block_id: `review:${review.id}`,
  elements: [{ ...button(OPEN_ACTION, 'Open', valueOf(review)), url: inboxUrl }],
});

function standing(review: Review): string {
  const { decision, cancelled } = review;
  if (decision !== undefined) {
    const label = outcomeFacts(decision.outcome).label;
    return `${proseSpan(label, 75)}: decided by ${proseSpan(decision.by.name, 100)} ${moment(decision.at)}`;
  }
  return `Nothing left to decide: ${proseSpan(cancelled?.reason ?? 'the workflow ended', 300)}`;
}

const reasonLines = ({ decision }: Review): string[] =>
  decision === undefined || decision.reason === '' ? [] : [`Reason: ${proseSpan(decision.reason, 1500)}`];

const style = (outcome: string, review: Review): { style?: 'primary' | 'danger' } => {
  const { tone } = outcomeFacts(outcome);
  if (tone === 'danger') return { style: 'danger' };
  return tone === 'primary' || review.outcomes[0] === outcome ? { style: 'primary' } : {};
};

/** What a button carries: which review, and the digest of what was shown beside it. */
export const valueOf = (review: Pick<Review, 'id' | 'subjectDigest'>): string =>
  `${review.id}.${review.subjectDigest}`;

/** Reads {@link valueOf} back; `undefined` for anything else. */
export function parseValue(value: string | undefined): { reviewId: string; digest: string } | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9a-f]{64})$/.exec(value ?? '');
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { reviewId: match[1], digest: match[2] };
}
