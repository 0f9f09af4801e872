import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { CONFIG, type Config } from '../../config.js';
import { ASKED_TOGETHER } from '../../database/together.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../engine/ports.js';
import type { Task } from '../../engine/model/execution.js';
import { LOG, type Log } from '../../ops/log.js';
import { Buckets } from '../../s3/buckets.js';
import { conclude, OUTCOMES, type Conclusion } from '../conclude.js';
import { Ledger, type ScanReport } from '../ledger.js';
import { coverageOf, ScanReportShape } from '../scan-report.js';
import { REQUIRED_ENGINES, type RequiredEngine } from '../verdict.js';
import { describeIssues } from './input.js';
import { knownScan } from './known-scan.js';

/** A report, or why there is none: the reader met a changed or vanished object. */
const Reported = z
  .union([
    ScanReportShape,
    z.object({ gap: z.string().max(100), report: ScanReportShape.nullish() }),
    z.object({ gap: z.null().optional(), report: ScanReportShape.nullish() }).strict(),
  ])
  .nullish();

const Input = z.object({
  scanId: z.string(),
  inspection: z.object({
    outcome: z.enum(OUTCOMES),
    reason: z.string().max(200).nullish(),
    object: z.object({ sizeBytes: z.int().min(0).nullish(), detail: z.string().nullish() }).nullish(),
  }),
  secrets: Reported,
  malware: Reported,
  /** Of scanners outside, as take_scanner_answer gives them; one that is missing forbids `clean`. */
  others: z.array(Reported).max(20).nullish(),
  secretsGap: z.string().max(100).nullish(),
  malwareGap: z.string().max(100).nullish(),
});
type Input = z.infer<typeof Input>;

/** Judges what the scanners reported, appends the verdict and says which way the workflow goes on. */
@Injectable()
export class RecordVerdictWorker extends TaskWorker {
  readonly taskType = 'record_verdict';
  override readonly concurrency = ASKED_TOGETHER;
  override readonly taskDef = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

  constructor(
    private readonly ledger: Ledger,
    private readonly buckets: Buckets,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const parsed = Input.safeParse(task.inputData);
    if (!parsed.success) throw new TerminalError(`record_verdict: ${describeIssues(parsed.error)}`);
    const input = parsed.data;
    const scan = await knownScan(this.ledger, input.scanId);
    const sizeBytes = input.inspection.object?.sizeBytes ?? scan.facts?.sizeBytes ?? 0;
    const reports = [reportIn(input.secrets), reportIn(input.malware)].filter(
      (report) => report !== undefined,
    );
    const others = (input.others ?? []).map((other) => reportIn(other) ?? missing(sizeBytes));
    const threats =
      scan.hasExternalThreats === true ? await this.ledger.recordExternalThreats(scan.scanId) : 0;
    // A bucket that was taken off the list while its scan was under way still gets the strictest reading.
    const required = this.buckets.find(scan.ref.endpointId, scan.ref.bucket)?.required ?? REQUIRED_ENGINES;
    const conclusion = this.judge(input, required, { reports, others }, threats);
    const coverage = coverageOf([...reports, ...others], sizeBytes);
    await this.ledger.recordVerdict(scan.scanId, {
      verdict: conclusion.verdict,
      reason: conclusion.reason,
      // S3's words, where it did not give the object: which right was missing, which region it is in.
      detail: input.inspection.object?.detail?.slice(0, 2000) ?? undefined,
      ...(reports.length > 0 && { required }),
      ...coverage,
      workflowId: task.workflowInstanceId,
    });
    this.log.info(
      {
        verdict: conclusion.verdict,
        reason: conclusion.reason,
        objectId: scan.objectId,
        workflowId: task.workflowInstanceId,
        taskId: task.taskId,
      },
      'verdict',
    );
    return { kind: 'completed', output: { ...conclusion } };
  }

  private judge(
    input: Input,
    required: readonly RequiredEngine[],
    reported: { readonly reports: readonly ScanReport[]; readonly others: readonly ScanReport[] },
    externalThreats: number,
  ): Conclusion {
    const gaps = [gapIn(input.secrets), gapIn(input.malware), input.secretsGap, input.malwareGap];
    return conclude({
      outcome: input.inspection.outcome,
      reason: input.inspection.reason ?? '',
      gaps: gaps.filter((gap) => typeof gap === 'string'),
      required,
      ...reported,
      degradedPolicy: this.config.DEGRADED_POLICY,
      externalThreats,
    });
  }
}

type Reported = z.infer<typeof Reported>;

const reportIn = (reported: Reported): ScanReport | undefined => {
  if (reported === null || reported === undefined) return undefined;
  return 'kind' in reported ? reported : (reported.report ?? undefined);
};

const missing = (sizeBytes: number): ScanReport => ({
  kind: 'malware',
  engines: [],
  // Of bytes it says nothing: which of them our own looked at stands in their reports.
  bytesScanned: sizeBytes,
  bytesTotal: sizeBytes,
  members: 0,
  notCovered: [
    { path: '', reason: 'engine_error', detail: 'a scanner outside was not asked, or gave no report' },
  ],
  counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 },
});

const gapIn = (reported: Reported): string | undefined =>
  reported !== null && reported !== undefined && 'gap' in reported ? (reported.gap ?? undefined) : undefined;
