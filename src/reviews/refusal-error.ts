import { minuteOf } from './channels/question.js';
import { Conflict, Forbidden, InvalidInput, type AppError } from '../errors.js';
import type { Refusal } from './rules/command.js';
import { outcomeFacts } from './rules/outcome.js';
import type { Party } from './rules/policy.js';
import type { ExcludedAs } from './rules/review.js';

/** The error that tells a person why their click had no effect; 409 bodies name the winner and the time. */
export function refusalError(refusal: Refusal): AppError {
  switch (refusal.why) {
    case 'decided':
      return new Conflict(
        `${refusal.winner.name} already chose “${outcomeFacts(refusal.outcome ?? '').label}” at ${minuteOf(refusal.at)}.`,
        {
          state: refusal.state,
          winner: refusal.winner,
          at: iso(refusal.at),
          outcome: refusal.outcome,
        },
      );
    case 'claimed':
      return new Conflict(
        refusal.state === 'ASSIGNED'
          ? `This review was given to ${refusal.winner.name} at ${minuteOf(refusal.at)}. Ask them to give it back, or an admin to reassign it.`
          : `${refusal.winner.name} claimed this review at ${minuteOf(refusal.at)}. Ask them to give it back, or an admin to take it over.`,
        { state: refusal.state, winner: refusal.winner, at: iso(refusal.at) },
      );
    case 'cancelled':
      return new Conflict(
        `This review is closed since ${minuteOf(refusal.at)}: ${refusal.reason}. Nothing is left to decide.`,
        { state: 'CANCELLED', at: iso(refusal.at) },
      );
    case 'not_claimed':
      return new Conflict('Nobody claimed this review, so there is nothing to give back.', { state: 'OPEN' });
    case 'stale':
      return new Conflict(
        'What you were shown is not what stands now. Load the review again and decide on that.',
        {
          digest: refusal.digest,
        },
      );
    case 'unknown_outcome':
      return InvalidInput.field('outcome', `must be one of ${refusal.outcomes.join(', ')}`);
    case 'reason_required':
      return InvalidInput.field(
        'reason',
        `“${outcomeFacts(refusal.outcome).label}” needs a reason; it is kept in the audit trail.`,
      );
    case 'excluded':
      return new Forbidden(
        `${refusal.who.name} may not decide here (four eyes): ${BECAUSE_TEXT[refusal.because]}. Somebody else must.`,
      );
    case 'not_asked':
      return new Forbidden(`This review asks ${partiesText(refusal.asked)}. Ask one of them, or an admin.`);
    case 'other_queue':
      return new Forbidden(
        `You may not decide in the queue ${refusal.queue}. Ask an admin for a grant for it, or leave this review to those who have one.`,
      );
    case 'no_person':
      return new Forbidden(
        `“${outcomeFacts(refusal.outcome).label}” needs different people here, and an API key is nobody in particular. Decide in the web UI, by mail or in Slack.`,
      );
    case 'voted':
      return new Conflict(
        `You voted “${outcomeFacts(refusal.outcome).label}” at ${minuteOf(refusal.at)}. Withdraw that vote first.`,
        { outcome: refusal.outcome, at: iso(refusal.at) },
      );
    case 'not_voted':
      return new Conflict('You have not voted in this round, so there is nothing to withdraw.');
    case 'wrong_state':
      return new Conflict(
        `The review is ${stateText(refusal.state)}; this needs one that is ${refusal.needs.map(stateText).join(' or ')}.`,
        { state: refusal.state },
      );
    case 'too_late':
      return InvalidInput.field(refusal.field, `must be after now, ${minuteOf(refusal.at)}`);
    default:
      return refusal satisfies never;
  }
}

/** Why four eyes keep somebody out. */
export const BECAUSE_TEXT: Readonly<Record<ExcludedAs, string>> = {
  requester: 'they asked for it',
  uploader: 'they uploaded the object',
  definitionEditor: 'they last changed the workflow that asks',
  assigner: 'they chose who decides',
};

const stateText = (state: string): string => state.toLowerCase().replaceAll('_', ' ');

/** `the group secops or alice`. */
export const partiesText = (parties: readonly Party[]): string =>
  parties.length === 0
    ? 'everybody who may decide'
    : parties.map((party) => (party.kind === 'group' ? `the group ${party.name}` : party.name)).join(' or ');

const iso = (at: number): string => new Date(at).toISOString();
