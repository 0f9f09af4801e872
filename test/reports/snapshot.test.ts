import { beforeAll, describe, expect, it } from 'vitest';
import { appendAudit } from '../../src/audit/audit.js';
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

  it('closes no finding because of a scan that was withdrawn, or that could not look', async () => {
    // What a cancelled run leaves: a scan that is over, without a verdict of its own.
    await parts.test.query(
      `INSERT INTO scan (id, object_id, generation, origin, requested_by, opened_object, workflow_name, workflow_id, requested_at, verdict_at)
       SELECT gen_random_uuid(), object_id, 2, 'request', 'system:rescan', false, 'scan', 'x' || object_id, $1, $1
         FROM scan WHERE generation = 1`,
      [MONDAY + 2 * DAY],
    );
    expect((await snapshot(week)).data.findings.balance).toMatchObject({ closed: 0, closing: 400 });
    await parts.test.query(
      `INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, engines, bytes_scanned, bytes_total, not_covered, at)
       SELECT object_id, id, 2, 'failed', 'could_not_start', '[]', 0, 10, '[]', $1 FROM scan WHERE generation = 2`,
      [MONDAY + 2 * DAY],
    );
    const { findings, scanning } = (await snapshot(week)).data;
    expect(findings.balance).toMatchObject({ closed: 0, closing: 400 });
    expect(scanning.outages).toEqual([]);
  });

  it('does not pass the audit record that somebody found broken, whatever the service says afterwards', async () => {
    const at = MONDAY + 3 * DAY;
    const verified = (actor: string, data: object) => ({
      at,
      actor,
      action: 'audit.verified',
      subject: 'audit:x',
      data: { events: 1, head: 'x', ...data },
    });
    const chainCheck = async () =>
      (await snapshot(week)).data.controls.find(({ id }) => id === 'chain_broken');
    expect(await chainCheck()).toMatchObject({ result: 'unknown' });
    await appendAudit(database, [verified('system:reports', { isWhole: true })]);
    expect(await chainCheck()).toMatchObject({ result: 'pass' });
    await appendAudit(database, [
      verified('user:ada', { isWhole: false, bad: 'checkpoint 7 is not of this record' }),
      verified('system:reports', { isWhole: true }),
    ]);
    const check = await chainCheck();
    expect(check).toMatchObject({ result: 'fail', exceptions: { total: 1 } });
    expect(check?.exceptions.rows[0]?.what).toContain('user:ada');
  });
});
