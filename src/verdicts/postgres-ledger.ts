import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock, type Instant } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Together } from '../database/together.js';
import { isUuid } from '../uuid5.js';
import { headIdentity, isVersioned, lockKeys, versionIdentity } from './identity.js';
import {
  Ledger,
  type ActionRecord,
  type Finding,
  type Identified,
  type ObjectFacts,
  type ObjectRef,
  type Pinned,
  type ScanContext,
  type Standing,
  type VerdictRecord,
} from './ledger.js';
import { ScanProgress } from './progress.js';
import { isMendable } from './denials.js';
import { appendVerdicts, type NewVerdict } from './sql/append-verdict.js';
import { noteDenials, type Denial } from './sql/bucket-denials.js';
import { recordThreats } from './sql/external-threats.js';
import { fixIdentity, fixVersions, foldInto, nameVersion, yieldLatest } from './sql/identify.js';
import { findByIdentities } from './sql/object-rows.js';
import { recordActions, type TaskAction } from './sql/record-action.js';
import { remediesReturned } from './sql/remedies-returned.js';
import { clearFindings, replaceFindings } from './sql/replace-findings.js';
import { contextOf, findScan, findScans, noScan, refOf, type ScanRow } from './sql/scan-row.js';
import { storableText } from './text.js';
import type { Verdict } from './verdict.js';
import { wholeMilliseconds } from './whole-milliseconds.js';

/** The ledger on PostgreSQL: each call one transaction, with its audit events. */
@Injectable()
export class PostgresLedger extends Ledger {
  // What every object needs, for all that need it at the same time.
  private readonly scans: Together<string, ScanRow | undefined>;
  private readonly standings: Together<string, Standing | undefined>;
  private readonly fixes: Together<{ scanId: string; facts: ObjectFacts }, boolean>;
  private readonly clearings: Together<{ scanId: string; kind: 'secrets' | 'malware' }, boolean>;
  private readonly verdicts: Together<Spoken, boolean>;
  private readonly actions: Together<TaskAction, boolean>;
  private readonly closings: Together<string, boolean>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly progress: ScanProgress,
  ) {
    super();
    this.scans = new Together(async (ids) => {
      const found = await findScans(database, ids);
      return ids.map((id) => found.get(id));
    });
    this.standings = new Together(async (ids) => {
      const found = await findStandings(database, ids);
      return ids.map((id) => found.get(id));
    });
    this.fixes = new Together(
      async (fixes) => {
        const fixed = await fixVersions(database, fixes);
        return fixes.map(({ scanId }) => fixed.has(scanId));
      },
      { keyOf: ({ scanId }) => scanId },
    );
    this.clearings = new Together(
      async (cleared) => {
        const known = await clearFindings(database, cleared);
        return cleared.map(({ scanId }) => known.has(scanId));
      },
      { keyOf: ({ scanId }) => scanId },
    );
    this.verdicts = new Together((spoken) => this.speakTogether(spoken), {
      most: MAX_VERDICT_BYTES,
      sizeOf: verdictBytes,
      keyOf: ({ scanId }) => scanId,
    });
    this.actions = new Together(
      async (actions) => {
        const known = await recordActions(database, actions);
        return actions.map(({ scanId }) => known.has(scanId));
      },
      { keyOf: ({ scanId }) => scanId },
    );
    this.closings = new Together(async (ids) => {
      const closed = await closeJudged(database, ids, wholeMilliseconds(clock));
      return ids.map((id) => closed.has(id));
    });
  }

  async scan(scanId: string): Promise<ScanContext> {
    const row = isUuid(scanId) ? await this.scans.do(scanId) : undefined;
    if (row === undefined) throw noScan(scanId);
    return contextOf(row);
  }

  async standing(scanId: string): Promise<Standing> {
    const standing = isUuid(scanId) ? await this.standings.do(scanId) : undefined;
    if (standing === undefined) throw noScan(scanId);
    return standing;
  }

  async verdictOn(ref: ObjectRef, facts: ObjectFacts): Promise<Verdict | undefined> {
    const identity = isVersioned(ref) ? versionIdentity(ref) : headIdentity(ref, facts);
    const [row] = await this.database.query<{ verdict: Verdict }>(
      'SELECT verdict FROM object_version WHERE identity = $1',
      [identity],
    );
    return row?.verdict;
  }

  async identified(scanId: string, facts: ObjectFacts): Promise<Identified> {
    if (isUuid(scanId) && (await this.fixes.do({ scanId, facts }))) return { kind: 'current' };
    // Which key's lock is needed stands in the row; the lock comes before the row, as intake takes them.
    const { endpoint_id: endpointId, bucket, key } = await findScan(this.database, scanId);
    return this.database.transaction(async (tx) => {
      await lockKeys(tx, [{ endpointId, bucket, key }]);
      return identify(tx, await findScan(tx, scanId, { lock: true }), facts);
    });
  }

  async pinVersion(
    scanId: string,
    versionIds: readonly string[],
    current?: Pick<ObjectFacts, 'eTag' | 'sizeBytes'> & { readonly versionId?: string | undefined },
  ): Promise<Pinned> {
    const { endpoint_id: endpointId, bucket, key } = await findScan(this.database, scanId);
    return this.database.transaction(async (tx) => {
      await lockKeys(tx, [{ endpointId, bucket, key }]);
      return pin(tx, await findScan(tx, scanId, { lock: true }), versionIds, current);
    });
  }

  async recordFindings(
    scanId: string,
    kind: 'secrets' | 'malware',
    findings: readonly Finding[],
    total: number,
    source = '',
  ): Promise<void> {
    if (total === 0 && source === '') {
      if (!isUuid(scanId) || !(await this.clearings.do({ scanId, kind }))) throw noScan(scanId);
      return;
    }
    await this.database.transaction(async (tx) => {
      const scan = await findScan(tx, scanId, { lock: true });
      await replaceFindings(tx, { scanId, objectId: scan.object_id, kind, findings, total, source });
      if (source === '')
        await remediesReturned(tx, {
          scanId,
          kind: kind === 'secrets' ? 'secret' : 'malware',
          now: wholeMilliseconds(this.clock),
        });
    });
  }

  async recordExternalThreats(scanId: string): Promise<number> {
    if (!isUuid(scanId)) throw noScan(scanId);
    return recordThreats(this.database, scanId);
  }

  async recordVerdict(scanId: string, record: VerdictRecord): Promise<void> {
    if (!isUuid(scanId) || !(await this.verdicts.do({ scanId, record }))) throw noScan(scanId);
    this.progress.freed();
  }

  /** One transaction; verdicts about one object follow each other in it. @returns which scans are known. */
  private speakTogether(spoken: readonly Spoken[]): Promise<readonly boolean[]> {
    return this.database.transaction(async (tx) => {
      // One whose row somebody holds is tried again alone.
      if (spoken.length > 1) await tx.query(`SET LOCAL lock_timeout = '${ROW_PATIENCE_MS}ms'`);
      const scans = await findScans(
        tx,
        spoken.map(({ scanId }) => scanId),
        { lock: true },
      );
      const at = wholeMilliseconds(this.clock);
      const told = spoken.flatMap(({ scanId, record }) => {
        const scan = scans.get(scanId);
        return scan === undefined ? [] : [{ scan, record }];
      });
      for (const { scan, record } of told) if (record.verdict === 'failed') await speak(tx, scan, record, at);
      for (const round of eachObjectOnce(told.filter(({ record }) => record.verdict !== 'failed')))
        await appendVerdicts(
          tx,
          round.map(({ scan, record }) => verdictOf(scan, record, at)),
        );
      await noteDenials(tx, denialsIn(told, at));
      return spoken.map(({ scanId }) => scans.has(scanId));
    });
  }

  async recordAction(scanId: string, taskId: string, record: ActionRecord): Promise<void> {
    if (!isUuid(scanId) || !(await this.actions.do({ scanId, taskId, record }))) throw noScan(scanId);
  }

  async recordDecision(
    scanId: string,
    decision: { reviewId: string; outcome: string; by: string; at: Instant; reason: string },
  ): Promise<void> {
    await this.database.transaction(async (tx) => {
      const scan = await findScan(tx, scanId, { lock: true });
      const inserted = await tx.query(
        `INSERT INTO object_decision (review_id, scan_id, object_id, outcome, decided_by, reason, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (review_id) DO NOTHING RETURNING review_id`,
        [
          decision.reviewId,
          scanId,
          scan.object_id,
          decision.outcome,
          decision.by,
          storableText(decision.reason, 4000),
          Math.round(decision.at),
        ],
      );
      if (inserted.length === 0) return;
      await tx.query(
        `UPDATE object_version SET decision = $2, decided_at = $3
          WHERE id = $1 AND coalesce(decided_at, 0) <= $3`,
        [scan.object_id, decision.outcome, Math.round(decision.at)],
      );
      const { reviewId, outcome, by } = decision;
      await appendAudit(tx, [
        {
          at: Math.round(decision.at),
          actor: by,
          action: 'object.decided',
          subject: `object:${scan.object_id}`,
          data: { scanId, reviewId, outcome },
        },
      ]);
    });
  }

  async close(scanId: string): Promise<void> {
    if (isUuid(scanId) && (await this.closings.do(scanId))) {
      this.progress.freed();
      return;
    }
    await this.database.transaction(async (tx) => {
      const scan = await findScan(tx, scanId, { lock: true });
      if (scan.closed_at !== null) return;
      const [spoken] = await tx.query('SELECT FROM verdict WHERE object_id = $1 AND scan_id = $2 LIMIT 1', [
        scan.object_id,
        scanId,
      ]);
      // No object may wait for ever for a verdict that nobody will give.
      if (spoken === undefined) {
        await speak(
          tx,
          scan,
          failure('closed_without_verdict', scan.workflow_id),
          wholeMilliseconds(this.clock),
        );
      }
      await tx.query('UPDATE scan SET closed_at = $2 WHERE id = $1', [scanId, wholeMilliseconds(this.clock)]);
    });
    this.progress.freed();
  }
}

/** A verdict that says only that none could be reached. */
export const failure = (reason: string, workflowId: string, detail?: string): VerdictRecord => ({
  verdict: 'failed',
  reason,
  ...(detail !== undefined && { detail }),
  engines: [],
  bytesScanned: 0,
  bytesTotal: 0,
  notCovered: [],
  workflowId,
});

/** Of an object without a version that lasts; the caller holds its key's lock and its row. */
async function identify(tx: Queryable, scan: ScanRow, facts: ObjectFacts): Promise<Identified> {
  const ref = refOf(scan);
  if (scan.duplicate_of !== null) return { kind: 'duplicate', ofScanId: scan.duplicate_of };
  const identity = headIdentity(ref, facts);
  if (scan.identity_fixed) {
    if (scan.identity !== identity) return { kind: 'superseded' };
    await fixIdentity(tx, scan.object_id, identity, facts);
    return { kind: 'current' };
  }
  // What the event told of is no longer there: an upload of its own came after, and it has a row of its own.
  const differs =
    (scan.e_tag !== null && scan.e_tag !== facts.eTag) ||
    (scan.size_bytes !== null && scan.size_bytes !== facts.sizeBytes);
  if (differs) {
    await yieldLatest(tx, scan.object_id, facts);
    return { kind: 'superseded' };
  }
  const other = (await findByIdentities(tx, [identity])).get(identity);
  if (other !== undefined && other.id !== scan.object_id) {
    const fold = {
      objectId: scan.object_id,
      scanId: scan.scan_id,
      intoObjectId: other.id,
      isCurrent: true,
    };
    return { kind: 'duplicate', ofScanId: await foldInto(tx, fold) };
  }
  await fixIdentity(tx, scan.object_id, identity, facts);
  return { kind: 'current' };
}

/** Of an upload whose event named no version; the caller holds its key's lock and its row. */
async function pin(
  tx: Queryable,
  scan: ScanRow,
  versionIds: readonly string[],
  current: Parameters<Ledger['pinVersion']>[2],
): Promise<Pinned> {
  if (scan.duplicate_of !== null) return { kind: 'duplicate', ofScanId: scan.duplicate_of };
  if (scan.version_id !== null) return { kind: 'pinned', versionId: scan.version_id };
  const candidates = versionIds.map((versionId) => ({
    versionId,
    identity: versionIdentity({ ...refOf(scan), versionId }),
  }));
  const known = await findByIdentities(
    tx,
    candidates.map(({ identity }) => identity),
  );
  const free = candidates.find(({ identity }) => !known.has(identity));
  const isCurrent = (versionId: string | undefined): boolean =>
    versionId !== undefined && versionId === current?.versionId;
  if (free !== undefined) {
    await nameVersion(tx, scan.object_id, free);
    if (!isCurrent(free.versionId) && current !== undefined) await yieldLatest(tx, scan.object_id, current);
    return { kind: 'pinned', versionId: free.versionId };
  }
  const [first] = candidates;
  const into = first === undefined ? undefined : known.get(first.identity);
  if (into === undefined) throw new Error(`no version was named for scan ${scan.scan_id}`);
  const ofScanId = await foldInto(tx, {
    objectId: scan.object_id,
    scanId: scan.scan_id,
    intoObjectId: into.id,
    isCurrent: isCurrent(first?.versionId),
  });
  return { kind: 'duplicate', ofScanId };
}

/**
 * Appends a verdict unless it adds nothing: the same one again (a repeated task), or `failed` after a real one (the
 * workflow failed while acting; what the scanners saw stands, and the scan keeps the failure).
 */
async function speak(tx: Queryable, scan: ScanRow, record: VerdictRecord, at: Instant): Promise<void> {
  if (record.verdict === 'failed') {
    await tx.query('UPDATE scan SET failure = coalesce(failure, $2) WHERE id = $1', [
      scan.scan_id,
      storableText(record.detail ?? record.reason, 2000),
    ]);
    const spoken = await tx.query('SELECT FROM verdict WHERE object_id = $1 AND scan_id = $2 LIMIT 1', [
      scan.object_id,
      scan.scan_id,
    ]);
    if (spoken.length > 0) return;
  }
  await appendVerdicts(tx, [verdictOf(scan, record, at)]);
}

const verdictOf = (scan: ScanRow, record: VerdictRecord, at: Instant): NewVerdict => ({
  ...record,
  objectId: scan.object_id,
  scanId: scan.scan_id,
  generation: scan.generation,
  at,
  actor: 'worker:record_verdict',
});

/** Of refusals that are a bucket's, and not one object's. */
const denialsIn = (told: readonly { scan: ScanRow; record: VerdictRecord }[], at: Instant): Denial[] =>
  told.flatMap(({ scan, record: { verdict, reason, detail } }) =>
    verdict === 'denied' && isMendable(reason)
      ? [{ endpointId: scan.endpoint_id, bucket: scan.bucket, reason, detail, at }]
      : [],
  );

const ROW_PATIENCE_MS = 1000;
// A hostile archive's gaps fill megabytes; a hundred ordinary verdicts go together.
const MAX_VERDICT_BYTES = 2 * 1024 ** 2;
const LEAST_VERDICT_BYTES = MAX_VERDICT_BYTES / 100;

const verdictBytes = ({ record: { notCovered, engines } }: Spoken): number =>
  Math.max(LEAST_VERDICT_BYTES, JSON.stringify(notCovered).length + JSON.stringify(engines).length);

interface Spoken {
  readonly scanId: string;
  readonly record: VerdictRecord;
}

/** Rounds in which no object comes twice: one statement changes a row only once. */
function eachObjectOnce<One extends { readonly scan: ScanRow }>(told: readonly One[]): readonly One[][] {
  const rounds: One[][] = [];
  const next = new Map<string, number>();
  for (const one of told) {
    const round = next.get(one.scan.object_id) ?? 0;
    next.set(one.scan.object_id, round + 1);
    (rounds[round] ??= []).push(one);
  }
  return rounds;
}

async function findStandings(
  db: Queryable,
  scanIds: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const rows = await db.query<{ scan_id: string; spoken: number; sha256: string | null }>(
    `SELECT s.id AS scan_id, o.verdict_generation AS spoken, judged.sha256
       FROM scan s JOIN object_version o ON o.id = s.object_id
       LEFT JOIN LATERAL (
         SELECT v.sha256 FROM verdict v WHERE v.object_id = s.object_id AND v.scan_id = s.id
          ORDER BY v.id DESC LIMIT 1) judged ON true
      WHERE s.id = ANY ($1::uuid[])`,
    [scanIds],
  );
  return new Map(
    rows.map(({ scan_id: id, spoken, sha256 }) => [
      id,
      { spokenGeneration: spoken < 0 ? undefined : spoken, sha256: sha256 ?? undefined },
    ]),
  );
}

/** Closes scans that have their verdict. @returns them; not those that have none, or are closed already. */
async function closeJudged(
  db: Queryable,
  scanIds: readonly string[],
  at: Instant,
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(
    `WITH open AS MATERIALIZED (
       SELECT s.id FROM scan s
        WHERE s.id = ANY ($1::uuid[]) AND s.closed_at IS NULL
          AND EXISTS (SELECT FROM verdict v WHERE v.object_id = s.object_id AND v.scan_id = s.id)
        ORDER BY s.id FOR NO KEY UPDATE)
     UPDATE scan s SET closed_at = $2 FROM open WHERE s.id = open.id RETURNING s.id`,
    [scanIds, at],
  );
  return new Set(rows.map(({ id }) => id));
}
