import { hasRole, type Principal } from './principal.js';

/**
 * Whether somebody may decide what waits in a review queue: an admin and an approver in all of them, whoever holds a grant
 * in the queue that it names. A name is compared as it is.
 */
export const mayApprove = (principal: Pick<Principal, 'roles' | 'grants'>, queue: string): boolean =>
  hasRole(principal, ['approver']) ||
  principal.grants?.some(({ role, scope }) => role === 'approver' && scope === queue) === true;
