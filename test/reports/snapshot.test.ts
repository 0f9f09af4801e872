import { beforeAll, describe, expect, it } from 'vitest';
import { ReportData } from '../../src/reports/data/report-data.js';
import { takeSnapshot, type Snapshot } from '../../src/reports/snapshot.js';
import { intakeParts } from '../intake/intake-parts.js';
import { pastFindings, pastReviews, pastUploads } from '../support/past.js';

const DAY = 86_400_000;
const MONDAY = Date.parse('2026-03-02T00:00:00Z');
const REPORT = '00000000-0000-4000-8000-00000000abcd';

const parts = await intakeParts();
const { database } = parts;

const snapshot = (of: { from: number; to: number; now?: number }): Promise<Snapshot> =>
  database.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    return takeSnapshot(tx, {
      reportId: REPORT,
      kind: 'weekly',
      label: '2026-W10',
      timeZone: 'UTC',
      organisation: 'Example',
      scheduled: false,
      now: MONDAY + 30 * DAY,
      ...of,
    });
  });
const week = { from: MONDAY, to: MONDAY + 7 * DAY };

beforeAll(async () => {
  await parts.test.truncate();
  await pastUploads(parts.test, { count: 3000, at: MONDAY });
  await pastFindings(parts.test, { scans: 200, each: 2 });
  await pastReviews(parts.test, { count: 100, at: MONDAY });
});

describe('the snapshot of a week', () => {
  it('fits its schema, and the same state makes the same bytes', async () => {
    const { data } = await snapshot(week);
    expect(ReportData.parse(JSON.parse(JSON.stringify(data)))).toEqual(data);
    expect(JSON.stringify((await snapshot(week)).data)).toBe(JSON.stringify(data));
  });

  it('is of a week in which nothing happened as well', async () => {
    const empty = { from: MONDAY - 7 * DAY, to: MONDAY };
    const { data, figures } = await snapshot(empty);
    expect(ReportData.parse(JSON.parse(JSON.stringify(data)))).toEqual(data);
    expect(data.coverage).toMatchObject({ uploaded: 0, addsUp: true });
    expect(Object.values(figures).every((figure) => figure === 0)).toBe(true);
  });

  it('counts findings once for each object, rule and secret', async () => {
    const { data } = await snapshot(week);
    expect(data.findings.balance).toMatchObject({ opening: 0, new: 400, closing: 400, addsUp: true });
    expect(data.findings.dedup).toEqual({ occurrences: 400, distinct: 400, isEstimated: false });
    expect(data.findings.open.reduce((sum, { count }) => sum + count, 0)).toBe(400);
  });
});
