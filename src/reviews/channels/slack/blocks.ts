import type { ActionsBlock, Button, KnownBlock, ModalView } from '@slack/types';
import type { Instant } from '../../../clock.js';
import type { Review } from '../../review.js';
import { outcomeFacts } from '../../rules/outcome.js';
import { MAX_REASON_LENGTH } from '../../rules/command.js';
import { isEnded } from '../../rules/review.js';
import { minuteOf, questionOf, type Question } from '../question.js';
import { bounded, codeSpan, proseSpan } from './slack-text.js';

// Slack refuses a section above 3,000, and a whole message above roughly 13,200 (not documented); we stay well below.
const SECTION = 2900;
const FINDINGS_IN_MESSAGE = 5;

/** action_id of the buttons, and block_id and action_id of the modal's input. */
export const DECIDE_ACTION = 'review.decide:';
export const CLAIM_ACTION = 'review.claim';
export const OPEN_ACTION = 'review.open';
export const LINK_ACTION = 'review.link';
export const DECIDE_VIEW = 'review.decide';
export const REASON_BLOCK = 'reason';
export const REASON_ACTION = 'text';

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

/** The form in which a decision is made; nothing is decided before it is sent. */
export function decideView(
  review: Review,
  outcome: string,
  privateMetadata: string,
  dryRun: boolean,
): ModalView {
  const question = questionOf(review, 0, dryRun);
  const chosen = question.outcomes.find(({ name }) => name === outcome) ?? outcomeFacts(outcome);
  return {
    type: 'modal',
    callback_id: DECIDE_VIEW,
    private_metadata: privateMetadata,
    title: plain(slackLabel(review, outcome), 24),
    submit: plain(slackLabel(review, outcome), 24),
    close: plain('Cancel', 24),
    blocks: [
      section([
        `*${proseSpan(question.headline, 150)}*`,
        codeSpan(question.name, 320),
        proseSpan(chosen.effect, 300),
      ]),
      {
        type: 'input',
        block_id: REASON_BLOCK,
        label: plain('Why?', 100),
        hint: plain('Kept in the audit trail.', 150),
        element: {
          type: 'plain_text_input',
          action_id: REASON_ACTION,
          multiline: true,
          min_length: 1,
          max_length: MAX_REASON_LENGTH,
        },
      },
    ],
  };
}

/** A modal that only says something, in the place of the form. */
export const sayView = (title: string, text: string): ModalView => ({
  type: 'modal',
  callback_id: 'review.said',
  title: plain(title, 24),
  close: plain('Close', 24),
  blocks: [section([proseSpan(text, 2000)])],
});

/** What a person sees alone when their Slack account is nobody's yet. */
export const linkBlocks = (url: string): KnownBlock[] => [
  section([
    'Your Slack account is not linked to a person in Sallyport yet, so nothing was decided. Link it once, signed in to Sallyport, then click again.',
  ]),
  {
    type: 'actions',
    elements: [{ ...button(LINK_ACTION, 'Link my account', 'link'), url }],
  },
];

const section = (lines: readonly string[]): KnownBlock => {
  // Whole lines only: a cut inside one could leave a code span or an entity open.
  let text = '';
  for (const line of lines) {
    if (text.length + line.length + 1 > SECTION) break;
    text += text === '' ? line : `\n${line}`;
  }
  return { type: 'section', text: { type: 'mrkdwn', text: text === '' ? ' ' : text, verbatim: true } };
};

const plain = (text: string, max: number) => ({
  type: 'plain_text' as const,
  text: bounded(text, max),
  emoji: false,
});

const button = (actionId: string, label: string, value: string): Button => ({
  type: 'button',
  action_id: actionId,
  text: plain(label, 75),
  value,
});

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

/** A moment that Slack shows in the reader's own time zone. */
const moment = (at: Instant): string =>
  `<!date^${Math.floor(at / 1000)}^{date_short_pretty} {time}|${minuteOf(at)}>`;
