import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareSequencers, sequenceOf } from '../../src/intake/sequencer.js';

const hex = fc
  .array(fc.constantFrom(...Array.from('0123456789ABCDEF')), { minLength: 1, maxLength: 40 })
  .map((digits) => digits.join(''));

describe('sequencers', () => {
  it('compare padded on the right, as S3 documents', () => {
    expect(compareSequencers('0064D3901D00059242', '0064D3901E')).toBeLessThan(0);
    expect(compareSequencers('0064D3901E', '0064D3901D00059242')).toBeGreaterThan(0);
    expect(compareSequencers('00AB', '00AB00')).toBe(0);
    expect(compareSequencers('00ab', '00AB')).toBe(0);
  });

  it('are ordered totally', () => {
    fc.assert(
      fc.property(hex, hex, hex, (a, b, c) => {
        expect(Math.sign(compareSequencers(a, b))).toBe(0 - Math.sign(compareSequencers(b, a)));
        if (compareSequencers(a, b) <= 0 && compareSequencers(b, c) <= 0) {
          expect(compareSequencers(a, c)).toBeLessThanOrEqual(0);
        }
        expect(compareSequencers(a, `${a}0`)).toBe(0);
      }),
    );
  });

  it('sort as stored text in the order in which they compare', () => {
    fc.assert(
      fc.property(hex, hex, (a, b) => {
        const left = sequenceOf('aws', a)?.padded ?? '';
        const right = sequenceOf('eventbridge', b)?.padded ?? '';
        expect(left < right).toBe(compareSequencers(a, b) < 0);
        expect(left === right).toBe(compareSequencers(a, b) === 0);
      }),
    );
  });

  it('order nothing for sources that restart or invent them', () => {
    expect(sequenceOf('versitygw', 'F')).toBeUndefined();
    expect(sequenceOf('other', '1700000000000')).toBeUndefined();
    expect(sequenceOf('aws', 'not hex')).toBeUndefined();
    expect(sequenceOf('aws', 'A'.repeat(65))).toBeUndefined();
    expect(sequenceOf('aws', undefined)).toBeUndefined();
    expect(sequenceOf('aws', '00A')?.domain).toBe(sequenceOf('eventbridge', '00A')?.domain);
    for (const kind of ['guardduty', 'job', 'ceph'] as const) expect(sequenceOf(kind, '00A')).toBeUndefined();
  });

  it('written with and without the zeros in front are not compared', () => {
    expect(sequenceOf('aws', '00617F08299329D189')?.domain).not.toBe(
      sequenceOf('eventbridge', '617f08299329d189')?.domain,
    );
  });
});
