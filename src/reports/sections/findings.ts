import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Verdict } from '../../verdicts/verdict.js';
import { groupOf, type VerdictGroup } from '../arithmetic.js';
import type { Findings } from '../data/findings.js';
import { DistinctCount } from './distinct.js';
import {
  isOpenAt,
  turnsOf,
  type Closing,
  type FoundOnce,
  type JudgedScan,
  type Turn,
} from './finding-life.js';
import type { Asked } from './section.js';

// Of one look; each object brings all findings of all its scans, and one alone may bring more than these rows.
const PAGE = { objects: 500, rows: 20_000 };
const MOST_RULES = 200;
const MOST_SOURCES = 10;
// Whoever uploads under ever new names must not fill the memory.
const SOURCES_KEPT = 10_000;

interface FindingRow {
  readonly objectId: string;
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  readonly goneAt: Instant | null;
  readonly scanId: string;
  readonly generation: number;
  readonly judgedAt: Instant;
  readonly verdict: Verdict;
  /** Why parts of it were not looked at, each reason once. */
  readonly gaps: readonly string[];
  readonly kind: string | null;
  readonly ruleId: string;
  readonly title: string;
  readonly severity: string;
  readonly fingerprint: string;
  /** All its places in this scan are covered. */
  readonly isCovered: boolean;
  readonly occurrences: number;
}

interface DecisionRow {
  readonly objectId: string;
  readonly at: Instant;
  readonly outcome: string;
}

/** The periods [from, to) that are told of, the same state of the database for all of them. */
export type Span = Pick<Asked, 'from' | 'to'>;

/** The balances of findings over several periods, in one look at everything that was found. */
export async function tallyFindings(tx: Queryable, spans: readonly Span[]): Promise<FindingTally[]> {
  const tallies = spans.map((span) => new FindingTally(span));
  const asked = { tx, to: Math.max(...spans.map(({ to }) => to)) };
  let after: string | undefined;
  for (;;) {
    const ids = await objectsWithFindings(asked, after);
    if (ids.length === 0) break;
    const rows = byObject(await findingRows(asked, ids));
    const decisions = byObject(await decisionRows(asked, ids));
    for (const id of ids) for (const tally of tallies) tally.add(rows.get(id) ?? [], decisions.get(id) ?? []);
    after = ids.at(-1);
  }
  return tallies;
}

function byObject<Row extends { readonly objectId: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.objectId);
    if (group === undefined) groups.set(row.objectId, [row]);
    else group.push(row);
  }
  return groups;
}

const keyOf = ({ kind, ruleId, fingerprint }: Pick<FindingRow, 'kind' | 'ruleId' | 'fingerprint'>): string =>
  JSON.stringify([kind, ruleId, fingerprint]);

/** Sums of one period over objects, one after the other. */
export class FindingTally {
  readonly balance = { opening: 0, new: 0, reopened: 0, closed: 0, closing: 0 };
  private readonly closedBy: Record<Closing, number> = { decided: 0, excepted: 0, rescanned: 0, gone: 0 };
  private readonly open = new Map<string, { at: Findings['open'][number]; count: number }>();
  private readonly rules = new Map<string, Findings['byRule'][number]>();
  private readonly sources = new Map<string, { findings: number; objects: number }>();
  private readonly distinct = new DistinctCount();
  private occurrences = 0;

  constructor(private readonly asked: Span) {}

  add(rows: readonly FindingRow[], decisions: readonly DecisionRow[]): void {
    const [object] = rows;
    if (object === undefined) return;
    const scans = scansOf(rows);
    const turns = turnsOf({
      scans: scans.map(({ scan }) => scan),
      decidedAt: decisions.map(({ at }) => at),
      goneAt: object.goneAt ?? undefined,
    });
    const facts = new Map(rows.filter(({ kind }) => kind !== null).map((row) => [keyOf(row), row]));
    const byKey = new Map<string, Turn[]>();
    for (const turn of turns) byKey.set(turn.key, [...(byKey.get(turn.key) ?? []), turn]);
    const isNew = new Set<string>();
    for (const [key, mine] of byKey) {
      const row = facts.get(key);
      if (row === undefined) continue;
      if (this.follow(row, mine)) isNew.add(key);
    }
    const news = [...isNew].flatMap((key) => facts.get(key) ?? []);
    this.addNew(news, decisions);
  }

  /** @returns whether it is new in the period. */
  private follow(row: FindingRow, turns: readonly Turn[]): boolean {
    const { from, to } = this.asked;
    if (isOpenAt(turns, from)) this.balance.opening += 1;
    if (isOpenAt(turns, to)) {
      this.balance.closing += 1;
      const { severity, kind, endpointId, bucket } = row;
      const key = JSON.stringify([severity, kind, endpointId, bucket]);
      const known = this.open.get(key) ?? {
        at: { severity, kind: kind ?? '', endpointId, bucket, count: 0 },
        count: 0,
      };
      this.open.set(key, { ...known, count: known.count + 1 });
    }
    let isNew = false;
    for (const { kind, at } of turns) {
      if (at < from || at >= to) continue;
      if (kind === 'new') isNew = true;
      if (kind === 'new' || kind === 'reopened') this.balance[kind] += 1;
      else {
        this.balance.closed += 1;
        this.closedBy[kind] += 1;
      }
    }
    return isNew;
  }

  private addNew(rows: readonly FindingRow[], decisions: readonly DecisionRow[]): void {
    const [object] = rows;
    if (object === undefined) return;
    const { from, to } = this.asked;
    const decided = decisions.filter(({ at }) => at >= from && at < to);
    const rules = new Set<string>();
    for (const row of rows) {
      this.occurrences += row.occurrences;
      this.distinct.add(keyOf(row));
      const key = JSON.stringify([row.kind, row.ruleId]);
      const known = this.rules.get(key) ?? {
        kind: row.kind ?? '',
        ruleId: row.ruleId,
        title: row.title,
        severity: row.severity,
        findings: 0,
        objects: 0,
        decided: 0,
        falsePositives: 0,
      };
      const isFirst = !rules.has(key);
      rules.add(key);
      this.rules.set(key, {
        ...known,
        findings: known.findings + 1,
        objects: known.objects + (isFirst ? 1 : 0),
        decided: known.decided + (isFirst && decided.length > 0 ? 1 : 0),
        falsePositives:
          known.falsePositives + (isFirst && decided.some(({ outcome }) => outcome === 'release') ? 1 : 0),
      });
    }
    const source = sourceOf(object);
    const known = this.sources.get(source);
    if (known === undefined && this.sources.size >= SOURCES_KEPT) return;
    this.sources.set(source, {
      findings: (known?.findings ?? 0) + rows.length,
      objects: (known?.objects ?? 0) + 1,
    });
  }

  findings(trend: Findings['trend']): Findings {
    const { opening, new: fresh, reopened, closed, closing } = this.balance;
    return {
      balance: { ...this.balance, addsUp: opening + fresh + reopened - closed === closing },
      closedBy: this.closedBy,
      open: [...this.open.values()]
        .map(({ at, count }) => ({ ...at, count }))
        .toSorted((a, b) => b.count - a.count || compareText(JSON.stringify(a), JSON.stringify(b))),
      byRule: [...this.rules.values()]
        .toSorted(
          (a, b) => b.findings - a.findings || compareText(a.ruleId, b.ruleId) || compareText(a.kind, b.kind),
        )
        .slice(0, MOST_RULES),
      repeatSources: [...this.sources]
        .filter(([, { objects }]) => objects > 1)
        .map(([source, counts]) => ({ source, ...counts }))
        .toSorted((a, b) => b.findings - a.findings || compareText(a.source, b.source))
        .slice(0, MOST_SOURCES),
      dedup: {
        occurrences: this.occurrences,
        distinct: this.distinct.count,
        isEstimated: this.distinct.isEstimated,
      },
      trend,
    };
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The bucket with the first part of the key, as `uploads/team-a/`. */
const sourceOf = ({ bucket, key }: FindingRow): string => {
  const end = key.indexOf('/');
  return end < 0 ? `${bucket}/` : `${bucket}/${key.slice(0, end + 1)}`;
};

/** Each judged scan of an object once, with what it found; a scan that found nothing has one row without a kind. */
function scansOf(rows: readonly FindingRow[]): { readonly scan: JudgedScan; readonly generation: number }[] {
  const scans = new Map<string, { generation: number; first: FindingRow; found: Map<string, FoundOnce> }>();
  for (const row of rows) {
    const known = scans.get(row.scanId) ?? {
      generation: row.generation,
      first: row,
      found: new Map<string, FoundOnce>(),
    };
    if (row.kind !== null) known.found.set(keyOf(row), { isCovered: row.isCovered });
    scans.set(row.scanId, known);
  }
  return [...scans.values()]
    .toSorted((a, b) => a.generation - b.generation)
    .map(({ generation, first, found }) => ({
      generation,
      scan: { at: first.judgedAt, found, lookedFor: (key: string) => lookedFor(first, key) },
    }));
}

/** Verdicts that say what was in the object; any other says that nobody looked, or not at everything. */
const SAID: readonly VerdictGroup[] = ['clean', 'found'];
/** What only keeps an engine for malware from looking. */
const OF_MALWARE: readonly string[] = ['engine_missing', 'database_unknown'];

function lookedFor({ verdict, gaps }: FindingRow, key: string): boolean {
  if (verdict === 'clean') return true;
  if (!SAID.includes(groupOf(verdict))) return false;
  const [kind] = JSON.parse(key) as [string];
  return kind === 'malware' ? gaps.length === 0 : gaps.every((gap) => OF_MALWARE.includes(gap));
}

/** Those whose findings may matter: of scans that were judged before the period ended. */
type Until = Pick<Asked, 'tx' | 'to'>;

async function objectsWithFindings({ tx, to }: Until, after: string | undefined): Promise<string[]> {
  const found = await tx.query<{ id: string; rows: number }>(
    `SELECT o.id, ((SELECT count(*) FROM finding f WHERE f.object_id = o.id)
                 + (SELECT count(*) FROM scan s WHERE s.object_id = o.id))::int AS rows
       FROM object_version o
      WHERE ($1::uuid IS NULL OR o.id > $1) AND o.folded_into IS NULL AND o.first_seen_at < $2
        AND EXISTS (SELECT FROM finding f WHERE f.object_id = o.id)
      ORDER BY o.id LIMIT $3`,
    [after ?? null, to, PAGE.objects],
  );
  return firstOf(found).map(({ id }) => id);
}

/** As many as a look holds, and one at least. */
export function firstOf<Found extends { readonly rows: number }>(found: readonly Found[]): Found[] {
  let sum = 0;
  return found.filter(({ rows }, index) => {
    sum += rows;
    return index === 0 || sum <= PAGE.rows;
  });
}

// What was moved to quarantine is not gone: somebody has to decide on it still.
const GONE_AT = `CASE WHEN EXISTS (
    SELECT FROM object_action a WHERE a.object_id = o.id AND a.performed AND a.action = 'quarantined'
  ) THEN NULL ELSE o.deleted_at::float8 END`;

const findingRows = ({ tx, to }: Until, ids: readonly string[]): Promise<FindingRow[]> =>
  tx.query<FindingRow>(
    `SELECT o.id AS "objectId", o.endpoint_id AS "endpointId", o.bucket, o.key, ${GONE_AT} AS "goneAt",
            s.id AS "scanId", s.generation, v.at::float8 AS "judgedAt", v.verdict, v.gaps, f.kind, f.rule_id AS "ruleId",
            min(f.title) AS title, min(f.severity) AS severity, f.fingerprint,
            coalesce(bool_and(f.accepted), false) AS "isCovered", count(f.id)::int AS occurrences
       FROM object_version o
       JOIN scan s ON s.object_id = o.id
       -- A scan that was withdrawn ended without a verdict of its own.
       JOIN LATERAL (
         SELECT verdict, min(at) OVER () AS at,
                ARRAY(SELECT DISTINCT gap ->> 'reason' FROM json_array_elements(not_covered) gap ORDER BY 1) AS gaps
           FROM verdict WHERE object_id = o.id AND scan_id = s.id AND at < $2 ORDER BY id DESC LIMIT 1
       ) v ON true
       LEFT JOIN finding f ON f.scan_id = s.id
      WHERE o.id = ANY ($1::uuid[])
      GROUP BY o.id, s.id, v.at, v.verdict, v.gaps, f.kind, f.rule_id, f.fingerprint
      ORDER BY o.id, s.generation, f.kind, f.rule_id, f.fingerprint`,
    [ids, to],
  );

const decisionRows = ({ tx, to }: Until, ids: readonly string[]): Promise<DecisionRow[]> =>
  tx.query<DecisionRow>(
    `SELECT object_id AS "objectId", at::float8 AS at, outcome FROM object_decision
      WHERE object_id = ANY ($1::uuid[]) AND at < $2 ORDER BY at, review_id`,
    [ids, to],
  );
