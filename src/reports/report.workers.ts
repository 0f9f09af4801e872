import { Inject, Injectable } from '@nestjs/common';
import { Directory } from '../access/directory.js';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { CONFIG, publicUrl, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../engine/ports.js';
import type { Task } from '../engine/model/execution.js';
import { Outbox, type MailPayload } from '../outbound/outbox.js';
import { escapeHtml } from '../outbound/safe-text.js';
import { equationOf } from './arithmetic.js';
import type { ReportData } from './report-data.js';
import { ReportsService } from './reports.service.js';

function reportIdOf(task: Task): string {
  const { reportId } = task.inputData;
  if (typeof reportId !== 'string') throw new TerminalError('reportId: must be the id of a report');
  return reportId;
}

/** Takes the snapshot of a report and stores its files. */
@Injectable()
export class RenderReportWorker extends TaskWorker {
  override readonly taskType = 'render_report';
  override readonly concurrency = 1;
  override readonly taskDef = { retryCount: 5, retryDelaySeconds: 10 };

  constructor(private readonly reports: ReportsService) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { sha256, data } = await this.reports.render(reportIdOf(task));
    const { uploaded, addsUp, gap } = data.coverage;
    return { kind: 'completed', output: { sha256, uploaded, addsUp, gap } };
  }
}

/** Mails a report's summary with both files to REPORT_TO, or to whoever may decide reviews when that is empty. */
@Injectable()
export class MailReportWorker extends TaskWorker {
  override readonly taskType = 'mail_report';
  override readonly concurrency = 1;
  override readonly taskDef = { retryCount: 5, retryDelaySeconds: 10 };

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reports: ReportsService,
    private readonly directory: Directory,
    private readonly outbox: Outbox,
    private readonly db: Database,
    private readonly clock: Clock,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const id = reportIdOf(task);
    const { data } = await this.reports.render(id);
    const to = await this.recipients();
    if (to.length === 0)
      return { kind: 'completed', output: { recipients: 0, note: 'nobody to mail to: set REPORT_TO' } };
    const html = await this.reports.file(id, 'html');
    const json = await this.reports.file(id, 'json');
    const now = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await this.outbox.enqueue(tx, [
        {
          kind: 'mail',
          key: `report:${id}`,
          payload: { ...mailOf(data, to, html, json, publicUrl(this.config)) },
        },
      ]);
      const marked = await tx.query(
        'UPDATE report SET mailed_at = $2 WHERE id = $1 AND mailed_at IS NULL RETURNING id',
        [id, now],
      );
      if (marked.length === 0) return;
      await appendAudit(tx, [
        {
          at: now,
          actor: 'system:reports',
          action: 'report.mailed',
          subject: `report:${id}`,
          data: { recipients: to.length },
        },
      ]);
    });
    return { kind: 'completed', output: { recipients: to.length } };
  }

  private async recipients(): Promise<readonly string[]> {
    if (this.config.REPORT_TO.length > 0) return this.config.REPORT_TO;
    const people = await this.directory.deciders();
    return people.flatMap(({ email }) => (email === undefined ? [] : [email]));
  }
}

function mailOf(
  data: ReportData,
  to: readonly string[],
  html: string,
  json: string,
  url: string,
): MailPayload {
  const { coverage, period, reviews } = data;
  const lines = [
    `${equationOf(coverage)}${coverage.addsUp ? ' (adds up)' : ` (${coverage.gap} NOT accounted for)`}`,
    `${reviews.opened} reviews opened, ${reviews.decided} decided, ${reviews.openAtEnd} open at the end`,
    `Report: ${url}/reports`,
  ];
  const file = (filename: string, contentType: string, content: string) => ({
    filename,
    contentType,
    contentBase64: Buffer.from(content).toString('base64'),
  });
  const summary = lines.map((line) => `<p style="margin:0 0 10px">${escapeHtml(line)}</p>`).join('');
  return {
    to,
    subject: `Audit report ${period.label}${period.complete ? '' : ' (so far)'}`,
    text: `Audit report ${period.label}\n\n${lines.join('\n')}\n\nThe whole report is attached as HTML and JSON.\n`,
    html: `<div style="font:15px/1.5 system-ui,sans-serif;max-width:36rem;padding:16px"><h1 style="font-size:20px">Audit report ${period.label}</h1>${summary}<p>The whole report is attached as HTML and JSON.</p></div>`,
    messageId: `report-${data.reportId}`,
    attachments: [
      file(`report-${period.label.replaceAll(' ', '-')}.html`, 'text/html; charset=utf-8', html),
      file(`report-${period.label.replaceAll(' ', '-')}.json`, 'application/json', json),
    ],
  };
}

/** In-process workers of this stage. */
export const REPORT_WORKERS = [RenderReportWorker, MailReportWorker] as const;
