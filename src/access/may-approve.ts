import { hasRole, type Principal } from './principal.js';

/** The review queues in which somebody is approver by a grant. */
export const grantedQueues = ({ grants = [] }: Pick<Principal, 'grants'>): readonly string[] =>
  grants.filter(({ role }) => role === 'approver').map(({ scope }) => scope);

/**
 * Whether somebody may decide what waits in a review queue: an admin and an approver in all of them, whoever holds a grant
 * in the queue that it names. A name is compared as it is.
 */
export const mayApprove = (principal: Pick<Principal, 'roles' | 'grants'>, queue: string): boolean =>
  hasRole(principal, ['approver']) || grantedQueues(principal).includes(queue);
