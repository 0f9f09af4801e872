import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keyring } from '../../../src/access/keyring.js';
import { AuditPlaces } from '../../../src/audit/anchors/places.js';
import { appendAudit } from '../../../src/audit/audit.js';
import { AuditCheckpoints } from '../../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../../src/audit/chain/sequencer.js';
import { run } from '../../../src/cli/run.js';
import { Database } from '../../../src/database/database.js';
import { OutboxBell } from '../../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../../src/outbound/postgres-outbox.js';
import { ocsfLines, sarifLines } from '../../../src/reports/bundle/for-tools.js';
import { ReportBundles } from '../../../src/reports/bundle/report-bundles.js';
import type { ReportData } from '../../../src/reports/data/report-data.js';
import { csvOf, type Range } from '../../../src/reports/population/population.js';
import { POPULATION_KINDS, populationOf } from '../../../src/reports/population/populations.js';
import { wholeFile, writeFile } from '../../../src/reports/report-files.js';
import { findReport } from '../../../src/reports/report-rows.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';
import { EXCEPTION, idOf, pastFindings, pastReviews, pastUploads } from '../../support/past.js';
import { verifyProgram } from '../../support/verify-program.js';

const MONDAY = Date.parse('2026-03-02T00:00:00Z');
const DAY = 86_400_000;
const WEEK = { from: MONDAY, to: MONDAY + 7 * DAY };
const HOSTILE = `</script><b>"quoted"\u2028\u202egpj.exe 日本 🔒`;

/** What of a report goes into its bundle beside its own pages. */
const data = {
  reportId: '5f0c0b56-0000-4000-8000-000000000001',
  organisation: 'Example',
  period: {
    label: '2026-W10',
    from: '2026-03-02T00:00:00.000Z',
    to: '2026-03-09T00:00:00.000Z',
    timeZone: 'UTC',
    complete: true,
  },
  controls: [],
  mapping: [],
  software: '0.1.0',
  previous: null,
} as unknown as ReportData;

const test = await testDatabase();
const db = new Database(test.url);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-report-bundle-'));
let checkpoints: AuditCheckpoints;
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await db.close();
});

beforeAll(async () => {
  await test.truncate();
  await pastUploads(test, { count: 1500, at: MONDAY });
  await pastFindings(test, { scans: 30, each: 40 });
  await pastReviews(test, { count: 60, at: MONDAY });
  // A week before, the first secret stood somewhere already; the second is asked to be let stand, the third accepted.
  await test.query(
    `UPDATE scan SET verdict_at = $1 WHERE id = (SELECT scan_id FROM finding WHERE fingerprint LIKE '%:1-1')`,
    [MONDAY - DAY],
  );
  await test.query(
    `INSERT INTO finding_exception (id, kind, scope, finding_kind, rule_id, fingerprint, reason, state, expires_at,
       requested_by, requested_by_name, requested_at, next_at)
     VALUES ($1, 'accepted_risk', 'secret', 'secret', 'aws-access-key', 'hmac-sha256:k1:2-1', 'asked', 'REQUESTED', $2,
             'alice', 'Alice', $3, $2)`,
    [idOf(EXCEPTION, 1), MONDAY + 90 * DAY, MONDAY],
  );
  await test.query(
    `UPDATE finding SET accepted = true, accepted_reason = 'known', title = $1 WHERE fingerprint = 'hmac-sha256:k1:3-1'`,
    [HOSTILE],
  );
  const clock = new FakeClock(MONDAY + 8 * DAY);
  const keyring = await Keyring.open(db, randomBytes(32), clock);
  const places = new AuditPlaces({ AUDIT_BUCKET: 'anchors', AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
  checkpoints = new AuditCheckpoints(db, clock, keyring, new PostgresOutbox(clock, new OutboxBell()), places);
  const sequencer = new AuditSequencer(pino({ level: 'silent' }), db, clock, checkpoints);
  for (const [from, count] of [
    [MONDAY - DAY, 20],
    [MONDAY, 50],
    [WEEK.to, 10],
  ] as const) {
    await appendAudit(
      db,
      Array.from({ length: count }, (_, n) => ({
        at: from + n,
        actor: 'user:a',
        action: n % 10 === 0 ? 'trigger.changed' : 'review.claimed',
        subject: `trigger:${HOSTILE}`,
        data: { n },
      })),
    );
    await sequencer.turn();
  }
});

/** The part of the record with the events of a time, as a report's section on health says it. */
async function chainOf(range: Range) {
  const [row] = await test.query<{ from: string | null; to: string | null; head: string | null }>(
    `SELECT min(l.seq) AS from, max(l.seq) AS to,
            (array_agg(encode(l.hash, 'hex') ORDER BY l.seq DESC))[1] AS head
       FROM audit_event e JOIN audit_link l ON l.event_id = e.id WHERE e.at >= $1 AND e.at < $2`,
    [range.from, range.to],
  );
  const number = (text: string | null | undefined) => (text == null ? null : Number(text));
  return { from: number(row?.from), to: number(row?.to), head: row?.head ?? null };
}

/** Stored as a report is, and signed. */
async function bundle(range: Range = WEEK): Promise<Buffer> {
  const id = randomUUID();
  await test.query(
    `INSERT INTO report (id, kind, label, period_from, period_to, scheduled, requested_by, workflow_id, created_at)
     VALUES ($1::uuid, 'range', '2026-W10', $2, $3, false, 'system:reports', $1, $3)`,
    [id, range.from, range.to],
  );
  const said = { ...data, health: { chain: await chainOf(range) } } as unknown as ReportData;
  return db.transaction(async (tx) => {
    const write = (name: string, content: Parameters<typeof writeFile>[3]) =>
      writeFile(tx, id, { name, mediaType: 'text/plain' }, content);
    await write('report.json', ['{"a":1}\n']);
    for (const kind of POPULATION_KINDS)
      await write(`data/${kind}.csv`, csvOf(populationOf(kind), tx, range));
    await write('findings.sarif', sarifLines(tx, range));
    await write('events.ocsf.jsonl', ocsfLines(tx, range));
    const summary = await findReport(tx, id);
    if (summary === undefined) throw new Error('no report');
    await new ReportBundles(checkpoints).write(tx, summary, said);
    return (await wholeFile(tx, id, 'bundle.zip')) ?? Buffer.alloc(0);
  });
}
const textIn = (zip: Buffer, name: string): string => Buffer.from(unzipSync(zip)[name] ?? []).toString();

describe('the bundle of a report', () => {
  it('holds every file in its order, and verifies with the key that the service names', async () => {
    const zip = await bundle();
    expect(Object.keys(unzipSync(zip))).toEqual([
      'README.txt',
      'data/changes.csv',
      'data/decisions.csv',
      'data/exceptions.csv',
      'data/findings.csv',
      'data/reviews.csv',
      'data/uploads.csv',
      'events.ocsf.jsonl',
      'findings.sarif',
      'report.json',
      'report.schema.json',
      'controls.json',
      'audit.jsonl',
      'verify.mjs',
      'manifest.json',
      'manifest.sig',
    ]);
    const file = join(folder, 'bundle.zip');
    writeFileSync(file, zip);
    const { code, text } = await verifyProgram(file, '--key', checkpoints.current.publicKey);
    expect(text).toContain('Whole: 50 events (21 to 70)');
    expect(code).toBe(0);
    expect(textIn(zip, 'data/uploads.csv').trimEnd().split('\r\n')).toHaveLength(1501);
    expect(textIn(zip, 'README.txt')).toContain('Audit report 2026-W10');
  });

  it('is the same to the byte from the same state of the record', async () => {
    const [first, second] = [unzipSync(await bundle()), unzipSync(await bundle())];
    const changed = Object.keys(first).filter(
      (name) => !Buffer.from(first[name] ?? []).equals(second[name] ?? Buffer.alloc(0)),
    );
    // Each is another report, which its manifest names.
    expect(changed).toEqual(['manifest.json', 'manifest.sig']);
  });

  it('has an extract without events where nothing was recorded, and verifies', async () => {
    const empty = { from: MONDAY - 50 * DAY, to: MONDAY - 43 * DAY };
    const file = join(folder, 'empty.zip');
    writeFileSync(file, await bundle(empty));
    const { code, text } = await verifyProgram(file);
    expect(text).toContain('Whole: 0 events (81 to 80)');
    expect(code).toBe(0);
  });
});

/** The command line alone: it asks no service. */
async function command(...args: readonly string[]): Promise<{ code: number; lines: readonly string[] }> {
  const lines: string[] = [];
  const said = {
    out: (line: string) => void lines.push(line),
    note: () => undefined,
    style: { colour: false },
  };
  return { code: await run(['report', 'verify', ...args], {}, said), lines };
}

describe('sallyport report verify', () => {
  it('answers with 0 for a whole bundle, and with 1 and the first bad place otherwise', async () => {
    const file = join(folder, 'whole.zip');
    writeFileSync(file, await bundle());
    const whole = await command(file, '--key', checkpoints.current.publicKey);
    expect(whole.code).toBe(0);
    expect(whole.lines[0]).toMatch(/^Whole: report 2026-W10/);
    expect(whole.lines).toContain(
      'The last 50 events are under no checkpoint in here, but the signed manifest names the last of them.',
    );
    const unknown = await command(file, '--key', randomBytes(32).toString('base64'), '--json');
    expect(unknown.code).toBe(1);
    expect(JSON.parse(unknown.lines.join('\n'))).toEqual({
      isWhole: false,
      said: ['NOT WHOLE: manifest.json is signed with another key than the one you know.'],
    });
    await expect(command(join(folder, 'none.zip'))).rejects.toThrow(/no such file/);
  });
});

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly baselineState: string;
  readonly suppressions?: readonly { readonly status: string; readonly justification: string }[];
}

describe('the SARIF log of a time', () => {
  it('tells what is new, and only of what was accepted that it is suppressed', async () => {
    const log = JSON.parse(textIn(await bundle(), 'findings.sarif')) as {
      version: string;
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: Result[] }];
    };
    const [{ tool, results }] = log.runs;
    expect(log.version).toBe('2.1.0');
    expect(results).toHaveLength(1200);
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    const of = (fingerprint: string) =>
      results.find((one) => one.partialFingerprints['sallyport/v1'] === `hmac-sha256:k1:${fingerprint}`);
    expect(of('1-1')?.baselineState).toBe('unchanged');
    expect(of('4-1')).toMatchObject({ baselineState: 'new' });
    expect(of('4-1')?.suppressions).toBeUndefined();
    expect(of('2-1')?.suppressions).toEqual([
      { kind: 'external', status: 'underReview', justification: 'asked' },
    ]);
    expect(of('3-1')?.suppressions).toEqual([
      { kind: 'external', status: 'accepted', justification: 'known' },
    ]);
  });
});

type Event = Readonly<Record<string, unknown>>;
// What OCSF 1.3 requires of every event, and of the two classes; of each object in them what it requires or asks one of.
const REQUIRED = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];
const OF_CLASS: Readonly<Record<string, readonly string[]>> = {
  2004: ['finding_info'],
  6003: ['actor', 'api', 'src_endpoint'],
};

describe('the OCSF events of a time', () => {
  it('have what their class requires, each', async () => {
    const lines = textIn(await bundle(), 'events.ocsf.jsonl')
      .trimEnd()
      .split('\n');
    const events = lines.map((line) => JSON.parse(line) as Event);
    expect(events.filter((one) => one['class_uid'] === 2004)).toHaveLength(1200);
    // Sixty reviews, of which a fifth is open; two votes each.
    expect(events.filter((one) => one['class_uid'] === 6003)).toHaveLength(96);
    const ids = new Set<unknown>();
    for (const event of events) {
      const classUid = String(event['class_uid']);
      for (const name of [...REQUIRED, ...(OF_CLASS[classUid] ?? ['unknown class'])])
        expect(event[name], `${name} of ${classUid}`).toBeDefined();
      expect(event['type_uid']).toBe(Number(event['class_uid']) * 100 + Number(event['activity_id']));
      expect(event['category_uid']).toBe(Math.floor(Number(event['class_uid']) / 1000));
      expect(Number.isInteger(event['time'])).toBe(true);
      expect([0, 1, 2, 3, 4, 5, 6, 99]).toContain(event['severity_id']);
      expect(event['metadata']).toMatchObject({
        version: '1.3.0',
        product: { vendor_name: 'Sallyport', name: 'Sallyport' },
      });
      ids.add((event['metadata'] as { uid: string }).uid);
    }
    expect(ids.size).toBe(events.length);
    expect(events.find((one) => one['status_id'] === 3)).toMatchObject({ finding_info: { title: HOSTILE } });
    expect(events.at(-1)).toMatchObject({
      actor: { user: { uid: 'bob', name: 'Bob' } },
      api: { operation: 'review.vote' },
      src_endpoint: { svc_name: 'web' },
    });
  });
});
