import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../engine/ports.js';
import type { Task } from '../engine/model/execution.js';
import { ReportMailer } from './report-mailer.js';
import { ReportMaker } from './report-maker.js';

function reportIdOf(task: Task): string {
  const { reportId } = task.inputData;
  if (typeof reportId !== 'string') throw new TerminalError('reportId: must be the id of a report');
  return reportId;
}

const TASK_DEF = { retryCount: 5, retryDelaySeconds: 10 };

/** Follows the audit record from its beginning, so that the report says whether it is whole. */
@Injectable()
export class VerifyRecordWorker extends TaskWorker {
  override readonly taskType = 'verify_record';
  override readonly concurrency = 1;
  override readonly taskDef = TASK_DEF;

  constructor(private readonly audit: AuditService) {
    super();
  }

  async execute(): Promise<TaskOutcome> {
    const { isWhole, events } = await this.audit.verify([], 'system:reports');
    return { kind: 'completed', output: { isWhole, events } };
  }
}

/** Takes the snapshot of a report: what it says, and the populations behind it. */
@Injectable()
export class SnapshotReportWorker extends TaskWorker {
  override readonly taskType = 'snapshot_report';
  override readonly concurrency = 1;
  override readonly taskDef = TASK_DEF;

  constructor(private readonly maker: ReportMaker) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { coverage, controls, restated } = await this.maker.snapshot(reportIdOf(task));
    const { uploaded, addsUp, gap } = coverage;
    const failed = controls.filter(({ result }) => result === 'fail').map(({ id }) => id);
    return { kind: 'completed', output: { uploaded, addsUp, gap, failed, restated: restated.length } };
  }
}

/** Draws its pages. */
@Injectable()
export class RenderReportWorker extends TaskWorker {
  override readonly taskType = 'render_report';
  override readonly concurrency = 1;
  override readonly taskDef = TASK_DEF;

  constructor(private readonly maker: ReportMaker) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    await this.maker.snapshot(reportIdOf(task));
    await this.maker.render(reportIdOf(task));
    return { kind: 'completed', output: {} };
  }
}

/** Signs everything as one archive. */
@Injectable()
export class SignReportWorker extends TaskWorker {
  override readonly taskType = 'sign_report';
  override readonly concurrency = 1;
  override readonly taskDef = TASK_DEF;

  constructor(private readonly maker: ReportMaker) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    return { kind: 'completed', output: await this.maker.sign(reportIdOf(task)) };
  }
}

/** Mails it to REPORT_TO and the people of REPORT_ROLES, or to whoever may decide reviews when that is nobody. */
@Injectable()
export class MailReportWorker extends TaskWorker {
  override readonly taskType = 'mail_report';
  override readonly concurrency = 1;
  override readonly taskDef = TASK_DEF;

  constructor(
    private readonly maker: ReportMaker,
    private readonly mailer: ReportMailer,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const id = reportIdOf(task);
    // An execution of the definition before this one comes here without them.
    await this.maker.snapshot(id);
    await this.maker.render(id);
    await this.maker.sign(id);
    const recipients = await this.mailer.send(id);
    return {
      kind: 'completed',
      output: {
        recipients,
        ...(recipients === 0
          ? { note: 'nobody to mail to: set REPORT_TO, or give somebody the role auditor' }
          : {}),
      },
    };
  }
}

/** In-process workers of this stage. */
export const REPORT_WORKERS = [
  VerifyRecordWorker,
  SnapshotReportWorker,
  RenderReportWorker,
  SignReportWorker,
  MailReportWorker,
] as const;
