import { beforeAll, describe, expect, test } from 'vitest';
import type { SecretFinding } from '../../../../../src/tasks/scan/secrets/finding.js';
import { scan } from '../support/scan.js';
import { formats } from './formats.js';
import { hosts, Noise } from './hosts.js';

/*
 * Every format in every kind of file, among numbers that look as random and are no secrets. What is expected comes
 * from the providers' documentation (formats.ts), not from the rules.
 */

const SEEDS = [1, 2];

interface Planted {
  readonly where: string;
  readonly provider: string;
  readonly found: readonly SecretFinding[];
  readonly start: number;
  readonly end: number;
}

const planted: Planted[] = [];

beforeAll(async () => {
  for (const seed of SEEDS)
    for (const [i, { provider, name, make }] of formats.entries())
      for (const [j, { path, write }] of hosts.entries()) {
        const number = (seed * formats.length + i) * hosts.length + j;
        const secret = make(number);
        const text = write(name, secret, new Noise(number));
        const start = text.indexOf(secret);
        const { findings } = await scan(text, path);
        planted.push({
          where: `${name} in ${path}`,
          provider,
          found: findings,
          start,
          end: start + secret.length,
        });
      }
}, 60_000);

const touches = (one: Planted, { location }: SecretFinding): boolean =>
  location.byteOffset < one.end && one.start < location.byteOffset + location.byteLength;

describe('secrets among what looks like them', () => {
  test('more than a thousand are planted, each once', () => {
    expect(planted.length).toBeGreaterThanOrEqual(1_000);
    expect(planted.filter(({ start }) => start < 0)).toEqual([]);
  });

  test('95 % are found, and with the right provider', () => {
    const missed = planted.filter(
      (one) => !one.found.some((finding) => finding.provider === one.provider && touches(one, finding)),
    );
    const recall = 1 - missed.length / planted.length;
    expect(recall, missed.map(({ where }) => where).join('\n')).toBeGreaterThanOrEqual(0.95);
  });

  test('90 % of what is called certain is a planted secret', () => {
    const certain = planted.flatMap((one) =>
      one.found
        .filter(({ confidence }) => confidence === 'high')
        .map((finding) => ({ ruleId: finding.ruleId, where: one.where, right: touches(one, finding) })),
    );
    const wrong = certain.filter(({ right }) => !right);
    const precision = 1 - wrong.length / certain.length;
    expect(certain.length).toBeGreaterThan(planted.length / 2);
    expect(precision, JSON.stringify(wrong.slice(0, 20))).toBeGreaterThanOrEqual(0.9);
  });
});
