import { Inject, Injectable } from '@nestjs/common';
import { Directory } from '../access/directory.js';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Outbox, type MailPayload } from '../outbound/outbox.js';
import { reportMail } from './render/mail.js';
import { wholeFile } from './report-files.js';
import { ReportMaker } from './report-maker.js';
import { mailKey, type ReportSummary } from './report-rows.js';
import { ReportsService } from './reports.service.js';

// With its base64 a mail of this size is taken by every server that we know of; a larger report is only linked.
const MAX_ATTACHED_BYTES = 5_000_000;

/** Mails a report to everybody who is to have it, each with a mail of their own, so that one bad address keeps it from nobody. */
@Injectable()
export class ReportMailer {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reports: ReportsService,
    private readonly maker: ReportMaker,
    private readonly directory: Directory,
    private readonly outbox: Outbox,
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns how many people it was mailed to. */
  async send(id: string): Promise<number> {
    const summary = await this.reports.get(id);
    const recipients = await this.recipients();
    if (recipients.length === 0) return 0;
    const mail = await this.mailOf(summary);
    const now = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await this.outbox.enqueue(
        tx,
        recipients.map((to) => ({ kind: 'mail', key: mailKey(id, to), payload: { ...mail, to: [to] } })),
      );
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
          data: { recipients: recipients.length },
        },
      ]);
    });
    return recipients.length;
  }

  private async recipients(): Promise<readonly string[]> {
    const people = (await this.directory.people()).filter(({ disabled }) => !disabled);
    const byRole = people.filter((person) =>
      this.config.REPORT_ROLES.some((role) => person.roles.includes(role)),
    );
    const wanted = [...this.config.REPORT_TO, ...byRole.flatMap(({ email }) => email ?? [])];
    const someone =
      wanted.length > 0 ? wanted : (await this.directory.deciders()).flatMap(({ email }) => email ?? []);
    return [...new Map(someone.map((address) => [address.toLowerCase(), address])).values()];
  }

  private async mailOf(summary: ReportSummary): Promise<Omit<MailPayload, 'to'>> {
    const { id, label } = summary;
    const { subject, text, html } = reportMail(await this.maker.data(id), this.maker.metaOf(summary));
    const pdf = await wholeFile(this.db, id, 'report.pdf');
    const filename = `audit-report-${label.replaceAll(' ', '-')}.pdf`;
    return {
      subject,
      text,
      html,
      messageId: `report-${id}`,
      attachments:
        pdf === undefined || pdf.length > MAX_ATTACHED_BYTES
          ? []
          : [{ filename, contentType: 'application/pdf', contentBase64: pdf.toString('base64') }],
    };
  }
}
