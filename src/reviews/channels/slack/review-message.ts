import type { KnownBlock } from '@slack/types';
import type { Review } from '../../review.js';
import { outcomeFacts } from '../../rules/outcome.js';
import { isEnded } from '../../rules/review.js';
import { named, questionOf, type Question } from '../question.js';
import { context, header, moment, section } from './block-kit.js';
import { openOnly, reviewButtons, outcomeLabel } from './review-buttons.js';
import { standingLines } from './review-standing.js';
import { bounded, codeSpan, proseSpan } from './slack-text.js';

const FINDINGS_IN_MESSAGE = 5;

// Of the 10,000 characters that a whole message may have: what is below these leaves room for its text and its buttons.
const FACTS = 2400;
const FINDINGS = 2200;
const EFFECTS = 1100;
const STANDING = 1500;

/** A review as one message: evidence and buttons while it waits, how it ended afterwards. */
export function reviewMessage(
  review: Review,
  inboxUrl: string,
  dryRun: boolean,
): { text: string; blocks: KnownBlock[] } {
  const question = questionOf(review, FINDINGS_IN_MESSAGE, dryRun);
  const blocks = [header(question.headline), section(factLines(question), FACTS), ...findingsOf(question)];
  blocks.push(
    ...(isEnded(review.state)
      ? [section([`*${standing(review)}*`, ...reasonLines(review)]), openOnly(review, inboxUrl)]
      : [...waiting(review, question), reviewButtons(review, inboxUrl)]),
  );
  const state = isEnded(review.state) ? standing(review) : 'a decision is needed';
  return {
    text: `${named(bounded(question.headline, 150), proseSpan(question.name, 300))} – ${state}`,
    blocks,
  };
}

/** What the question is about, each fact a line. Deadline and votes are told with the standing. */
const factLines = ({ facts }: Question): string[] =>
  facts
    .filter(({ tells }) => tells === undefined)
    .map(
      ({ label, value, literal, at }) =>
        `*${label}* ${at === undefined ? (literal ? codeSpan(value, 320) : proseSpan(value, 200)) : moment(at)}`,
    );

/** What was found: rule, place and masked excerpt of each, and how many more there are. */
export function findingsOf(question: Question): KnownBlock[] {
  if (question.findings.length === 0) return [];
  const lines = question.findings.map((finding) => {
    const excerpt = finding.excerpt === '' ? '' : `\n      ${codeSpan(finding.excerpt, 140)}`;
    const rule = finding.ruleId === '' ? '' : ` (${proseSpan(finding.ruleId, 80)})`;
    return `•  *${proseSpan(finding.severity, 20)}* ${proseSpan(finding.title, 140)}${rule} in ${codeSpan(finding.where, 200)}${excerpt}`;
  });
  if (question.more > 0) lines.push(`and ${question.more} more`);
  return [section(['*What was found*', ...lines], FINDINGS)];
}

function waiting(review: Review, question: Question): KnownBlock[] {
  const effects = question.outcomes.map(
    ({ name, effect }) => `*${outcomeLabel(name)}*: ${proseSpan(effect, 200)}`,
  );
  const lines = standingLines(review);
  return [context(effects, EFFECTS), ...(lines.length === 0 ? [] : [section(lines, STANDING)])];
}

/** How it ended: by whom and when, or why nothing is left to decide. */
export function standing(review: Review): string {
  const { decision, cancelled } = review;
  if (decision !== undefined) {
    const label = outcomeFacts(decision.outcome).label;
    return `${proseSpan(label, 75)}: decided by ${proseSpan(decision.by.name, 100)} ${moment(decision.at)}`;
  }
  return `Nothing left to decide: ${proseSpan(cancelled?.reason ?? 'the workflow ended', 300)}`;
}

const reasonLines = ({ decision }: Review): string[] =>
  decision === undefined || decision.reason === '' ? [] : [`Reason: ${proseSpan(decision.reason, 1500)}`];
