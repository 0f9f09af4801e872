import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInput } from '../../../src/errors.js';
import {
  bucketPolicy,
  limitsOf,
  SIDS,
  type BucketPolicyWish,
} from '../../../src/intake/connect/bucket-policy.js';
import { readPolicy, type PolicyDocument } from '../../../src/intake/connect/policy-document.js';
import { verdictKeys } from '../../../src/intake/connect/bucket-policy.service.js';
import { OWN_TAGS, RELEASED_TAG } from '../../../src/tasks/object/verdict-tags.js';
import { isDenied, type PolicyRequest } from './policy-engine.js';

const SCANNER = 'arn:aws:iam::111122223333:role/sallyport';
const RESCUER = 'arn:aws:iam::111122223333:role/break-glass';

const wish: BucketPolicyWish = {
  bucket: 'uploads',
  region: 'eu-central-1',
  verdict: { key: 'sallyport-verdict', clean: ['clean'] },
  isNeverClean: false,
  released: { key: 'sallyport-decision', value: 'released' },
  reservedKeys: ['sallyport-verdict', 'sallyport-scanned-at', 'sallyport-decision'],
  scanners: [SCANNER],
  breakGlass: [RESCUER],
  othersMayTag: false,
};

const tags = fc.dictionary(
  fc.constantFrom(
    'sallyport-verdict',
    'sallyport-scanned-at',
    'sallyport-decision',
    'owner',
    'Sallyport-Verdict',
    'project',
  ),
  fc.constantFrom('clean', 'infected', 'released', 'Released', 'Clean', 'clean ', ''),
  { maxKeys: 4 },
);
const stranger = fc.option(
  fc.constantFrom(
    'arn:aws:iam::111122223333:role/app',
    'arn:aws:iam::111122223333:role/sallyport-x',
    'arn:aws:iam::999999999999:role/sallyport',
    'arn:aws:iam::111122223333:user/alice',
  ),
  { nil: undefined },
);
const READS = ['s3:GetObject', 's3:GetObjectVersion'];
const WRITES = ['s3:PutObject', 's3:PutObjectTagging', 's3:PutObjectVersionTagging'];
const UNTAGS = ['s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging'];
const request = fc.record({
  action: fc.constantFrom(...READS, ...WRITES, ...UNTAGS, 's3:DeleteObject', 's3:ListBucket'),
  resource: fc
    .string({ minLength: 1, maxLength: 40, unit: 'binary' })
    .map((key) => `arn:aws:s3:::uploads/${key}`),
  existingTags: tags,
  requestTags: tags,
});

/** Statements of somebody else, as a bucket may have them. */
const foreign = fc.array(
  fc.record(
    {
      Sid: fc.constantFrom('Theirs', 'Other', 'DenyPlainHttp'),
      Effect: fc.constantFrom('Allow' as const, 'Deny' as const),
      Principal: fc.constantFrom('*', { AWS: 'arn:aws:iam::111122223333:root' }),
      Action: fc.constantFrom('s3:*', ['s3:GetObject']),
      Resource: fc.constant('arn:aws:s3:::uploads/*'),
    },
    { requiredKeys: ['Effect', 'Action', 'Resource'] },
  ),
  { maxLength: 5 },
);
const policyOf = (Statement: PolicyDocument['Statement']): PolicyDocument => ({
  Version: '2012-10-17',
  Id: 'x',
  Statement,
});
const EMPTY = policyOf([]);

describe('the policy of a bucket of uploads', () => {
  it('lets nobody but those named read what is neither clean nor released, and lets everybody read what is', () => {
    const policy = bucketPolicy(EMPTY, wish);
    fc.assert(
      fc.property(request, stranger, (asked, principal) => {
        fc.pre(READS.includes(asked.action));
        const isClean = asked.existingTags['sallyport-verdict'] === 'clean';
        const isReleased = asked.existingTags['sallyport-decision'] === 'released';
        expect(isDenied(policy, { ...asked, principal })).toBe(!isClean && !isReleased);
      }),
    );
  });

  it('lets everybody read what a person released, as the service tags it, and lets nobody else say so', () => {
    const policy = bucketPolicy(EMPTY, { ...wish, ...verdictKeys('guardduty') });
    const resource = 'arn:aws:s3:::uploads/x';
    const existingTags = {
      GuardDutyMalwareScanStatus: 'THREATS_FOUND',
      [RELEASED_TAG.key]: RELEASED_TAG.value,
    };
    const none = { existingTags: {}, requestTags: {} };
    for (const action of READS) {
      expect(isDenied(policy, { ...none, action, resource, existingTags })).toBe(false);
      expect(isDenied(policy, { ...none, action, resource })).toBe(true);
    }
    const requestTags = { [RELEASED_TAG.key]: RELEASED_TAG.value };
    for (const action of WRITES)
      expect(isDenied(policy, { ...none, action, resource, requestTags })).toBe(true);
  });

  it.each(['sallyport', 'guardduty'] as const)(
    'keeps every tag of ours from others, in the style %s',
    (style) => {
      const { reservedKeys, verdict } = verdictKeys(style);
      expect(reservedKeys).toEqual(expect.arrayContaining([verdict.key, ...OWN_TAGS]));
    },
  );

  it('lets nobody else write one of our tags, whichever request carries it', () => {
    for (const othersMayTag of [false, true]) {
      const policy = bucketPolicy(EMPTY, { ...wish, othersMayTag });
      fc.assert(
        fc.property(request, stranger, (asked, principal) => {
          fc.pre(WRITES.includes(asked.action));
          const forges = wish.reservedKeys.some((key) => Object.hasOwn(asked.requestTags, key));
          const isTagging = asked.action !== 's3:PutObject' && !othersMayTag;
          expect(isDenied(policy, { ...asked, principal })).toBe(forges || isTagging);
        }),
      );
    }
  });

  it('lets nobody else take tags away, and denies nothing that is none of its business', () => {
    const policy = bucketPolicy(EMPTY, wish);
    fc.assert(
      fc.property(request, stranger, (asked, principal) => {
        fc.pre(![...READS, ...WRITES].includes(asked.action));
        expect(isDenied(policy, { ...asked, principal })).toBe(UNTAGS.includes(asked.action));
      }),
    );
  });

  it('denies the service and those of the break-glass list nothing', () => {
    const policy = bucketPolicy(EMPTY, wish);
    fc.assert(
      fc.property(request, fc.constantFrom(SCANNER, RESCUER), (asked, principal) => {
        expect(isDenied(policy, { ...asked, principal } satisfies PolicyRequest)).toBe(false);
      }),
    );
  });

  it('leaves every statement of others as and where it is, and is the same when it is made again', () => {
    fc.assert(
      fc.property(foreign, fc.boolean(), (statements, othersMayTag) => {
        const once = bucketPolicy(policyOf(statements), { ...wish, othersMayTag });
        expect(once.Statement.slice(0, statements.length)).toEqual(statements);
        expect(once['Id']).toBe('x');
        expect(bucketPolicy(once, { ...wish, othersMayTag })).toEqual(once);
        // Another wish replaces ours alone.
        const again = bucketPolicy(once, { ...wish, scanners: [RESCUER] });
        expect(again.Statement.slice(0, statements.length)).toEqual(statements);
        expect(again.Statement).toHaveLength(once.Statement.length);
      }),
    );
  });

  it('is that of GuardDuty where the service writes its tag', () => {
    const policy = bucketPolicy(EMPTY, {
      ...wish,
      verdict: { key: 'GuardDutyMalwareScanStatus', clean: ['NO_THREATS_FOUND'] },
      reservedKeys: ['GuardDutyMalwareScanStatus'],
    });
    const read = { action: 's3:GetObject', resource: 'arn:aws:s3:::uploads/x', requestTags: {} };
    const tagged = (value: string) => ({ ...read, existingTags: { GuardDutyMalwareScanStatus: value } });
    expect(isDenied(policy, tagged('NO_THREATS_FOUND'))).toBe(false);
    expect(isDenied(policy, tagged('UNSUPPORTED'))).toBe(true);
    expect(isDenied(policy, { ...read, existingTags: { 'sallyport-verdict': 'clean' } })).toBe(true);
  });

  it('lets readers of a bucket that requires secrets alone see what is clean in that, and what is clean in all', () => {
    const policy = bucketPolicy(EMPTY, { ...wish, ...verdictKeys('sallyport', ['secrets']) });
    const read = { action: 's3:GetObject', resource: 'arn:aws:s3:::uploads/x', requestTags: {} };
    const tagged = (value: string) => ({ ...read, existingTags: { 'sallyport-verdict': value } });
    expect(isDenied(policy, tagged('clean:secrets'))).toBe(false);
    expect(isDenied(policy, tagged('clean'))).toBe(false);
    for (const other of ['clean:malware', 'incomplete', 'secrets'])
      expect(isDenied(policy, tagged(other)), other).toBe(true);
    expect(isDenied(bucketPolicy(EMPTY, wish), tagged('clean:secrets'))).toBe(true);
  });

  it('opens nothing by the word that GuardDuty has for what could not be looked at, and says so', () => {
    const keys = verdictKeys('guardduty', ['secrets']);
    expect(keys.verdict.clean).toEqual(['NO_THREATS_FOUND']);
    expect(limitsOf({ ...wish, ...keys }).join(' ')).toContain('GuardDuty has no word for that');
    expect(limitsOf({ ...wish, ...verdictKeys('guardduty', ['malware']) }).join(' ')).not.toContain(
      'no word',
    );
  });

  it('names the bucket as its part of AWS does', () => {
    const { Statement } = bucketPolicy(EMPTY, { ...wish, region: 'cn-north-1' });
    expect(new Set(Statement.map(({ Resource }) => Resource))).toEqual(
      new Set(['arn:aws-cn:s3:::uploads/*']),
    );
    expect(Statement.map(({ Sid }) => Sid)).toEqual(Object.values(SIDS));
  });

  it('is refused where it would lock the service out, or names who cannot be named', () => {
    expect(() => bucketPolicy(EMPTY, { ...wish, scanners: [] })).toThrow(/scanners/);
    for (const arn of [
      '*',
      'alice',
      'arn:aws:sts::111122223333:assumed-role/sallyport/session',
      'arn:aws:s3:::uploads',
    ]) {
      expect(() => bucketPolicy(EMPTY, { ...wish, breakGlass: [arn] })).toThrow(InvalidInput);
    }
    expect(() => bucketPolicy(EMPTY, { ...wish, breakGlass: ['arn:aws:sts::1:assumed-role/a/b'] })).toThrow(
      /^breakGlass: .* name the role/,
    );
    expect(() => bucketPolicy(EMPTY, { ...wish, scanners: ['alice'] })).toThrow(/^scanners: alice /);
  });

  it('is refused when it would be larger than S3 takes', () => {
    const breakGlass = Array.from(
      { length: 150 },
      (_, index) => `arn:aws:iam::111122223333:role/rescue-${index}`,
    );
    expect(() => bucketPolicy(EMPTY, { ...wish, breakGlass })).toThrow(/S3 takes 20480/);
  });

  it('tells what it cannot do', () => {
    expect(limitsOf(wish).join(' ')).toMatch(/released.*replicas/s);
    expect(limitsOf({ ...wish, othersMayTag: true }).join(' ')).toContain(
      'reads as such until its own scan ends',
    );
  });
});

describe('a policy that is there', () => {
  it('is read with one statement without brackets, and with none', () => {
    expect(readPolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow"}}', 'It').Statement).toEqual([
      { Effect: 'Allow' },
    ]);
    expect(readPolicy(undefined, 'It').Statement).toEqual([]);
  });

  it('is not replaced when it cannot be understood', () => {
    for (const text of ['{', '[]', '{"Statement":[1]}', '{"Statement":[{"Sid":"x"}]}', '"x"']) {
      expect(() => readPolicy(text, 'The policy')).toThrow(/The policy cannot be read/);
    }
  });
});
