import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeProvider } from '../../../../src/tasks/scan/verify/judge-provider.js';

const plain = { active: [200], inactive: [401] };
const slack = {
  active: [200],
  activeIf: { ok: [true] },
  inactive: [200],
  inactiveIf: { error: ['token_revoked'] },
};

test.each([
  ['active', plain, 200, ''],
  ['inactive', plain, 401, 'whatever'],
  ['unknown', plain, 403, ''],
  ['unknown', plain, 429, ''],
  ['unknown', plain, 500, ''],
  ['active', slack, 200, '{"ok":true,"team":"x"}'],
  ['inactive', slack, 200, '{"ok":false,"error":"token_revoked"}'],
  ['unknown', slack, 200, '{"ok":false,"error":"fatal_error"}'],
  ['unknown', slack, 200, '{"ok":"true"}'],
  ['unknown', slack, 200, '<html>a proxy</html>'],
  ['unknown', slack, 200, 'null'],
  ['unknown', { ...slack, activeIf: { constructor: [true] } }, 200, '{}'],
] as const)('is %s by %j at %d %s', (state, spec, status, body) => {
  expect(judgeProvider(spec as never, status, body)).toBe(state);
});

test('says nothing for a status that nobody foresaw, whatever is in the answer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, body) => {
      fc.pre(status !== 200);
      expect(judgeProvider(slack, status, body)).toBe('unknown');
    }),
  );
});
