import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import type { Task } from '../../engine/model/execution.js';
import { TaskWorker, type TaskContext, type TaskOutcome } from '../../engine/ports.js';
import { BucketsService } from '../../s3/registry/buckets.service.js';
import { SharedReads } from '../../s3/shared-reads.js';
import { Spool } from '../../s3/spool.js';
import { Baseline } from '../../verdicts/baseline/baseline.service.js';
import { Ledger } from '../../verdicts/ledger.js';
import { gapOf } from '../storage-failure.js';
import { ObjectInput, readInput, ScanInput } from '../task-input.js';
import { lookAtObject } from './look-at-object.js';
import { withMaskedPaths } from './masked-paths.js';
import { notScanned, scanned } from './scan-output.js';
import { SecretsLook } from './secrets-look.js';
import { SecretScannerSource } from './secret-scanner-source.js';
import { SecretVerifier } from './verify/secret-verifier.js';

const Input = ScanInput.extend({ object: ObjectInput });

/** Looks for secrets in the object and in everything that it unpacks to. */
@Injectable()
export class ScanSecretsWorker extends TaskWorker {
  readonly taskType = 'scan_secrets';
  override readonly taskDef = {
    retryCount: 3,
    retryLogic: 'EXPONENTIAL_BACKOFF' as const,
    retryDelaySeconds: 5,
    responseTimeoutSeconds: 3600,
  };
  override readonly concurrency: number;

  constructor(
    private readonly ledger: Ledger,
    private readonly reads: SharedReads,
    private readonly spool: Spool,
    @Inject(BucketsService) private readonly buckets: Pick<BucketsService, 'archivePasswords'>,
    private readonly scanner: SecretScannerSource,
    @Inject(Baseline) private readonly baseline: Pick<Baseline, 'among'>,
    @Inject(SecretVerifier) private readonly verifier: Pick<SecretVerifier, 'verify'>,
    private readonly clock: Clock,
  ) {
    super();
    this.concurrency = scanner.concurrency;
  }

  async execute(task: Task, { signal }: TaskContext): Promise<TaskOutcome> {
    const { scanId, object } = readInput(Input, task);
    const look = new SecretsLook(this.scanner.scanner, object.key);
    try {
      const looked = await lookAtObject(object, look, {
        reads: this.reads,
        spool: this.spool,
        signal,
        passwords: () => this.buckets.archivePasswords(object.endpointId, object.bucket),
      });
      const at = { ...object, sha256: looked.sha256 };
      look.accept(await this.baseline.among(look.findings, at), at, this.clock.now());
      look.verified(await this.verifier.verify(look.verifiable(), signal));
      const { report, findings } = await withMaskedPaths(this.scanner.scanner, {
        report: look.report(looked, object.sizeBytes),
        findings: look.findings,
      });
      await this.ledger.recordFindings(scanId, 'secrets', findings, look.total);
      return scanned(report, findings, look.total);
    } catch (error) {
      if (signal.aborted) throw error;
      return notScanned(gapOf(error, task));
    }
  }
}
