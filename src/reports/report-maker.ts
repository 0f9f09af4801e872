import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { CONFIG, publicUrl, type Config } from '../config.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { RetryLater } from '../engine/ports.js';
import { ReportBundles } from './bundle/report-bundles.js';
import { ocsfLines, sarifLines } from './bundle/for-tools.js';
import type { ReportData, ReportMeta } from './data/report-data.js';
import { csvOf } from './population/population.js';
import { POPULATION_KINDS, populationOf } from './population/populations.js';
import { renderHtml } from './render/html/page.js';
import { renderPdf } from './render/pdf/render.js';
import { filesOf, wholeFile, writeFile } from './report-files.js';
import { waitsForEarlier, type ReportSummary } from './report-rows.js';
import { ReportsService } from './reports.service.js';
import { iso } from './sections/section.js';
import { takeSnapshot } from './snapshot.js';

const REPORT_JSON = 'report.json';
const REPORT_HTML = 'report.html';
const WAIT_FOR_EARLIER_SECONDS = 5;

/** Makes a report, step by step: each is one transaction, and finds what an earlier try of it stored. */
@Injectable()
export class ReportMaker {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reports: ReportsService,
    private readonly bundles: ReportBundles,
  ) {}

  /**
   * Stores what the report says, and the populations behind it, all by one state of the database.
   *
   * @throws RetryLater while the report of an earlier period is in the making, which this one may restate.
   */
  async snapshot(id: string): Promise<ReportData> {
    const summary = await this.reports.get(id);
    if (summary.snapshotAt === null) {
      if (await waitsForEarlier(this.db, id, this.clock.now()))
        throw new RetryLater(WAIT_FOR_EARLIER_SECONDS, 'the report of an earlier period is not made yet');
      await this.db.transaction((tx) => this.store(tx, summary));
    }
    return this.data(id);
  }

  /** Draws the pages of the report. */
  async render(id: string): Promise<void> {
    // Drawing takes seconds; the lock is taken to store alone.
    if (await hasFile(this.db, id, REPORT_HTML)) return;
    const data = await this.data(id);
    const summary = await this.reports.get(id);
    const meta = this.metaOf(summary);
    const pages = [
      {
        name: REPORT_HTML,
        mediaType: 'text/html; charset=utf-8',
        content: Buffer.from(renderHtml(data, meta)),
      },
      { name: 'report.pdf', mediaType: 'application/pdf', content: await renderPdf(data, meta) },
    ];
    await this.db.transaction(async (tx) => {
      if (!(await this.isFirst(tx, id, REPORT_HTML))) return;
      for (const { content, ...page } of pages) await writeFile(tx, id, page, [content]);
    });
  }

  /** Signs everything that was stored, as one archive: from then on the report is ready. */
  async sign(id: string): Promise<{ readonly sha256: string; readonly manifestSha256: string }> {
    const summary = await this.reports.get(id);
    if (summary.status !== 'ready')
      await this.db.transaction(async (tx) => {
        if (!(await this.isFirst(tx, id, 'bundle.zip'))) return;
        const { label } = summary;
        const { manifestSha256 } = await this.bundles.write(tx, summary, await this.data(id));
        const at = Math.round(this.clock.now());
        const [row] = await tx.query<{ sha256: string; addsUp: boolean }>(
          `UPDATE report SET status = 'ready', rendered_at = $2, manifest_sha256 = $3
            WHERE id = $1 RETURNING sha256, (coverage ->> 'addsUp')::boolean AS "addsUp"`,
          [id, at, manifestSha256],
        );
        const data = { label, sha256: row?.sha256, manifestSha256, addsUp: row?.addsUp };
        await appendAudit(tx, [
          { at, actor: 'system:reports', action: 'report.rendered', subject: `report:${id}`, data },
        ]);
      });
    const { sha256, manifestSha256 } = await this.reports.get(id);
    return { sha256: sha256 ?? '', manifestSha256: manifestSha256 ?? '' };
  }

  /** What a report says, as it was stored. */
  async data(id: string): Promise<ReportData> {
    const text = await wholeFile(this.db, id, REPORT_JSON);
    if (text === undefined) throw new Error(`report ${id} has no snapshot`);
    return JSON.parse(text.toString('utf8')) as ReportData;
  }

  metaOf(summary: ReportSummary): ReportMeta {
    return {
      generatedAt: summary.snapshotAt ?? summary.createdAt,
      requestedBy: summary.requestedBy,
      url: publicUrl(this.config),
    };
  }

  private async store(tx: Queryable, summary: ReportSummary): Promise<void> {
    // One state of the world for all sections and files, or the sums would not agree with each other.
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    if (!(await this.isFirst(tx, summary.id, REPORT_JSON))) return;
    const now = Math.round(this.clock.now());
    const from = Date.parse(summary.from);
    const to = Date.parse(summary.to);
    const { data, figures } = await takeSnapshot(tx, {
      reportId: summary.id,
      kind: summary.kind,
      label: summary.label,
      from,
      to,
      timeZone: this.config.ORG_TIME_ZONE,
      organisation: this.config.ORG_NAME,
      scheduled: summary.scheduled,
      now,
    });
    const { sha256 } = await writeFile(tx, summary.id, { name: REPORT_JSON, mediaType: 'application/json' }, [
      `${JSON.stringify(data, null, 2)}\n`,
    ]);
    const range = { from, to: Math.min(to, now) };
    for (const kind of POPULATION_KINDS)
      await writeFile(
        tx,
        summary.id,
        { name: `data/${kind}.csv`, mediaType: 'text/csv; charset=utf-8' },
        csvOf(populationOf(kind), tx, range),
      );
    const forTools = [
      { name: 'findings.sarif', mediaType: 'application/sarif+json', lines: sarifLines(tx, range) },
      { name: 'events.ocsf.jsonl', mediaType: 'application/x-ndjson', lines: ocsfLines(tx, range) },
    ];
    for (const { lines, ...file } of forTools) await writeFile(tx, summary.id, file, lines);
    const { uploaded, copies, byVerdict, accountedFor, gap, addsUp, groups } = data.coverage;
    const sums = { uploaded, copies, byVerdict, accountedFor, gap, addsUp, groups };
    await tx.query(
      `UPDATE report SET snapshot_at = $2, figures = $3, restated = $4, coverage = $5, sha256 = $6 WHERE id = $1`,
      [summary.id, now, JSON.stringify(figures), JSON.stringify(data.restated), JSON.stringify(sums), sha256],
    );
    await appendAudit(tx, [
      {
        at: now,
        actor: 'system:reports',
        action: 'report.snapshot_taken',
        subject: `report:${summary.id}`,
        data: { label: summary.label, asOf: data.asOf, sha256, takenAt: iso(now) },
      },
    ]);
  }

  /** Of two tries at once the second waits for the first, and finds its file. */
  private async isFirst(tx: Queryable, id: string, name: string): Promise<boolean> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('sallyport-report-' || $1, 0))`, [id]);
    return !(await hasFile(tx, id, name));
  }
}

const hasFile = async (db: Queryable, id: string, name: string): Promise<boolean> =>
  (await filesOf(db, id)).some((file) => file.name === name);
