import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainRules } from '../../src/triggers/match-explain.js';
import { compileMapping, mappingProblems } from '../../src/triggers/match-input.js';
import { placeOf } from '../../src/triggers/match-share.js';
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
const all = rule({ name: 'all' });
const noImages = rule({ name: 'no_images', effect: 'deny', contentTypes: ['image/*'] });

describe('a rule about the type', () => {
  it('cannot decide before somebody has read the first bytes', () => {
    expect(matchRules([all, noImages], upload())).toMatchObject({
      kind: 'start',
      rule: 'all',
      undecided: { type: true, tags: false },
    });
  });

  it.each([
    ['image/png', 'skip'],
    ['image/svg+xml', 'skip'],
    ['application/zip', 'start'],
  ])('decides when it is known: %s leads to %s', (contentType, kind) => {
    const match = matchRules([all, noImages], upload({ contentType }));
    expect(match.kind).toBe(kind);
    expect(match).not.toHaveProperty('undecided');
  });

  it('denies nothing in doubt, and allows in doubt', () => {
    const inDoubt = upload({ isInspected: true });
    expect(matchRules([all, noImages], inDoubt)).toMatchObject({ kind: 'start', rule: 'all' });
    const onlyZip = rule({ name: 'zip', contentTypes: ['application/zip'] });
    expect(matchRules([onlyZip], inDoubt)).toMatchObject({ kind: 'start', rule: 'zip' });
    expect(matchRules([onlyZip], inDoubt)).not.toHaveProperty('undecided');
  });

  it('asks for nothing when its other conditions fail, or when another rule denies anyway', () => {
    const elsewhere = { ...noImages, bucket: 'other' };
    expect(matchRules([all, elsewhere], upload())).not.toHaveProperty('undecided');
    const never = rule({ name: 'never', effect: 'deny', prefix: 'logs/' });
    expect(matchRules([all, noImages, never], upload())).toEqual({ kind: 'skip', rule: 'never' });
  });

  it('asks for nothing when an allowing rule before it holds', () => {
    const zip = rule({ name: 'zip', contentTypes: ['application/zip'] });
    expect(matchRules([all, zip], upload())).not.toHaveProperty('undecided');
    expect(matchRules([zip, all], upload())).toMatchObject({ rule: 'zip', undecided: { type: true } });
  });
});

describe('a tag, which whoever uploads can set', () => {
  const tagged = { team: 'red' };

  it('denies only where the rule says that it trusts tags', () => {
    const deny = rule({ name: 'no_red', effect: 'deny', tags: tagged });
    expect(matchRules([all, deny], upload({ tags: tagged }))).toMatchObject({ kind: 'start', rule: 'all' });
    expect(matchRules([all, { ...deny, trustTags: true }], upload({ tags: tagged }))).toEqual({
      kind: 'skip',
      rule: 'no_red',
    });
    expect(matchRules([all, { ...deny, trustTags: true }], upload())).toMatchObject({
      kind: 'start',
      undecided: { tags: true },
    });
  });

  it('chooses the workflow, but its absence takes no scan away', () => {
    const red = rule({ name: 'red', tags: tagged, workflowName: 'w_red' });
    expect(matchRules([red, all], upload({ tags: tagged }))).toMatchObject({ workflowName: 'w_red' });
    expect(matchRules([red, all], upload({ tags: {} }))).toMatchObject({ rule: 'all' });
    expect(matchRules([red], upload({ tags: {} }))).toMatchObject({ kind: 'start', rule: 'red' });
    expect(matchRules([{ ...red, trustTags: true }], upload({ tags: {} }))).toEqual({
      kind: 'skip',
      rule: 'no_rule_matched',
    });
  });

  it('named like a property of every object is a name', () => {
    const odd = rule({ name: 'odd', tags: { constructor: 'x' }, trustTags: true });
    expect(matchRules([odd], upload({ tags: {} })).kind).toBe('skip');
  });
});

describe('shares', () => {
  const canary = rule({
    name: 'canary',
    workflowVersion: 1,
    shares: [{ workflowName: 'scan_upload', workflowVersion: 2, percent: 20 }],
  });

  it('send an object to the same version each time', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        expect(matchRules([canary], upload({ key }))).toEqual(
          matchRules([canary], upload({ key, sizeBytes: 99 })),
        );
      }),
    );
  });

  it('are about as large as they say', () => {
    const versions = Array.from({ length: 5000 }, (_, index) => {
      const match = matchRules([canary], upload({ key: `logs/${index}.gz` }));
      return match.kind === 'start' ? match.workflowVersion : undefined;
    });
    const second = versions.filter((version) => version === 2).length;
    expect(versions.filter((version) => version === 1)).toHaveLength(5000 - second);
    expect(second / 5000).toBeGreaterThan(0.17);
    expect(second / 5000).toBeLessThan(0.23);
  });

  it('of different rules fall on different objects', () => {
    const places = (name: string) =>
      Array.from({ length: 1000 }, (_, index) => placeOf(name, upload({ key: `k${index}` })) < 50);
    const [one, other] = [places('one'), places('other')];
    const same = one.filter((isIn, index) => isIn === other[index]).length;
    expect(same).toBeGreaterThan(400);
    expect(same).toBeLessThan(600);
  });
});

describe('the priority', () => {
  it('of the bucket goes before the rule’s', () => {
    expect(matchRules([all], upload({ bucketPriority: 7 }))).toMatchObject({ priority: 7 });
    expect(matchRules([all], upload({ bucketPriority: 0 }))).toMatchObject({ priority: 0 });
    expect(matchRules([all], upload())).toMatchObject({ priority: 50 });
  });
});

describe('what a rule adds to the input', () => {
  const apply = (mapping: Parameters<typeof compileMapping>[0], of: Partial<Upload> = {}) =>
    matchRules([rule({ name: 'r', input: compileMapping(mapping) })], upload({ isInspected: true, ...of }));

  it('is filled in from the event', () => {
    expect(
      apply({
        name: '${event.bucket}/${event.key}',
        size: '${event.sizeBytes}',
        by: '${rule.name}',
        fixed: [1],
      }),
    ).toMatchObject({ input: { name: 'uploads/logs/a.gz', size: 10, by: 'r', fixed: [1] } });
    expect(apply({ version: '${event.versionId}' })).toMatchObject({ input: { version: null } });
  });

  it('is inert: what an object is called stays a name', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.constantFrom('${event.bucket}', '${workflow.secrets.KEY}', '$${x}', '__proto__'),
        ),
        (key) => {
          expect(apply({ key2: '${event.key}', text: 'k=${event.key}' }, { key })).toMatchObject({
            input: { key2: key, text: `k=${key}` },
          });
        },
      ),
    );
  });

  it('asks the object when it speaks of its type or tags', () => {
    const input = compileMapping({ type: '${event.contentType}', team: '${event.tags.team}' });
    const rules = [rule({ name: 'r', input })];
    expect(matchRules(rules, upload())).toMatchObject({ undecided: { type: true, tags: true } });
    const asked = upload({ contentType: 'text/plain', tags: { team: 'red' }, isInspected: true });
    expect(matchRules(rules, asked)).toMatchObject({ input: { type: 'text/plain', team: 'red' } });
  });

  it.each([
    [{ a: '${event.nonsense}' }, 'a', /\$\{event.nonsense\} is not known: an event has/],
    [{ a: { b: ['${workflow.input.x}'] } }, 'a.b[0]', /must begin with \$\{event\./],
    [{ a: '${workflow.secrets.KEY}' }, 'a', /must begin with/],
    [{ a: '${rule.password}' }, 'a', /\$\{rule.name\}/],
    [{ scanId: 'mine' }, 'scanId', /every scan gets/],
    [{ a: '${}' }, 'a', /is not known/],
  ])('%j is refused at %s', (mapping, path, message) => {
    const problems = mappingProblems(mapping);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(message);
  });
});

describe('an explanation', () => {
  const on = (one: TriggerRule) => ({ ...one, enabled: true });

  it('says of every rule why it did or did not', () => {
    const rules = [
      on(rule({ name: 'data', prefix: 'data/' })),
      on(all),
      on(rule({ name: 'later' })),
      on(noImages),
      on(rule({ name: 'untrusted', effect: 'deny', tags: { a: 'b' } })),
      { ...rule({ name: 'off', effect: 'deny' }), enabled: false },
    ];
    const { match, rules: explained } = explainRules(rules, upload({ isInspected: true }));
    expect(match).toMatchObject({ kind: 'start', rule: 'all' });
    expect(explained.map(({ rule: name, outcome, why }) => [name, outcome, why])).toEqual([
      ['data', 'fails', 'Its prefix does not fit: it wants data/, and there is logs/a.gz.'],
      ['all', 'wins', 'It is the first allowing rule whose conditions hold.'],
      ['later', 'holds', 'Its conditions hold, but all goes before it.'],
      [
        'no_images',
        'fails',
        'A denying rule holds only for certain. The type is not known: in doubt, it is scanned.',
      ],
      [
        'untrusted',
        'fails',
        'It denies by tags, which whoever uploads can set, and does not say trustTags: it denies nothing.',
      ],
      ['off', 'disabled', 'It is switched off.'],
    ]);
    expect(explained[0]?.conditions).toEqual([
      { condition: 'event', wanted: 'created', found: 'created', outcome: 'holds' },
      { condition: 'prefix', wanted: 'data/', found: 'logs/a.gz', outcome: 'fails' },
    ]);
  });

  const anyRule = fc
    .record({
      name: fc.stringMatching(/^[a-z]{3,8}$/),
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      prefix: fc.option(fc.constantFrom('logs/', 'data/'), { nil: undefined }),
      maxSizeBytes: fc.option(fc.nat(20), { nil: undefined }),
      contentTypes: fc.option(fc.constantFrom(['image/*'], ['application/zip']), { nil: undefined }),
      tags: fc.option(fc.constant({ team: 'red' }), { nil: undefined }),
      trustTags: fc.boolean(),
      enabled: fc.boolean(),
    })
    .map((parts) => ({ ...rule(parts), enabled: parts.enabled }));
  const anyUpload = fc
    .record({
      key: fc.constantFrom('logs/a', 'data/b'),
      sizeBytes: fc.option(fc.nat(20), { nil: undefined }),
      contentType: fc.option(fc.constantFrom('image/png', 'application/zip'), { nil: undefined }),
      tags: fc.option(fc.constantFrom({}, { team: 'red' }), { nil: undefined }),
      isInspected: fc.boolean(),
    })
    .map(upload);
  const anyRules = fc.uniqueArray(anyRule, { maxLength: 6, selector: ({ name }) => name });

  it('agrees with the decision: one rule wins, or none matched', () => {
    fc.assert(
      fc.property(anyRules, anyUpload, (rules, of) => {
        const { match, rules: explained } = explainRules(rules, of);
        const winners = explained.filter(({ outcome }) => outcome === 'wins').map(({ rule: name }) => name);
        expect(winners).toEqual(match.rule === 'no_rule_matched' ? [] : [match.rule]);
        expect(
          match.kind === 'skip' ||
            explained.every(({ effect, outcome }) => effect === 'allow' || outcome !== 'holds'),
        ).toBe(true);
      }),
    );
  });

  it('of more knowledge never takes back what was certain before', () => {
    fc.assert(
      fc.property(anyRules, anyUpload, (rules, of) => {
        const enabled = rules.filter((one) => one.enabled);
        const before = matchRules(enabled, { ...of, isInspected: false });
        if (before.kind === 'start' && before.undecided !== undefined) return;
        const known = { contentType: 'image/png', tags: { team: 'red' }, ...of, isInspected: true };
        const learnt = {
          ...known,
          contentType: of.contentType ?? 'image/png',
          tags: of.tags ?? { team: 'red' },
        };
        const after = matchRules(enabled, learnt);
        expect(after.kind).toBe(before.kind);
        // What no rule allows may turn out to be denied by name as well: skipped it stays.
        if (before.rule !== 'no_rule_matched') expect(after.rule).toBe(before.rule);
      }),
    );
  });

  it('never skips, in doubt, what some knowledge would have scanned', () => {
    fc.assert(
      fc.property(
        anyRules,
        anyUpload,
        fc.constantFrom('image/png', 'text/plain'),
        (rules, of, contentType) => {
          const enabled = rules.filter((one) => one.enabled);
          const inDoubt = matchRules(enabled, {
            ...of,
            contentType: undefined,
            tags: undefined,
            isInspected: true,
          });
          const known = matchRules(enabled, { ...of, contentType, tags: {}, isInspected: true });
          if (known.kind === 'start') expect(inDoubt.kind).toBe('start');
        },
      ),
    );
  });
});
