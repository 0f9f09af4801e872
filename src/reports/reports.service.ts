import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import type { Place } from '../cursor.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Engine } from '../engine/ports.js';
import type { Actor } from '../engine/model/command.js';
import { waitForRemovals } from '../engine/retention/retention-hold.js';
import { InvalidInput, NotFound, Overloaded } from '../errors.js';
import {
  wishedPeriod,
  type CalendarKind,
  type NamedPeriod,
  type Period,
  type WishedPeriod,
} from './period.js';
import { filesOf, readFile, type ReportFile } from './report-files.js';
import {
  askedByHand,
  deliveriesOf,
  findReport,
  lastScheduled,
  listReports,
  orphans,
  recordSince,
  type ReportDetail,
  type ReportSummary,
} from './report-rows.js';
import { readingOfReport } from './sections/previous.js';
import { iso } from './sections/section.js';

// Each costs a look into every bucket, and its files stay for good.
const DAY_MS = 86_400_000;
const MOST_UNFINISHED = 20;
const MOST_A_DAY = 100;
const UNFINISHED_RETRY_SECONDS = 60;

/** Asks for reports, and hands them out as they were made. */
@Injectable()
export class ReportsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly engine: Engine,
    private readonly clock: Clock,
  ) {}

  /**
   * A report that somebody asked for, of the period that wishedPeriod makes of it.
   *
   * @throws Overloaded where too many were asked for within a day.
   */
  async request(wished: WishedPeriod, actor: Actor): Promise<ReportSummary> {
    const period = wishedPeriod(wished, Math.round(this.clock.now()), this.config.ORG_TIME_ZONE);
    const since = await recordSince(this.db);
    if (since !== undefined && period.to <= since)
      throw InvalidInput.field(
        'from',
        `names a time of which nothing is known: the record begins at ${iso(since)}`,
      );
    const id = randomUUID();
    await this.insert(id, period, false, actor);
    await this.start(id, period, actor);
    return this.get(id);
  }

  /** The clock's report of a whole period; the same one again is the same report. */
  async ensureScheduled(kind: CalendarKind, period: Period): Promise<void> {
    const actor: Actor = { kind: 'system', id: 'reports' };
    await this.insert(randomUUID(), { ...period, kind }, true, actor);
    const [row] = await this.db.query<{ id: string; status: string }>(
      `SELECT id, status FROM report WHERE scheduled AND kind = $1 AND period_from = $2 AND period_to = $3`,
      [kind, period.from, period.to],
    );
    if (row?.status === 'pending') await this.start(row.id, { ...period, kind }, actor);
  }

  /** Starts what was asked for and whose process ended before it had started it. */
  async startOrphans(): Promise<void> {
    for (const { id, kind, label, from, to, requestedBy } of await orphans(this.db))
      await this.start(id, { kind, label, from, to }, actorNamed(requestedBy));
  }

  lastScheduled(kind: CalendarKind) {
    return lastScheduled(this.db, kind);
  }

  list(limit: number, before: Place | undefined): Promise<ReportSummary[]> {
    return listReports(this.db, limit, before);
  }

  /** @throws NotFound */
  async get(id: string): Promise<ReportSummary> {
    const found = await findReport(this.db, id);
    if (found === undefined) throw new NotFound(`No report ${id}.`);
    return found;
  }

  /** @throws NotFound */
  async detail(id: string): Promise<ReportDetail> {
    const summary = await this.get(id);
    const [files, deliveries, reading, restated] = await Promise.all([
      filesOf(this.db, id),
      deliveriesOf(this.db, id),
      readingOfReport(this.db, summary.workflowId, Math.round(this.clock.now())),
      this.db.query<{ restated: readonly unknown[] | null }>('SELECT restated FROM report WHERE id = $1', [
        id,
      ]),
    ]);
    return {
      ...summary,
      files: files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
      deliveries,
      reading,
      restated: restated[0]?.restated ?? [],
    };
  }

  /**
   * A file as it was made; never made again.
   *
   * @throws NotFound for one that is not there, or not yet.
   */
  async file(id: string, name: string): Promise<ReportFile & { readonly pieces: AsyncIterable<Buffer> }> {
    const summary = await this.get(id);
    const found = (await filesOf(this.db, id)).find((file) => file.name === name);
    if (found !== undefined) return { ...found, pieces: readFile(this.db, id, name) };
    const old = await this.oldFile(id, name);
    if (old !== undefined) return old;
    throw new NotFound(
      summary.status === 'ready'
        ? `Report ${id} has no file ${name}.`
        : `Report ${id} has no ${name} yet. Its workflow shows what it waits for.`,
    );
  }

  /** All of it as one archive; that somebody takes it is on record before anything is sent. @throws NotFound */
  async bundle(id: string, actor: string): Promise<Awaited<ReturnType<ReportsService['file']>>> {
    const found = await this.file(id, 'bundle.zip');
    const at = Math.round(this.clock.now());
    const data = { file: found.name, sha256: found.sha256 };
    await appendAudit(this.db, [{ at, actor, action: 'report.downloaded', subject: `report:${id}`, data }]);
    return found;
  }

  /** Reports of an earlier release stand in their row. */
  private async oldFile(id: string, name: string) {
    const column = { 'report.json': 'json_body', 'report.html': 'html_body' }[name];
    if (column === undefined) return undefined;
    const [row] = await this.db.query<{ body: string | null }>(
      `SELECT ${column} AS body FROM report WHERE id = $1`,
      [id],
    );
    if (typeof row?.body !== 'string') return undefined;
    const content = Buffer.from(row.body);
    const mediaType = name.endsWith('.json') ? 'application/json' : 'text/html; charset=utf-8';
    return { name, mediaType, bytes: content.length, sha256: '', pieces: oneOf(content) };
  }

  private async insert(id: string, period: NamedPeriod, scheduled: boolean, actor: Actor): Promise<void> {
    const at = Math.round(this.clock.now());
    const by = `${actor.kind}:${actor.id}`;
    await this.db.transaction(async (tx) => {
      await waitForRemovals(tx);
      // Nobody else asks meanwhile: they wait for the same lock.
      if (!scheduled) await this.bound(tx, at);
      const inserted = await tx.query(
        `INSERT INTO report (id, kind, label, period_from, period_to, scheduled, requested_by, workflow_id, created_at)
         VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $1::uuid::text, $8)
         ON CONFLICT (kind, period_from, period_to) WHERE scheduled DO NOTHING RETURNING id`,
        [id, period.kind, period.label, period.from, period.to, scheduled, by, at],
      );
      if (inserted.length === 0) return;
      const data = { label: period.label, kind: period.kind, scheduled };
      await appendAudit(tx, [{ at, actor: by, action: 'report.requested', subject: `report:${id}`, data }]);
    });
  }

  private async bound(tx: Queryable, now: number): Promise<void> {
    const { asked, unfinished, first } = await askedByHand(tx, now - DAY_MS);
    const retrySeconds = Math.ceil(((first ?? now) + DAY_MS - now) / 1000);
    if (asked >= MOST_A_DAY)
      throw new Overloaded(
        `${asked} reports were asked for by hand within a day, and no more are made. Take one that is there, or come back later.`,
        retrySeconds,
      );
    if (unfinished >= MOST_UNFINISHED)
      throw new Overloaded(
        `${unfinished} reports that were asked for by hand within a day are not ready yet. Wait for one, or terminate its workflow.`,
        UNFINISHED_RETRY_SECONDS,
      );
  }

  /** The report's id is also its workflow's, so that starting twice starts once. */
  private async start(id: string, { kind, label, from, to }: NamedPeriod, actor: Actor): Promise<void> {
    await this.engine.start(
      {
        name: 'weekly_audit_report',
        workflowId: id,
        idempotencyKey: id,
        correlationId: id,
        input: { reportId: id, kind, label, from: iso(from), to: iso(to) },
      },
      actor,
    );
  }
}

/** As the row names who asked. */
function actorNamed(text: string): Actor {
  const [kind = '', ...id] = text.split(':');
  return kind === 'user' || kind === 'apikey'
    ? { kind, id: id.join(':') }
    : { kind: 'system', id: 'reports' };
}

async function* oneOf(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
