import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  judgeAnswer,
  ScannerAnswer,
  type Offered,
} from '../../../../src/tasks/scan/remote/scanner-answer.js';
import { judge } from '../../../../src/verdicts/verdict.js';

const SHA256 = 'ab'.repeat(32);
const offered: Offered = { scanner: 'acme', sha256: SHA256, sizeBytes: 100, servedBytes: 100 };
const whole = {
  kind: 'malware',
  engine: { name: 'Acme', version: '7' },
  sha256: SHA256,
  bytesScanned: 100,
  findings: [],
};
const found = { ruleId: 'Acme.Bad', title: 'Bad' };
const verdictOn = (answer: unknown, about: Partial<Offered> = {}) => {
  const { report, findings } = judgeAnswer(answer, { ...offered, ...about }, (place) => `f:${place.length}`);
  const own = {
    kind: 'secrets' as const,
    engines: [],
    bytesScanned: 100,
    bytesTotal: 100,
    members: 0,
    notCovered: [],
    counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 },
  };
  const { verdict } = judge({ required: ['secrets'], reports: [own], others: [report] });
  return { verdict, report, findings, why: report.notCovered.map(({ detail }) => detail).join('; ') };
};

describe('what a scanner outside says', () => {
  it.each([
    ['nothing found in all of it', whole, 'clean (secrets)', ''],
    ['nothing at all', undefined, 'incomplete', 'acme gave no answer'],
    ['null', null, 'incomplete', 'gave no answer'],
    ['no object', 'ok', 'incomplete', 'does not follow the schema'],
    ['no engine', { ...whole, engine: undefined }, 'incomplete', 'engine'],
    ['no version', { ...whole, engine: { name: 'Acme', version: '' } }, 'incomplete', 'engine.version'],
    ['a field that nobody knows', { ...whole, clean: true }, 'incomplete', 'clean'],
    [
      'the digest of other bytes',
      { ...whole, sha256: 'cd'.repeat(32) },
      'incomplete',
      'SHA-256 of other bytes',
    ],
    ['more than there is', { ...whole, bytesScanned: 101 }, 'incomplete', '101 of 100'],
    ['less than there is', { ...whole, bytesScanned: 99 }, 'incomplete', ''],
    [
      'a member that it could not open',
      { ...whole, notCovered: [{ path: 'a.zip!b', reason: 'encrypted' }] },
      'encrypted',
      'acme: encrypted',
    ],
    ['something certain', { ...whole, findings: [found] }, 'infected', ''],
    ['something uncertain', { ...whole, findings: [{ ...found, confidence: 'medium' }] }, 'suspicious', ''],
    ['a guess', { ...whole, findings: [{ ...found, confidence: 'low' }] }, 'clean (secrets)', ''],
    ['a secret', { ...whole, kind: 'secrets', findings: [found] }, 'secrets', ''],
    [
      'a lie and a find',
      { ...whole, sha256: 'cd'.repeat(32), findings: [found] },
      'infected',
      'SHA-256 of other bytes',
    ],
  ])('%s', (_, answer, verdict, why) => {
    const said = verdictOn(answer);
    expect(said.verdict).toBe(verdict);
    expect(said.why).toContain(why);
  });

  it('is worth no more than the bytes that it fetched', () => {
    const said = verdictOn(whole, { servedBytes: 60 });
    expect([said.verdict, said.why]).toEqual([
      'incomplete',
      'acme says it looked at 100 bytes, and fetched 60',
    ]);
  });

  it('is never taken for clean unless it names the bytes, and fetched them, and looked at them all', () => {
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constantFrom('secrets', 'malware'),
          engine: fc.constant(whole.engine),
          sha256: fc.constantFrom(SHA256, 'cd'.repeat(32), 'short'),
          bytesScanned: fc.integer({ min: -1, max: 120 }),
          findings: fc.array(fc.constant(found), { maxLength: 1 }),
          notCovered: fc.array(fc.constant({ reason: 'limit' }), { maxLength: 1 }),
        }),
        fc.integer({ min: 0, max: 120 }),
        (answer, servedBytes) => {
          const isHonest =
            answer.sha256 === SHA256 &&
            answer.bytesScanned === 100 &&
            servedBytes >= 100 &&
            answer.findings.length + answer.notCovered.length === 0;
          expect(verdictOn(answer, { servedBytes }).verdict.startsWith('clean')).toBe(isHonest);
        },
      ),
    );
  });

  it('never throws, whatever it is', () => {
    fc.assert(fc.property(fc.jsonValue(), (answer) => void verdictOn(answer)));
  });

  it('follows the schema that is published', () => {
    const published: unknown = JSON.parse(
      readFileSync(new URL('../../../../docs/scanner-answer.schema.json', import.meta.url), 'utf8'),
    );
    expect(published).toEqual({
      title: 'What a scanner answers',
      ...z.toJSONSchema(ScannerAnswer, { io: 'input' }),
    });
  });
});
