import { Conflict, InvalidInput, type AppError } from '../errors.js';
import { outcomeFacts } from './rules/outcome.js';
import type { Refusal } from './rules/transition.js';

/** The error that tells a person why their click had no effect; 409 bodies name the winner and the time. */
export function refusalError(refusal: Refusal): AppError {
  switch (refusal.why) {
    case 'decided':
      return new Conflict(
        `${refusal.winner.name} already chose “${outcomeFacts(refusal.outcome ?? '').label}” at ${iso(refusal.at)}.`,
        {
          state: 'COMPLETED',
          winner: refusal.winner,
          at: iso(refusal.at),
          outcome: refusal.outcome,
        },
      );
    case 'claimed':
      return new Conflict(
        `${refusal.winner.name} holds this review since ${iso(refusal.at)}. Ask them to release it, or an admin to take it over.`,
        { state: 'CLAIMED', winner: refusal.winner, at: iso(refusal.at) },
      );
    case 'cancelled':
      return new Conflict(
        `This review is closed since ${iso(refusal.at)}: ${refusal.reason}. Nothing is left to decide.`,
        { state: 'CANCELLED', at: iso(refusal.at) },
      );
    case 'not_claimed':
      return new Conflict('Nobody holds this review, so there is nothing to release.', { state: 'OPEN' });
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
    default:
      return refusal satisfies never;
  }
}

const iso = (at: number): string => new Date(at).toISOString();
