import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { CONFIG, publicUrl, type Config } from '../../../config.js';
import type { Task } from '../../../engine/model/execution.js';
import { TaskWorker, type TaskOutcome } from '../../../engine/ports.js';
import { Ledger } from '../../../verdicts/ledger.js';
import { knownScan } from '../../../verdicts/workers/known-scan.js';
import { ObjectInput, readInput, ScanInput } from '../../task-input.js';
import { contentPath } from './content-path.js';
import { ReadGrants } from './read-grants.js';

const HOUR_SECONDS = 3_600;

const Input = ScanInput.extend({
  object: ObjectInput,
  /** Of the bytes that our own scanners read; null where they could not, and then there is nothing to offer. */
  sha256: z.string().nullish(),
  /** The name under which its findings and failures are told. */
  scanner: z.string().regex(/^[\w.-]{1,50}$/, 'must be 1 to 50 letters, digits, ".", "_" or "-"'),
  ttlSeconds: z
    .int()
    .min(10)
    .max(24 * HOUR_SECONDS)
    .default(900),
});

/** Lets a scanner outside read the object's bytes for a while: what the task after it gets as its input. */
@Injectable()
export class OfferObjectWorker extends TaskWorker {
  readonly taskType = 'offer_object';
  override readonly taskDef = { retryCount: 10, retryDelaySeconds: 2, responseTimeoutSeconds: 60 };

  constructor(
    private readonly ledger: Ledger,
    private readonly grants: ReadGrants,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  async execute(task: Task): Promise<TaskOutcome> {
    const { scanId, object, sha256, scanner, ttlSeconds } = readInput(Input, task);
    await knownScan(this.ledger, scanId);
    if (sha256 === null || sha256 === undefined) {
      return {
        kind: 'completed',
        output: { grantId: null, readUrl: null, reason: 'the object could not be read' },
      };
    }
    const grant = { scanId, scanner, object, sha256 };
    const { id, token, expiresAt } = await this.grants.give(task.taskId, grant, ttlSeconds * 1_000);
    return {
      kind: 'completed',
      output: {
        grantId: id,
        readUrl: `${publicUrl(this.config)}${contentPath(token)}`,
        expiresAt: new Date(expiresAt).toISOString(),
        sha256,
        sizeBytes: object.sizeBytes,
        bucket: object.bucket,
        key: object.key,
        ...(object.versionId !== undefined && { versionId: object.versionId }),
      },
    };
  }
}
