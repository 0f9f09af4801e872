import type { Review } from '../../review.js';
import { BECAUSE_TEXT } from '../../refusal-error.js';
import { isShared } from '../../rules/policy.js';
import { tally } from '../../rules/quorum.js';
import type { ExcludedAs } from '../../rules/review.js';
import { moment } from './block-kit.js';
import { outcomeLabel } from './review-buttons.js';
import { proseSpan } from './slack-text.js';

const NAME = 80;
const VOTERS = 5;
const EXCLUDED = 5;

/** How far a review is that waits, line by line: who has it, until when, how many have voted, and who may not. */
export const standingLines = (review: Review): string[] => [
  ...dueLines(review),
  ...holderLines(review),
  ...waitLines(review),
  ...roundLines(review),
  ...voteLines(review),
  ...fourEyesLines(review),
];

const name = (of: { readonly name: string }): string => proseSpan(of.name, NAME);

const dueLines = ({ dueAt }: Review): string[] => (dueAt === undefined ? [] : [`*Due* ${moment(dueAt)}`]);

function holderLines({ claim, owner, state }: Review): string[] {
  if (claim === undefined) return [];
  const how = state === 'ASSIGNED' ? 'Given to' : 'Claimed by';
  return [
    `${how} *${name(claim.by)}* ${moment(claim.at)}${owner === undefined ? '' : `, for ${name(owner)}`}`,
  ];
}

function waitLines({ hold, info }: Review): string[] {
  const lines: string[] = [];
  if (hold !== undefined) {
    const why = hold.reason.trim() === '' ? '' : `: ${proseSpan(hold.reason, 200)}`;
    lines.push(`On hold until ${moment(hold.until)}, by ${name(hold.by)}${why}`);
  }
  if (info !== undefined)
    lines.push(`Waits for an answer: ${name(info.by)} asks “${proseSpan(info.question, 300)}”`);
  return lines;
}

const roundLines = ({ round }: Review): string[] =>
  round < 2
    ? []
    : [`Asked again (round ${round}): the scan’s result changed. Earlier votes no longer count.`];

/** `Votes: Release 1 of 2 (Alice), Delete 0 of 1`; nothing where one alone decides and nobody did. */
function voteLines(review: Review): string[] {
  const { policy, votes, outcomes } = review;
  if (!isShared(policy) && votes.length === 0) return [];
  const parts = outcomes.map((outcome) => {
    const { votes: count, needed } = tally(policy, votes, outcome);
    const given = votes.filter((vote) => vote.outcome === outcome);
    const voters = given
      .slice(0, VOTERS)
      .map(({ by, onBehalfOf }) => name(by) + (onBehalfOf === undefined ? '' : ` for ${name(onBehalfOf)}`));
    if (given.length > VOTERS) voters.push(`and ${given.length - VOTERS} more`);
    const who = voters.length === 0 ? '' : ` (${voters.join(', ')})`;
    return `${proseSpan(outcomeLabel(outcome), 60)} ${count} of ${needed}${who}`;
  });
  const groups = policy.quorum.distinctGroups ? ', each of another group' : '';
  return [`*Votes* ${parts.join(', ')}${groups}`];
}

function fourEyesLines({ excluded, policy }: Review): string[] {
  const lines = excluded
    .slice(0, EXCLUDED)
    .map((person) => `${name(person)} may not decide: ${BECAUSE_TEXT[person.because]}`);
  if (excluded.length > EXCLUDED) lines.push(`nor ${excluded.length - EXCLUDED} more`);
  for (const role of policy.undetermined ?? [])
    lines.push(`nobody knows who ${ROLE_TEXT[role]}, so that granting takes one vote more`);
  return lines.length === 0 ? [] : [`*Four eyes* ${lines.join('; ')}`];
}

const ROLE_TEXT: Readonly<Record<ExcludedAs, string>> = {
  requester: 'asked for it',
  uploader: 'uploaded the object',
  definitionEditor: 'last changed the workflow',
  assigner: 'chose who decides',
};
