import { describe, expect, it } from 'vitest';
import { mayApprove } from '../../src/access/may-approve.js';
import type { AccessRole } from '../../src/access/principal.js';

describe('what waits in a review queue', () => {
  const approverOf = (...queues: string[]) => queues.map((scope) => ({ role: 'approver' as const, scope }));

  it.each<[readonly AccessRole[], readonly string[], string, boolean]>([
    [['admin'], [], 'finance', true],
    [['approver'], [], 'finance', true],
    [[], ['finance'], 'finance', true],
    [['viewer'], ['legal', 'finance'], 'finance', true],
    [[], ['finance'], 'legal', false],
    [[], ['finance'], 'Finance', false],
    [[], [], 'finance', false],
    [['analyst', 'author', 'operator', 'auditor', 'worker', 'viewer'], [], 'finance', false],
    [[], [''], 'finance', false],
  ])('may be decided with %j and grants of %j in %s: %s', (roles, queues, queue, may) => {
    expect(mayApprove({ roles, grants: approverOf(...queues) }, queue)).toBe(may);
  });

  it('is not decided by somebody who has no grants at all', () => {
    expect(mayApprove({ roles: ['viewer'] }, 'finance')).toBe(false);
  });
});
