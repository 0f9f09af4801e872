import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TagsFull } from '../../src/s3/storage-error.js';
import { placed } from '../../src/s3/tags.js';
import { OWN_TAGS, verdictTags } from '../../src/tasks/object/verdict-tags.js';
import { VERDICTS } from '../../src/verdicts/verdict.js';

const own = {
  ours: [
    ['sallyport-verdict', 'clean'],
    ['sallyport-scanned-at', 'now'],
  ] as const,
  stale: OWN_TAGS,
};
const userTags = fc.dictionary(fc.stringMatching(/^u[a-z]{1,6}$/), fc.string(), { maxKeys: 10 });
const leftovers = fc.subarray([...OWN_TAGS]);

describe('our tags among those of others', () => {
  it('never cost a user’s tag, never exceed ten, and the verdict goes first', () => {
    fc.assert(
      fc.property(userTags, leftovers, (users, stale) => {
        const before = {
          ...users,
          ...Object.fromEntries(stale.slice(0, 10 - Object.keys(users).length).map((key) => [key, 'old'])),
        };
        const room = 10 - Object.keys(users).length;
        if (room === 0) {
          expect(() => placed(before, own)).toThrow(TagsFull);
          return;
        }
        const { all, written, left } = placed(before, own);
        expect(all).toMatchObject(users);
        expect(Object.keys(all).length).toBeLessThanOrEqual(10);
        expect(all['sallyport-verdict']).toBe('clean');
        expect(Object.keys(written).length + left.length).toBe(2);
        expect(Object.values(all)).not.toContain('old');
      }),
    );
  });

  it('placed again, they change nothing', () => {
    fc.assert(
      fc.property(userTags, (users) => {
        fc.pre(Object.keys(users).length < 10);
        const once = placed(users, own).all;
        expect(placed(once, own).all).toEqual(once);
      }),
    );
  });

  it('what another style of ours left is replaced; GuardDuty’s own tag is not', () => {
    const present = {
      'sallyport-verdict': 'infected',
      'sallyport-decision': 'released',
      GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND',
    };
    expect(placed(present, own).all).toEqual({
      GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND',
      'sallyport-verdict': 'clean',
      'sallyport-scanned-at': 'now',
    });
    const guardduty = { ours: [['GuardDutyMalwareScanStatus', 'THREATS_FOUND']] as const, stale: OWN_TAGS };
    expect(placed(present, guardduty).all).toEqual({ GuardDutyMalwareScanStatus: 'THREATS_FOUND' });
  });

  it.each(['sallyport', 'guardduty'] as const)('in the style %s keep to what S3 takes', (style) => {
    for (const verdict of VERDICTS) {
      for (const [key, value] of Object.entries(verdictTags(verdict, Date.UTC(2026, 10, 23), style) ?? {})) {
        expect(key).toMatch(/^[\w-]{1,128}$/);
        expect(value).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u);
      }
    }
  });

  it('never say the bare word of what was looked at in part', () => {
    expect(verdictTags('clean (secrets)', 0, 'sallyport')?.['sallyport-verdict']).toBe('clean:secrets');
    expect(verdictTags('clean', 0, 'sallyport')?.['sallyport-verdict']).toBe('clean');
  });

  it.each([
    ['clean', 'NO_THREATS_FOUND'],
    ['clean (malware)', 'NO_THREATS_FOUND'],
    ['clean (secrets)', 'UNSUPPORTED'],
    ['infected', 'THREATS_FOUND'],
    ['suspicious', 'THREATS_FOUND'],
    ['secrets', 'THREATS_FOUND'],
    ['encrypted', 'UNSUPPORTED'],
    ['unsupported', 'UNSUPPORTED'],
    ['incomplete', 'UNSUPPORTED'],
    ['archived', 'UNSUPPORTED'],
    ['denied', 'ACCESS_DENIED'],
    ['failed', 'FAILED'],
    ['gone', undefined],
    ['superseded', undefined],
    ['skipped', undefined],
    ['pending', undefined],
  ] as const)('GuardDuty’s word for %s is %s', (verdict, status) => {
    expect(verdictTags(verdict, 0, 'guardduty')?.['GuardDutyMalwareScanStatus']).toBe(status);
  });
});
