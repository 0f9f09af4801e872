import type { Instant } from '../../../../clock.js';
import type { Proposal } from './proposals.view.js';
import type { StoredProposal } from './sql/proposals.js';

const DAY_MS = 86_400_000;
// Its calls are answered or given up by then.
const SENDING_MS = 60_000;

/** One that was being sent when its process ended may not have arrived, and is sent again; not while it is under way. */
function isOpen(proposal: StoredProposal | undefined, now: Instant): proposal is StoredProposal {
  if (proposal?.state === 'sending') return now - proposal.proposedAt < SENDING_MS;
  return proposal?.state === 'proposed' && (proposal.expiresAt ?? 0) > now;
}

/** Nobody is asked more often than once a day, however often somebody presses the button. */
export const isWaitedFor = (proposal: StoredProposal | undefined, again: boolean, now: Instant): boolean =>
  isOpen(proposal, now) && (!again || now - proposal.proposedAt < DAY_MS);

/** How somebody without a linked account stands. */
export function stateOf(
  proposal: StoredProposal | undefined,
  isFresh: boolean,
  now: Instant,
): Proposal['state'] {
  if (proposal === undefined) return 'none';
  if (proposal.state !== 'proposed' && proposal.state !== 'sending') return proposal.state;
  if (!isOpen(proposal, now)) return 'none';
  return isFresh ? 'proposed' : 'open';
}
