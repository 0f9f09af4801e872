import { describe, expect, test } from 'vitest';
import { MEASURES, readOptions } from '../../bench/e2e/options.js';
import { table } from '../../bench/row.js';

describe('the bench from the upload to the tag', () => {
  test('takes everything unless told otherwise, in its own order', () => {
    const usual = { json: false, s3: 'embedded', only: MEASURES, rounds: 5, objects: 2000, gigabytes: 10 };
    expect(readOptions([])).toEqual(usual);
    expect(readOptions(['--json', '--s3', 'versitygw', '--only', 'large,latency', '--objects', '7'])).toEqual(
      {
        json: true,
        s3: 'versitygw',
        only: ['latency', 'large'],
        rounds: 5,
        objects: 7,
        gigabytes: 10,
      },
    );
  });

  test.each([
    [['--only', 'speed'], 'there is no speed'],
    [['--gigabytes', '0'], '--gigabytes: must be a whole number from 1, not "0"'],
    [['--rounds', '2.5'], '--rounds: must be a whole number from 1'],
    [['--seconds', '5'], '--seconds'],
    [['--s3', 'minio'], '--s3: must be embedded or versitygw, not "minio"'],
    [
      ['latency'],
      'npm run bench:e2e -- [--json] [--only NAME,…] [--rounds N] [--objects N] [--gigabytes N] [--s3 embedded|versitygw]',
    ],
  ])('refuses %j with its usage', (args, said) => {
    expect(() => readOptions(args)).toThrow(said);
    expect(() => readOptions(args)).toThrow('names: latency, built-in');
  });
});

test('the table of a bench says what was missed, and leaves a figure to compare without a judgement', () => {
  const row = { name: 'rate', value: 5, unit: '/s', from: 'here' };
  const rows = [
    { ...row, must: '>= 4', ok: true },
    { ...row, must: '>= 6', ok: false },
    { ...row, must: '', ok: true },
  ];
  const lines = table(rows, String).split('\n').slice(2);
  expect(lines.map((line) => line.split(/ {2,}/).slice(2))).toEqual([
    ['>= 4', 'ok', 'here'],
    ['>= 6', 'MISSED', 'here'],
    ['here'],
  ]);
  expect(table(rows, String, () => 'inconclusive')).toContain('inconclusive');
});
