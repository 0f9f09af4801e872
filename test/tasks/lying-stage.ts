import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import type { Task } from '../../src/engine/model/execution.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { RetryLater } from '../../src/engine/ports.js';
import { ConfiguredBuckets } from '../../src/s3/buckets.js';
import { Endpoints } from '../../src/s3/endpoints.js';
import { needsRandomAccess } from '../../src/s3/needs-random-access.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { SharedReads } from '../../src/s3/shared-reads.js';
import { Spool } from '../../src/s3/spool.js';
import { RecordVerdictWorker } from '../../src/verdicts/workers/record-verdict.worker.js';
import { testDatabase } from '../support/database.js';
import { LyingS3 } from '../support/lying-s3.js';
import { Stage } from './stage.js';

/** The workers of this stage before an S3 that lies. */
export interface LyingStage {
  readonly s3: LyingS3;
  readonly stage: Stage;
  readonly endpoints: Endpoints;
  /** Inspects, scans and judges one object, as the workflow does; a wait ends it. */
  readonly scanned: (options?: ScanOptions) => Promise<End>;
  readonly close: () => Promise<void>;
}

export interface ScanOptions {
  readonly versionId?: string;
  readonly pollCount?: number;
}

export type End = { verdict: string; reason: string; detail: string } | { retry: string };

/** Until a silent body counts as broken. */
export const IDLE_MS = 150;
/** Polls past the patience with what an operator may mend. */
export const LATE = 3;

export async function lyingStage(): Promise<LyingStage> {
  const s3 = await LyingS3.start();
  const directory = await mkdtemp(join(tmpdir(), 'sallyport lies-'));
  const config = readConfig({ SALLYPORT_HOME: directory });
  const endpoints = new Endpoints(config);
  endpoints.registerEmbedded({ endpoint: s3.url, accessKeyId: 'KEY', secretAccessKey: 'secret' });
  const storage = new ObjectStorage(endpoints, { bodyIdleMs: IDLE_MS });
  const spool = new Spool(join(directory, 'spool'), 1024 ** 2);
  const reads = new SharedReads(storage, spool, {
    wantsSpool: needsRandomAccess,
    idleMs: IDLE_MS,
    keepMs: 0,
  });
  const db = new Database((await testDatabase()).url);
  const put = () => Promise.reject(new Error('nothing is put here'));
  const stage = new Stage({ config, endpoints, storage, spool, reads, directory, put } as never, db);
  return {
    s3,
    stage,
    endpoints,
    scanned: (options = {}) => scanned(stage, options),
    close: async () => {
      await stage.close();
      await db.close();
      endpoints.close();
      await s3.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function scanned(stage: Stage, { versionId, pollCount = LATE }: ScanOptions): Promise<End> {
  const ref = { endpointId: 'embedded', bucket: 'uploads', key: 'k', versionId };
  const { scanId } = stage.ledger.admit(ref);
  const task = { pollCount };
  try {
    const inspection = (await stage.output('inspect_object', { scanId }, task)) as JsonObject;
    const object = inspection['object'] as JsonObject;
    const isPresent = inspection['outcome'] === 'present';
    const read = async (type: string): Promise<JsonObject> =>
      isPresent ? stage.output(type, { scanId, object }, task) : {};
    const [secrets, malware] = await Promise.all([read('scan_secrets'), read('scan_malware')]);
    await judge(stage, {
      scanId,
      inspection,
      secrets: secrets['report'] ?? null,
      malware: malware['report'] ?? null,
      secretsGap: secrets['gap'] ?? null,
      malwareGap: malware['gap'] ?? null,
    });
  } catch (error) {
    if (error instanceof RetryLater) return { retry: error.message };
    throw error;
  }
  const { record } = stage.ledger.verdicts.at(-1)!;
  return { verdict: record.verdict, reason: record.reason, detail: record.detail ?? '' };
}

async function judge(stage: Stage, inputData: JsonObject): Promise<void> {
  const worker = new RecordVerdictWorker(
    stage.ledger,
    new ConfiguredBuckets(stage.config),
    stage.config,
    pino({ enabled: false }),
  );
  const task = { taskId: 't', workflowInstanceId: 'w', inputData } as Task;
  await worker.execute(task);
}
