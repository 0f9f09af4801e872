import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import type { Queryable } from '../../../src/database/queryable.js';
import { EvidenceController } from '../../../src/reports/evidence/evidence.controller.js';
import { EvidenceService } from '../../../src/reports/evidence/evidence.service.js';
import { drawSample } from '../../../src/reports/population/sample.js';
import { sayTo } from '../../cli/say-to.js';
import { headOf, httpApp } from '../../intake/http-app.js';
import { intakeParts } from '../../intake/intake-parts.js';
import { eventually } from '../../support/eventually.js';
import { pastReviews, pastUploads } from '../../support/past.js';

const MONDAY = Date.parse('2026-03-02T00:00:00Z');
const TIMES = 'from=2026-03-02&to=2026-03-09T00:00:00Z';
const WEEK = { from: MONDAY, to: MONDAY + 7 * 86_400_000 };

const parts = await intakeParts();
const { database, clock } = parts;
const evidence = new EvidenceService(database, clock);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [EvidenceController],
    providers: [{ provide: EvidenceService, useValue: evidence }],
  },
);
const say = sayTo(server, 'evidence');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-evidence-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await parts.test.truncate();
  await pastUploads(parts.test, { count: 6000, at: MONDAY });
  await pastReviews(parts.test, { count: 100, at: MONDAY });
});

const get = (path: string) => server.inject({ url: `/api/v1/evidence/${path}` });
const events = (action: string) =>
  database.query<{ actor: string; data: Record<string, unknown> }>(
    'SELECT actor, data FROM audit_event WHERE action = $1 ORDER BY id',
    [action],
  );

describe('evidence over HTTP', () => {
  it('is every row, as a file for a spreadsheet or line by line, and on record before anything is sent', async () => {
    const csv = await get(`uploads.csv?${TIMES}&bom=true`);
    expect(csv.statusCode).toBe(200);
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(csv.headers['content-disposition']).toBe('attachment; filename="uploads.csv"');
    expect(csv.body.startsWith('\ufeffobject_id,endpoint,')).toBe(true);
    expect(csv.body.trimEnd().split('\r\n')).toHaveLength(6001);
    const lines = (await get(`reviews.jsonl?${TIMES}`)).body.trimEnd().split('\n');
    expect(lines).toHaveLength(100);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ title: 'Question 1', queue: 'malware' });
    expect((await events('evidence.exported')).map(({ data }) => data)).toMatchObject([
      { kind: 'uploads', format: 'csv', from: '2026-03-02T00:00:00.000Z', to: '2026-03-09T00:00:00.000Z' },
      { kind: 'reviews', format: 'jsonl' },
    ]);
  });

  it.each([
    ['uploads.xlsx', TIMES, 'file: must be one of uploads, findings'],
    ['users.csv', TIMES, 'file: must be one of uploads, findings'],
    ['uploads.csv', 'from=2026-03-02', 'to: '],
    ['uploads.csv', 'from=yesterday&to=2026-03-09', 'from: must be a time or a day'],
    ['uploads.csv', 'from=2026-03-09&to=2026-03-09', 'to: must come after `from`'],
    ['uploads.csv', 'from=2024-01-01&to=2026-03-09', 'to: must be a year after `from` at most'],
    ['decisions/sample', `${TIMES}&seed=%00`, 'seed: must be printable ASCII'],
    ['decisions/sample', `${TIMES}&size=0`, 'size: '],
    ['decisions/sample', `${TIMES}&by=name`, 'by: '],
  ])('is refused by name: %s?%s', async (path, query, message) => {
    const { statusCode, body } = await get(`${path}?${query}`);
    expect(statusCode).toBe(400);
    expect((JSON.parse(body) as { detail: string }).detail).toContain(message);
  });

  it('is given to two at once; a third may come again, and whoever goes away makes room', async () => {
    const first = await evidence.export('uploads', 'csv', WEEK, 'user:a');
    const second = await evidence.export('uploads', 'csv', WEEK, 'user:b');
    await expect(evidence.export('uploads', 'csv', WEEK, 'user:c')).rejects.toMatchObject({ status: 429 });
    first.destroy();
    await eventually(
      async () => {
        const third = await evidence.export('uploads', 'csv', WEEK, 'user:c').catch(() => undefined);
        third?.destroy();
        return third !== undefined;
      },
      { timeoutMs: 5000, what: 'there is room again' },
    );
    expect((await textOf(second)).split('\r\n')).toHaveLength(6002);
  });

  it('is read from the database no faster than somebody takes it, and all of it as it was when it began', async () => {
    let pages = 0;
    const counting = {
      query: database.query.bind(database),
      transaction: <T>(work: (tx: Queryable) => Promise<T>): Promise<T> =>
        database.transaction((tx) =>
          work({
            query: (statement, values) => {
              if (statement.includes('object_version')) pages += 1;
              return tx.query(statement, values);
            },
          }),
        ),
    } as Database;
    const slow = await new EvidenceService(counting, clock).export('uploads', 'csv', WEEK, 'user:a');
    await eventually(async () => slow.readableLength > 0, {
      timeoutMs: 5000,
      what: 'the first rows are there',
    });
    expect(pages).toBe(1);
    await database.query('UPDATE object_version SET verdict = $1', ['clean']);
    const all = await textOf(slow);
    expect(pages).toBe(7);
    expect(all.split('\r\n')).toHaveLength(6002);
    expect(all).not.toContain(',clean,');
  });
});

describe('evidence on the command line', () => {
  it('is written to a file, and over no other', async () => {
    const file = join(folder, 'decisions.csv');
    const args = ['export', 'decisions', '--from', '2026-03-02', '--to', '2026-03-09', '--output', file];
    expect((await say(...args)).text).toMatch(/decisions.csv: \d+ bytes$/);
    expect(readFileSync(file, 'utf8')).toBe((await get(`decisions.csv?${TIMES}`)).body);
    await expect(say(...args)).rejects.toThrow(/^--output: EEXIST/);
    const wrong = join(folder, 'wrong.csv');
    const backwards = ['--from', '2026-03-02', '--to', '2020-01-01'];
    await expect(say('export', 'decisions', ...backwards, '--output', wrong)).rejects.toThrow(
      /--to: must come after/,
    );
    expect(existsSync(wrong)).toBe(false);
  });

  it('is sampled by a seed, and anybody who has the population draws the same', async () => {
    const times = ['--from', '2026-03-02', '--to', '2026-03-09'];
    const drawn = JSON.parse((await say('sample', ...times, '--seed', "the auditor's", '--json')).text) as {
      size: number;
      population: number;
      items: { reviewId: string }[];
    };
    const population = (await get(`decisions.csv?${TIMES}`)).body.trimEnd().split('\r\n').slice(1);
    const ids = population.map((line) => line.split(',')[0] ?? '');
    expect(drawn).toMatchObject({ population: 80, size: 25 });
    expect(drawn.items.map(({ reviewId }) => reviewId)).toEqual(drawSample(ids, "the auditor's"));
    const { text } = await say('sample', ...times, '--by', 'outcome', '--size', '10');
    expect(text).toMatch(/10 of 80 decisions, drawn by the seed [0-9a-f]{32}/);
    expect(text).toMatch(/delete: \d of \d+\nrelease: \d of \d+/);
    expect(await events('evidence.sampled')).toMatchObject([
      { data: { seed: "the auditor's", population: 80, size: 25, by: null } },
      { data: { size: 10, by: 'outcome' } },
    ]);
  });
});
