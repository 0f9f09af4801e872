import { describe, expect, it } from 'vitest';
import { bucketPolicy } from '../../../src/intake/connect/bucket-policy.js';
import type { PolicyDocument, Statement } from '../../../src/intake/connect/policy-document.js';
import { policyFacts } from '../../../src/intake/doctor/policy-facts.js';

const KEY = 'sallyport-verdict';
const policy = (...Statement: Statement[]): PolicyDocument => ({ Version: '2012-10-17', Statement });
const deny = (Action: unknown, Condition: object = {}): Statement => ({ Effect: 'Deny', Action, Condition });
const untagged = { StringNotEquals: { [`s3:ExistingObjectTag/${KEY}`]: 'clean' } };

describe('what a policy says about verdicts', () => {
  it('is all that the printed one is for', () => {
    const printed = bucketPolicy(policy(), {
      bucket: 'uploads',
      region: 'us-east-1',
      verdict: { key: KEY, clean: ['clean'] },
      isNeverClean: false,
      released: { key: 'sallyport-decision', value: 'released' },
      reservedKeys: [KEY],
      scanners: ['arn:aws:iam::111122223333:role/sallyport'],
      breakGlass: [],
      othersMayTag: true,
    });
    const all = { hidesUnclean: true, hidesUncleanVersions: true, keepsTag: true };
    expect(policyFacts(printed, KEY)).toEqual(all);
    expect(policyFacts(printed, 'GuardDutyMalwareScanStatus')).toMatchObject({ hidesUnclean: false });
  });

  it('is found in the words of others: wildcards, another case, one action without brackets', () => {
    expect(policyFacts(policy(deny('s3:Get*', untagged)), KEY)).toMatchObject({
      hidesUnclean: true,
      hidesUncleanVersions: true,
    });
    expect(policyFacts(policy(deny(['S3:getobject'], untagged)), KEY)).toMatchObject({
      hidesUnclean: true,
      hidesUncleanVersions: false,
    });
    const forging = deny('s3:PutObject', { StringLike: { [`s3:RequestObjectTag/${KEY}`]: '*' } });
    expect(policyFacts(policy(forging, deny('s3:PutObjectTagging')), KEY)).toMatchObject({ keepsTag: true });
  });

  it('is nothing where the statement allows, or asks for something else', () => {
    const none = { hidesUnclean: false, hidesUncleanVersions: false, keepsTag: false };
    const allows: Statement = { Effect: 'Allow', Action: 's3:*', Condition: untagged };
    expect(policyFacts(policy(allows), KEY)).toEqual(none);
    expect(policyFacts(policy(deny('s3:*', { Bool: { 'aws:SecureTransport': 'false' } })), KEY)).toEqual(
      none,
    );
    expect(policyFacts(policy(), KEY)).toEqual(none);
  });
});
