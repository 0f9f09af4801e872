import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRules, type TriggerRule, type Upload } from '../../src/triggers/match.js';

const rule = (parts: Partial<TriggerRule> & { name: string }): TriggerRule => ({
  effect: 'allow',
  eventKinds: ['created'],
  workflowName: 'scan_upload',
  priority: 50,
  ...parts,
});
const upload = (parts: Partial<Upload> = {}): Upload => ({
  bucket: 'uploads',
  key: 'logs/a.gz',
  sizeBytes: 10,
  kind: 'created',
  ...parts,
});

describe('rules', () => {
  const table: readonly [string, Partial<TriggerRule>, Partial<Upload>, boolean][] = [
    ['no condition', {}, {}, true],
    ['its bucket', { bucket: 'uploads' }, {}, true],
    ['another bucket', { bucket: 'other' }, {}, false],
    ['a bucket by its beginning', { bucket: 'up*' }, {}, true],
    ['a prefix', { prefix: 'logs/' }, {}, true],
    ['another prefix', { prefix: 'data/' }, {}, false],
    ['a suffix', { suffix: '.gz' }, {}, true],
    ['another suffix', { suffix: '.zip' }, {}, false],
    ['both bounds, which are inside', { minSizeBytes: 10, maxSizeBytes: 10 }, {}, true],
    ['too small', { minSizeBytes: 11 }, {}, false],
    ['too large', { maxSizeBytes: 9 }, {}, false],
    ['another kind', { eventKinds: ['restored'] }, {}, false],
  ];
  it.each(table)('that allow: %s', (_, parts, of, holds) => {
    expect(matchRules([rule({ name: 'r', ...parts })], upload(of)).kind).toBe(holds ? 'start' : 'skip');
  });
  it.each(table)('that deny: %s', (_, parts, of, holds) => {
    const rules = [rule({ name: 'all' }), rule({ name: 'r', effect: 'deny', ...parts })];
    expect(matchRules(rules, upload(of)).kind).toBe(holds ? 'skip' : 'start');
  });

  it('scan in doubt, when the size is not known', () => {
    const unknown = upload({ sizeBytes: undefined });
    expect(matchRules([rule({ name: 'small', maxSizeBytes: 5 })], unknown)).toMatchObject({ kind: 'start' });
    const rules = [rule({ name: 'all' }), rule({ name: 'huge', effect: 'deny', minSizeBytes: 5 })];
    expect(matchRules(rules, unknown)).toMatchObject({ kind: 'start', rule: 'all' });
  });

  it('that allow are taken in their order, with workflow and priority', () => {
    const rules = [
      rule({ name: 'first', prefix: 'logs/', workflowName: 'w1', priority: 9 }),
      rule({ name: 'second' }),
    ];
    expect(matchRules(rules, upload())).toEqual({
      kind: 'start',
      rule: 'first',
      workflowName: 'w1',
      priority: 9,
    });
    expect(matchRules(rules, upload({ key: 'x' }))).toMatchObject({ rule: 'second' });
  });

  it('that do not match say so', () => {
    expect(matchRules([], upload())).toEqual({ kind: 'skip', rule: 'no_rule_matched' });
  });

  it('of which one denies never start anything, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 8 }), fc.nat(8), (effects, place) => {
        const rules = effects.map((allow, index) =>
          rule({ name: `r${index}`, effect: allow ? 'allow' : 'deny' }),
        );
        rules.splice(Math.min(place, rules.length), 0, rule({ name: 'deny', effect: 'deny' }));
        expect(matchRules(rules, upload()).kind).toBe('skip');
      }),
    );
  });
});
