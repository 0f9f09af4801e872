import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import type { Place } from '../cursor.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Engine } from '../engine/ports.js';
import type { Actor } from '../engine/model/command.js';
import { waitForRemovals } from '../engine/retention/retention-hold.js';
import { NotFound } from '../errors.js';
import { VERSION } from '../ops/version.js';
import { reviewBalance } from '../reviews/reviews.queries.js';
import {
  coverage,
  decisionRegister,
  enginesUsed,
  findingsByRule,
  uploadsNotClean,
} from '../verdicts/verdicts.queries.js';
import { coverageOf, type Coverage } from './arithmetic.js';
import { wishedPeriod, type Moment, type Period } from './period.js';
import { renderHtml } from './render-html.js';
import { LISTED_ROWS, type ReportData } from './report-data.js';

/** A report as the API lists it. */
export interface ReportSummary {
  readonly id: string;
  readonly kind: 'weekly';
  readonly label: string;
  readonly from: string;
  readonly to: string;
  readonly status: 'pending' | 'ready';
  readonly workflowId: string;
  readonly createdAt: string;
  readonly renderedAt: string | null;
  readonly mailedAt: string | null;
  readonly sha256: string | null;
  readonly coverage: Coverage | null;
}

interface ReportRow {
  id: string;
  kind: 'weekly';
  label: string;
  period_from: string;
  period_to: string;
  status: 'pending' | 'ready';
  workflow_id: string;
  created_at: string;
  rendered_at: string | null;
  mailed_at: string | null;
  sha256: string | null;
  coverage: Coverage | null;
}

const SUMMARY =
  'id, kind, label, period_from, period_to, status, workflow_id, created_at, rendered_at, mailed_at, sha256, coverage';

const iso = (at: string | number): string => new Date(Number(at)).toISOString();

/** Asks for reports, renders them once and hands them out. */
@Injectable()
export class ReportsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly engine: Engine,
    private readonly clock: Clock,
  ) {}

  /** A report that somebody asked for, of the period that wishedPeriod makes of it. */
  async request(
    wished: { from?: Moment | undefined; to?: Moment | undefined },
    actor: Actor,
  ): Promise<ReportSummary> {
    const period = wishedPeriod(wished, Math.round(this.clock.now()), this.config.ORG_TIME_ZONE);
    const id = randomUUID();
    await this.insert(id, period, false, actor);
    await this.start(id, actor);
    return this.get(id);
  }

  /** The clock's report of a whole week; the same week again is the same report. */
  async ensureScheduled(period: Period): Promise<void> {
    const actor: Actor = { kind: 'system', id: 'reports' };
    await this.insert(randomUUID(), period, true, actor);
    const [row] = await this.db.query<{ id: string; status: string }>(
      `SELECT id, status FROM report WHERE scheduled AND kind = 'weekly' AND period_from = $1 AND period_to = $2`,
      [period.from, period.to],
    );
    // A crash between the row and the start leaves it pending; the start may be repeated.
    if (row?.status === 'pending') await this.start(row.id, actor);
  }

  async list(limit: number, before: Place | undefined): Promise<readonly ReportSummary[]> {
    const rows = await this.db.query<ReportRow>(
      `SELECT ${SUMMARY} FROM report
       WHERE $2::bigint IS NULL OR (created_at, id) < ($2::bigint, $3::uuid)
       ORDER BY created_at DESC, id DESC LIMIT $1`,
      [limit, before?.at ?? null, before?.id ?? null],
    );
    return rows.map(toSummary);
  }

  /** @throws NotFound */
  async get(id: string): Promise<ReportSummary> {
    const [row] = await this.db.query<ReportRow>(`SELECT ${SUMMARY} FROM report WHERE id = $1`, [id]);
    if (row === undefined) throw new NotFound(`No report ${id}.`);
    return toSummary(row);
  }

  /** The file as it was rendered; never rendered again. @throws NotFound while it is pending. */
  async file(id: string, form: 'json' | 'html'): Promise<string> {
    const [row] = await this.db.query<{ body: string | null }>(
      `SELECT ${form}_body AS body FROM report WHERE id = $1`,
      [id],
    );
    if (row === undefined) throw new NotFound(`No report ${id}.`);
    if (row.body === null)
      throw new NotFound(`Report ${id} is not rendered yet. Its workflow shows what it waits for.`);
    return row.body;
  }

  /** Takes the snapshot and stores what it says. A second call finds the first one's result. @returns the JSON file's SHA-256. */
  async render(id: string): Promise<{ sha256: string; data: ReportData }> {
    const summary = await this.get(id);
    if (summary.status === 'pending') await this.snapshot(summary);
    const body = await this.file(id, 'json');
    return { sha256: createHash('sha256').update(body).digest('hex'), data: JSON.parse(body) as ReportData };
  }

  private async snapshot(summary: ReportSummary): Promise<void> {
    await this.db.transaction(async (tx) => {
      // One state of the world for all sections, or the sums would not agree with each other.
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      const now = Math.round(this.clock.now());
      const from = Date.parse(summary.from);
      const to = Date.parse(summary.to);
      const counted = await coverage(tx, from, to);
      const decisions = await decisionRegister(tx, from, to, LISTED_ROWS);
      const notClean = await uploadsNotClean(tx, from, to, LISTED_ROWS);
      const data: ReportData = {
        schema: 'sallyport.report/1',
        kind: 'weekly',
        reportId: summary.id,
        period: {
          label: summary.label,
          from: summary.from,
          to: summary.to,
          timeZone: this.config.ORG_TIME_ZONE,
          complete: to <= now,
        },
        generatedAt: iso(now),
        software: VERSION,
        coverage: coverageOf(counted.uploaded, counted.verdicts, counted.copies),
        reviews: await reviewBalance(tx, from, to),
        findingsByRule: await findingsByRule(tx, from, to),
        decisions: decisions.rows,
        decisionsTotal: decisions.total,
        notClean: notClean.rows,
        notCleanTotal: notClean.total,
        engines: await enginesUsed(tx, from, to),
      };
      const json = `${JSON.stringify(data, null, 2)}\n`;
      const sha256 = createHash('sha256').update(json).digest('hex');
      const updated = await tx.query(
        `UPDATE report SET status = 'ready', rendered_at = $2, coverage = $3, json_body = $4, html_body = $5, sha256 = $6
         WHERE id = $1 AND status = 'pending' RETURNING id`,
        [summary.id, now, JSON.stringify(data.coverage), json, renderHtml(data), sha256],
      );
      if (updated.length === 0) return;
      await appendAudit(tx, [
        {
          at: now,
          actor: 'system:reports',
          action: 'report.rendered',
          subject: `report:${summary.id}`,
          data: { label: summary.label, sha256, addsUp: data.coverage.addsUp },
        },
      ]);
    });
  }

  private async insert(id: string, period: Period, scheduled: boolean, actor: Actor): Promise<void> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await waitForRemovals(tx);
      const inserted = await tx.query(
        `INSERT INTO report (id, kind, label, period_from, period_to, scheduled, requested_by, workflow_id, created_at)
         VALUES ($1::uuid, 'weekly', $2, $3, $4, $5, $6, $1::uuid::text, $7)
         ON CONFLICT (kind, period_from, period_to) WHERE scheduled DO NOTHING RETURNING id`,
        [id, period.label, period.from, period.to, scheduled, `${actor.kind}:${actor.id}`, at],
      );
      if (inserted.length === 0) return;
      await appendAudit(tx, [
        {
          at,
          actor: `${actor.kind}:${actor.id}`,
          action: 'report.requested',
          subject: `report:${id}`,
          data: { label: period.label },
        },
      ]);
    });
  }

  /** The report's id is also its workflow's, so that starting twice starts once. */
  private async start(id: string, actor: Actor): Promise<void> {
    await this.engine.start(
      {
        name: 'weekly_audit_report',
        workflowId: id,
        idempotencyKey: id,
        correlationId: id,
        input: { reportId: id },
      },
      actor,
    );
  }
}

const toSummary = (row: ReportRow): ReportSummary => ({
  id: row.id,
  kind: row.kind,
  label: row.label,
  from: iso(row.period_from),
  to: iso(row.period_to),
  status: row.status,
  workflowId: row.workflow_id,
  createdAt: iso(row.created_at),
  renderedAt: row.rendered_at === null ? null : iso(row.rendered_at),
  mailedAt: row.mailed_at === null ? null : iso(row.mailed_at),
  sha256: row.sha256,
  coverage: row.coverage,
});
