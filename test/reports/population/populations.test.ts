import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendAudit } from '../../../src/audit/audit.js';
import { Database } from '../../../src/database/database.js';
import { decidedReviews } from '../../../src/reports/population/decisions.js';
import { csvOf, jsonLinesOf, type Range } from '../../../src/reports/population/population.js';
import {
  POPULATION_KINDS,
  populationOf,
  type PopulationKind,
} from '../../../src/reports/population/populations.js';
import { testDatabase } from '../../support/database.js';
import {
  EXCEPTION,
  idOf,
  OBJECT,
  pastFindings,
  pastReviews,
  pastUploads,
  REVIEW,
} from '../../support/past.js';

const MONDAY = Date.parse('2026-03-02T00:00:00Z');
const DAY = 86_400_000;
const WEEK: Range = { from: MONDAY, to: MONDAY + 7 * DAY };
const LONG_AGO: Range = { from: MONDAY - 400 * DAY, to: MONDAY - 300 * DAY };

const test = await testDatabase();
const db = new Database(test.url);
afterAll(() => db.close());

type Line = Readonly<Record<string, unknown>>;
async function lines(kind: PopulationKind, range = WEEK): Promise<Line[]> {
  const found: Line[] = [];
  for await (const line of jsonLinesOf(populationOf(kind), db, range)) found.push(JSON.parse(line) as Line);
  return found;
}
async function text(kind: PopulationKind, range = WEEK): Promise<string> {
  let all = '';
  for await (const line of csvOf(populationOf(kind), db, range)) all += line;
  return all;
}

beforeAll(async () => {
  await test.truncate();
  // 2,500 uploads, fifty in a millisecond: pages end in the middle of one.
  await pastUploads(test, { count: 2500, at: MONDAY, perMs: 50 });
  await pastFindings(test, { scans: 40, each: 60 });
  await pastReviews(test, { count: 1200, at: MONDAY + DAY });
});

describe('the uploads of a time', () => {
  it('are all there, once, in their order, over the ends of pages', async () => {
    const found = await lines('uploads');
    expect(found).toHaveLength(2500);
    expect(found.map((one) => one['object_id'])).toEqual(
      Array.from({ length: 2500 }, (_, n) => idOf(OBJECT, n + 1)),
    );
  });

  it('begin with its first moment and end before its end', async () => {
    const from = MONDAY + 10;
    expect(await lines('uploads', { from, to: from + 1 })).toHaveLength(50);
    expect(await lines('uploads', { from: MONDAY - DAY, to: MONDAY })).toEqual([]);
  });

  it('tell the verdict that each had at the end, and the one that it has now', async () => {
    const id = idOf(OBJECT, 7);
    await test.query(
      `WITH said AS (
         INSERT INTO verdict (object_id, generation, verdict, reason, engines, bytes_scanned, bytes_total, not_covered, at)
         VALUES ($1, 2, 'clean', 'rescanned', '[]', 7, 7, '[]', $2) RETURNING id)
       UPDATE object_version SET verdict = 'clean', verdict_id = said.id, verdict_generation = 2 FROM said WHERE object_version.id = $1`,
      [id, WEEK.to],
    );
    const told = async (range: Range) =>
      (await lines('uploads', range)).find((one) => one['object_id'] === id);
    expect(await told(WEEK)).toMatchObject({
      verdict_at_end: 'secrets',
      engines: 'secrets 1; clamav 1.4 27000',
      verdict_now: 'clean',
      reason_now: 'rescanned',
      judged_now_at: new Date(WEEK.to).toISOString(),
    });
    expect(await told({ from: MONDAY, to: WEEK.to + 1 })).toMatchObject({ verdict_at_end: 'clean' });
    // The scan answered a second after the upload: until then nothing was known.
    expect(await told({ from: MONDAY, to: MONDAY + 1000 })).toMatchObject({
      verdict_at_end: 'pending',
      judged_at: null,
    });
  });
});

describe('the findings of a time', () => {
  it('are those of each scan that was judged in it, once, and masked', async () => {
    const found = await lines('findings');
    expect(found).toHaveLength(2400);
    expect(new Set(found.map((one) => one['fingerprint'])).size).toBe(2400);
    expect(found[0]).toMatchObject({ masked_excerpt: 'KEY=AKIA…(16 characters)', is_accepted: false });
    expect(await lines('findings', { from: MONDAY, to: MONDAY + 1000 })).toEqual([]);
  });

  it('are told once also where a scan spoke twice', async () => {
    await test.query(
      `INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, engines, bytes_scanned, bytes_total, not_covered, at)
       SELECT object_id, scan_id, generation, 'infected', 'later', '[]', 1, 1, '[]', at + 5 FROM verdict
        WHERE object_id = $1 AND generation = 1`,
      [idOf(OBJECT, 3)],
    );
    expect(await lines('findings')).toHaveLength(2400);
  });
});

describe('the reviews and decisions of a time', () => {
  it('hold every question that was open in it', async () => {
    const found = await lines('reviews');
    expect(found).toHaveLength(1200);
    const later: Range = { from: MONDAY + 3 * DAY, to: WEEK.to };
    const open = await lines('reviews', later);
    // A fifth was never decided; the others were before that day.
    expect(open).toHaveLength(240);
    expect(open.every((one) => one['state_now'] === 'OPEN' && one['outcome'] === null)).toBe(true);
  });

  it('hold a row for each vote, with the decision in each', async () => {
    const found = await lines('decisions');
    expect(found).toHaveLength(2 * 960);
    const ids = found.map((one) => one['review_id']);
    expect(new Set(ids).size).toBe(960);
    const [first, second] = found;
    expect(first).toMatchObject({
      review_id: idOf(REVIEW, 1),
      object: 'b1/=dir/1',
      outcome: 'release',
      elapsed_ms: 600_000,
      quorum_required: 2,
      quorum_reached: 2,
      vote_by: 'Alice',
      vote_method: 'session',
      decided_by: 'Bob',
      decided_by_id: 'bob',
    });
    expect(second).toMatchObject({ review_id: idOf(REVIEW, 1), vote_by: 'Bob' });
    const refused = found.find((one) => one['outcome'] === 'delete');
    expect(refused).toMatchObject({ quorum_required: 1 });
  });

  it('hold a decision that nobody voted on, too', async () => {
    await test.query(
      `UPDATE review SET state = 'EXPIRED', outcome = 'expired', decided_at = $2, decided_via = 'system' WHERE id = $1`,
      [idOf(REVIEW, 5), MONDAY + 6 * DAY],
    );
    const found = (await lines('decisions')).filter((one) => one['review_id'] === idOf(REVIEW, 5));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ state: 'EXPIRED', vote_by: null, vote_at: null, quorum_reached: 0 });
    const ids: string[] = [];
    for await (const { id } of decidedReviews(db, WEEK)) ids.push(id);
    expect(ids).toHaveLength(961);
    expect(new Set(ids)).toEqual(new Set((await lines('decisions')).map((one) => one['review_id'])));
  });
});

describe('the exceptions of a time', () => {
  it('are those that were asked for or in force in it', async () => {
    await test.query(
      `INSERT INTO finding_exception (id, kind, scope, finding_kind, rule_id, fingerprint, reason, state, expires_at,
         requested_by, requested_by_name, requested_at, decided_by, decided_by_name, decided_at, ended_at, next_at)
       SELECT ('0000000${EXCEPTION}-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'accepted_risk', 'finding', 'secret',
              'aws-access-key', 'f' || n, 'known', CASE n WHEN 1 THEN 'EXPIRED' ELSE 'IN_FORCE' END, $1::bigint + n, 'alice',
              'Alice', $1::bigint - 86400000 * n, 'bob', 'Bob', $1::bigint, CASE n WHEN 1 THEN $1::bigint - 5 END,
              CASE n WHEN 1 THEN NULL ELSE $1::bigint END
         FROM generate_series(1, 3) n`,
      [MONDAY],
    );
    await test.query('UPDATE finding SET exception_id = $1 WHERE line = 9', [idOf(EXCEPTION, 2)]);
    expect((await lines('exceptions')).map((one) => [one['exception_id'], one['uses']])).toEqual([
      [idOf(EXCEPTION, 3), 0],
      [idOf(EXCEPTION, 2), 40],
    ]);
  });
});

describe('the changes of a time', () => {
  it('are the events that changed what lasts, each with its kind', async () => {
    const told = [
      'trigger.created',
      'workflow.started',
      'object.verdict',
      'user.created',
      'webhook.tested',
      'workflow.held',
      'legal_hold.placed',
    ];
    await appendAudit(
      db,
      told.map((action, n) => ({ at: MONDAY + n, actor: 'user:a', action, subject: 's', data: { n } })),
    );
    // What is told of people stands beside the event, and is shown while it stands.
    await appendAudit(db, [
      {
        at: MONDAY + 9,
        actor: 'user:a',
        action: 'user.created',
        subject: 'user:b',
        data: { displayName: 'Bo' },
      },
    ]);
    const found = await lines('changes');
    expect(found.map((one) => [one['action'], one['kind'], one['what']])).toEqual([
      ['trigger.created', 'definitions', '{"n":0}'],
      ['user.created', 'access', '{"n":3}'],
      ['workflow.held', 'retention', '{"n":5}'],
      ['legal_hold.placed', 'retention', '{"n":6}'],
      ['user.created', 'access', '{"displayName":"Bo"}'],
    ]);
  });
});

describe('each population', () => {
  it.each(POPULATION_KINDS)(
    'of %s is the same twice, to the byte, and has its headings when it is empty',
    async (kind) => {
      expect(await text(kind)).toBe(await text(kind));
      const headings = populationOf(kind).columns.map(({ heading }) => heading);
      expect(await text(kind, LONG_AGO)).toBe(`${headings.join(',')}\r\n`);
      expect(new Set(headings).size).toBe(headings.length);
    },
  );

  it('has nothing in it that a spreadsheet would run', async () => {
    const [, first] = (await text('uploads')).split('\r\n');
    expect(first).toContain(`,"'=dir/1",`);
  });

  it('is read through its index, not through the whole table', async () => {
    await test.query('ANALYZE');
    const plans: Record<string, string> = {};
    const explaining = {
      query: async <Row>(statement: string, values: readonly unknown[] = []): Promise<Row[]> => {
        const plan = await test.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, [...values]);
        plans[kind] = plan.map((line) => line['QUERY PLAN']).join('\n');
        return [];
      },
    };
    // A narrow time, as a week is in a year.
    const narrow = { from: MONDAY + DAY, to: MONDAY + DAY + 60_000 };
    let kind: PopulationKind = 'uploads';
    for (kind of POPULATION_KINDS) await populationOf(kind).rows(explaining, narrow).next();
    expect(plans['uploads']).toContain('object_version_seen');
    expect(plans['findings']).toContain('verdict_at');
    expect(plans['decisions']).toContain('review_ended');
    expect(plans['changes']).toMatch(/audit_event_at|Seq Scan on audit_event/);
  });
});
