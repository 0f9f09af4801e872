import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RetryLater } from '../../src/engine/ports.js';
import { ReportData } from '../../src/reports/data/report-data.js';
import { wholeFile } from '../../src/reports/report-files.js';
import { markRestored, releaseRestored } from '../support/restoration.js';
import { TESTER } from '../support/engine.js';
import { verifyProgram } from '../support/verify-program.js';
import { DAY, MONDAY, ReportTest } from './report-parts.js';

const the = new ReportTest();
const WEEK = 7 * DAY;

/** The reports that the clock asked for, by label. */
async function scheduled(): Promise<Map<string, string>> {
  const rows = await the.test.query<{ id: string; label: string }>(
    'SELECT id, label FROM report ORDER BY period_to',
  );
  return new Map(rows.map(({ id, label }) => [label, id]));
}
async function idOf(label: string): Promise<string> {
  const id = (await scheduled()).get(label);
  if (id === undefined) throw new Error(`no report ${label}`);
  return id;
}

async function make(id: string): Promise<void> {
  await the.maker().snapshot(id);
  await the.maker().render(id);
  await the.sequencer.turn();
  await the.maker().sign(id);
}

/** A week with three uploads is over, and its report asked for. */
async function oneWeek(): Promise<string> {
  await the.upload(MONDAY + DAY);
  await the.upload(MONDAY + 2 * DAY, 'infected');
  await the.upload(MONDAY + 3 * DAY, 'pending');
  the.clock.advance(WEEK + DAY);
  await the.sequencer.turn();
  await the.reportClock().catchUp();
  return idOf('2026-W10');
}

const shas = async (id: string): Promise<Map<string, string>> =>
  new Map((await the.reports().detail(id)).files.map(({ name, sha256 }) => [name, sha256]));

describe('a report', () => {
  it('is made in steps, and everything of it is in one archive that verifies', async () => {
    const id = await oneWeek();
    await make(id);
    const detail = await the.reports().detail(id);
    expect(detail).toMatchObject({
      status: 'ready',
      kind: 'weekly',
      coverage: { uploaded: 3, addsUp: true },
    });
    const data = ReportData.parse(await the.maker().data(id));
    expect(data.coverage.groups).toEqual({ clean: 1, found: 1, notWhole: 0, notScanned: 0, pending: 1 });
    expect(data.coverage.pending).toEqual({ opening: 0, uploaded: 3, settled: 2, closing: 1, addsUp: true });

    const stored = detail.files.map(({ name }) => name);
    expect(stored).toEqual(expect.arrayContaining(['report.json', 'report.html', 'report.pdf']));
    expect((await wholeFile(the.db, id, 'report.pdf'))?.subarray(0, 5).toString()).toBe('%PDF-');

    const folder = mkdtempSync(join(tmpdir(), 'sallyport-report-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const archive = join(folder, 'report.zip');
    const bytes = await wholeFile(the.db, id, 'bundle.zip');
    writeFileSync(archive, bytes ?? '');
    const { publicKey } = the.checkpoints.current;
    expect(await verifyProgram(archive, '--key', publicKey)).toMatchObject({ code: 0 });
    const torn = Buffer.from(bytes ?? '');
    torn.writeUInt8(torn.readUInt8(torn.length >> 1) ^ 1, torn.length >> 1);
    writeFileSync(archive, torn);
    expect((await verifyProgram(archive, '--key', publicKey)).code).not.toBe(0);
  });

  it('is stored once, however often and by however many each step is tried', async () => {
    const id = await oneWeek();
    await make(id);
    const before = await shas(id);
    await the.upload(MONDAY + 4 * DAY);
    await Promise.all([1, 2, 3, 4].map(() => the.maker().snapshot(id)));
    await Promise.all([1, 2, 3].map(() => the.maker().render(id)));
    await Promise.all([1, 2, 3].map(() => the.maker().sign(id)));
    expect(await shas(id)).toEqual(before);
  });

  it('cannot be changed by the service, nor its files removed', async () => {
    const id = await oneWeek();
    await make(id);
    for (const statement of [
      `UPDATE report_part SET content = 'x'`,
      'DELETE FROM report_part',
      `UPDATE report_file SET sha256 = 'x'`,
      'DELETE FROM report_file',
    ])
      await expect(the.db.query(statement)).rejects.toThrow(/append-only|permission denied/);
  });

  it('restates in the next one what later facts changed, once, and is never changed itself', async () => {
    const first = await oneWeek();
    await make(first);
    await the.endWorkflow(first);
    const before = await shas(first);
    // Its event was held up for a week; and what still waited was judged.
    await the.upload(MONDAY + 4 * DAY, 'secrets');
    the.clock.advance(WEEK);
    await the.reportClock().catchUp();
    const second = await idOf('2026-W11');
    await make(second);
    await the.endWorkflow(second);
    const { restated } = await the.maker().data(second);
    const of = { reportId: first, label: '2026-W10' };
    expect(restated).toEqual([
      { ...of, figure: 'coverage.uploaded', stated: 3, now: 4 },
      { ...of, figure: 'coverage.found', stated: 1, now: 2 },
    ]);
    expect(await shas(first)).toEqual(before);
    the.clock.advance(WEEK);
    await the.reportClock().catchUp();
    const third = await idOf('2026-W12');
    await make(third);
    expect((await the.maker().data(third)).restated).toEqual([]);
    expect((await the.maker().data(third)).previous).toMatchObject({ reportId: second, label: '2026-W11' });
  });

  it('waits for the one of an earlier period while that is in the making, and not for one that failed', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(2 * WEEK + DAY);
    await the.reportClock().catchUp();
    const [first, second] = [await idOf('2026-W10'), await idOf('2026-W11')];
    await expect(the.maker().snapshot(second)).rejects.toThrow(RetryLater);
    await the.endWorkflow(first);
    await expect(the.maker().snapshot(second)).resolves.toMatchObject({ period: { label: '2026-W11' } });
    expect(await the.reports().get(first)).toMatchObject({ status: 'failed' });
  });
});

describe('asking for a report by hand', () => {
  const ask = () =>
    the.reports().request({ kind: 'weekly', from: undefined, to: undefined }, { kind: 'user', id: 'ada' });
  const askMany = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, ask)).then((all) =>
      all.filter(({ status }) => status === 'fulfilled'),
    );

  it('is possible for twenty that are not made yet, and for another when one of them is over', async () => {
    the.clock.advance(DAY);
    // Also where they ask at once.
    expect(await askMany(23)).toHaveLength(20);
    await expect(ask()).rejects.toMatchObject({
      status: 429,
      message: expect.stringMatching(
        /^20 reports that were asked for by hand within a day are not ready yet/,
      ),
    });
    const [row] = await the.test.query<{ id: string }>('SELECT id FROM report LIMIT 1');
    await the.endWorkflow(row?.id ?? '');
    await expect(ask()).resolves.toMatchObject({ status: 'pending' });
  });

  it('is possible a hundred times a day, and does not keep the clock from asking', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(WEEK + DAY);
    await the.test.query(
      `INSERT INTO report (id, kind, label, period_from, period_to, scheduled, requested_by, workflow_id, created_at, status)
       SELECT gen_random_uuid(), 'weekly', 'x', 0, 1, false, 'user:ada', n::text, $1::bigint, 'ready'
         FROM generate_series(1, 100) AS n`,
      [the.clock.now() - 3_600_000],
    );
    await expect(ask()).rejects.toMatchObject({
      status: 429,
      retryAfterSeconds: 23 * 3600,
      message: expect.stringMatching(/^100 reports were asked for by hand within a day/),
    });
    await the.reportClock().catchUp();
    const asked = await the.test.query('SELECT label FROM report WHERE scheduled');
    expect(asked).toEqual([{ label: '2026-W10' }]);
    the.clock.advance(23 * 3_600_000);
    await expect(ask()).resolves.toMatchObject({ status: 'pending' });
  });
});

describe('the clock of the reports', () => {
  it('starts what was asked for and never started, as after a crash between the two', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(WEEK + DAY);
    await the.engine.definitions.deleteWorkflow('weekly_audit_report', 1, TESTER);
    await expect(the.reportClock().catchUp()).rejects.toThrow();
    const id = await idOf('2026-W10');
    await expect(the.engine.engine.get(id)).rejects.toThrow();
    await the.defineWorkflow();
    await the.reportClock().catchUp();
    await expect(the.engine.engine.get(id)).resolves.toMatchObject({ status: 'RUNNING' });
  });

  it('asks for one report a week, in order, however many processes look and however long nobody did', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(3 * WEEK + DAY);
    await Promise.all([1, 2, 3, 4].map(() => the.reportClock().catchUp()));
    expect([...(await scheduled()).keys()]).toEqual(['2026-W10', '2026-W11', '2026-W12']);
    the.clock.advance(9 * WEEK);
    await the.reportClock().catchUp();
    await the.reportClock().catchUp();
    expect((await scheduled()).size).toBe(12);
  });

  it('asks for none while a restore is held, and for all of them when it is let go on', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(2 * WEEK + DAY);
    await markRestored(the.db);
    const reportClock = the.reportClock();
    await reportClock.catchUp();
    expect((await scheduled()).size).toBe(0);
    await releaseRestored(the.db);
    await reportClock.catchUp();
    expect([...(await scheduled()).keys()]).toEqual(['2026-W10', '2026-W11']);
  });

  it('waits two hours for what comes late', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(WEEK + 2 * 3_600_000 - 1);
    await the.reportClock().catchUp();
    expect((await scheduled()).size).toBe(0);
    the.clock.advance(1);
    await the.reportClock().catchUp();
    expect((await scheduled()).size).toBe(1);
  });

  it('leaves nothing out and tells nothing twice where the organisation changes its time zone', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(WEEK + DAY);
    await the.reportClock().catchUp();
    the.clock.advance(2 * WEEK);
    await the.reportClock({ ORG_TIME_ZONE: 'America/New_York' }).catchUp();
    const periods = await the.test.query<{ from: number; to: number }>(
      'SELECT period_from::float8 AS from, period_to::float8 AS to FROM report ORDER BY period_to',
    );
    expect(periods).toHaveLength(3);
    expect(periods.slice(1).map(({ from }) => from)).toEqual(periods.slice(0, -1).map(({ to }) => to));
  });

  it('makes months and quarters too where it is told to', async () => {
    await the.upload(MONDAY + DAY);
    the.clock.advance(35 * DAY);
    await the.reportClock({ REPORT_KINDS: 'monthly,quarterly' }).catchUp();
    expect([...(await scheduled()).keys()]).toEqual(['2026-03', '2026-Q1']);
  });
});

describe('the mail of a report', () => {
  it('goes to REPORT_TO and the people of the roles that get it, one mail each, once', async () => {
    const id = await oneWeek();
    await make(id);
    await the.test.query(
      `INSERT INTO app_user (id, name, email, password_hash, roles, disabled, created_at) VALUES
         (gen_random_uuid(), 'ada', 'ada@example.org', '', '{auditor}', false, 0),
         (gen_random_uuid(), 'bob', 'bob@example.org', '', '{approver}', false, 0),
         (gen_random_uuid(), 'cleo', 'cleo@example.org', '', '{auditor}', true, 0)`,
    );
    const settings = { REPORT_TO: 'board@example.org,ADA@example.org' };
    expect(await the.mailer(settings).send(id)).toBe(2);
    expect(await the.mailer(settings).send(id)).toBe(2);
    const { deliveries } = await the.reports().detail(id);
    expect(deliveries.map(({ to, state }) => [to, state])).toEqual([
      ['ada@example.org', 'pending'],
      ['board@example.org', 'pending'],
    ]);
  });

  it('goes to those who decide where nobody else is to have it', async () => {
    const id = await oneWeek();
    await make(id);
    await the.test.query(
      `INSERT INTO app_user (id, name, email, password_hash, roles, disabled, created_at)
       VALUES (gen_random_uuid(), 'bob', 'bob@example.org', '', '{approver}', false, 0)`,
    );
    expect(await the.mailer().send(id)).toBe(1);
    expect((await the.reports().detail(id)).deliveries.map(({ to }) => to)).toEqual(['bob@example.org']);
  });
});
