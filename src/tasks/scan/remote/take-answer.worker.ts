import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Keyring } from '../../../access/keyring.js';
import type { Task } from '../../../engine/model/execution.js';
import { TaskWorker, TerminalError, type TaskOutcome } from '../../../engine/ports.js';
import { InvalidInput } from '../../../errors.js';
import { Ledger } from '../../../verdicts/ledger.js';
import { knownScan } from '../../../verdicts/workers/known-scan.js';
import { withMaskedPaths } from '../masked-paths.js';
import { scanned } from '../scan-output.js';
import { SecretScannerSource } from '../secret-scanner-source.js';
import { readInput, ScanInput } from '../../task-input.js';
import { ReadGrants, type ReadGrant } from './read-grants.js';
import { judgeAnswer } from './scanner-answer.js';

const Input = ScanInput.extend({
  /** From offer_object; null where there was nothing to offer. */
  grantId: z.guid().nullish(),
  /** How the scanner's task ended. What a task that failed or never ended left as its output is no answer. */
  status: z.string(),
  /** The scanner's output, whatever it is; null where it gave none. */
  answer: z.unknown(),
});

/** Takes what a scanner outside says of an object for what it is worth: a missing or lying answer is a gap, never silence. */
@Injectable()
export class TakeAnswerWorker extends TaskWorker {
  readonly taskType = 'take_scanner_answer';
  override readonly taskDef = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

  constructor(
    private readonly ledger: Ledger,
    private readonly grants: ReadGrants,
    @Inject(Keyring) private readonly keyring: Pick<Keyring, 'for'>,
    /** For names of members, which may hold one. */
    @Inject(SecretScannerSource) private readonly secrets: Pick<SecretScannerSource, 'scanner'>,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { scanId, grantId, status, answer } = readInput(Input, task);
    await knownScan(this.ledger, scanId);
    // Our own scanners say why, and theirs is the verdict.
    if (grantId === null || grantId === undefined) {
      return { kind: 'completed', output: { report: null, gap: 'failed', findings: [], total: 0 } };
    }
    const grant = await this.grantOf(grantId, scanId);
    const key = this.keyring.for('fingerprint');
    const judged = judgeAnswer(
      status === 'COMPLETED' && !isEmpty(answer) ? answer : undefined,
      grant,
      (place) => `hmac-sha256:${key.id}:${hmac(key.key, place)}`,
    );
    const { report, findings } = await withMaskedPaths(this.secrets.scanner, judged);
    await this.ledger.recordFindings(scanId, report.kind, findings, findings.length, grant.scanner);
    await this.grants.end(grantId);
    return scanned(report, findings, findings.length);
  }

  private async grantOf(grantId: string, scanId: string): Promise<ReadGrant> {
    try {
      const grant = await this.grants.named(grantId);
      if (grant.scanId === scanId) return grant;
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
    }
    throw new TerminalError(`take_scanner_answer: wrong input: grantId: names no grant of scan ${scanId}`);
  }
}

/** Of the place, because the value is never told: the same finding again is the same. */
const hmac = (key: Buffer, place: string): string =>
  createHmac('sha256', key).update('sallyport place\0').update(place).digest('hex');

/** A task that ended without an output has an empty one. */
const isEmpty = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && Object.keys(answer).length === 0;
