import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { describeFlow } from './flow.suite.js';
import { clamdAnswers, ownClamd } from './own-clamd.js';

describe('uploads to the embedded endpoint, told from within', () => {
  let folder: string;
  let service: ServiceProcess;
  let s3: S3Client;
  let harmless: 'clean' | 'incomplete';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-flow-'));
    chmodSync(folder, 0o755);
    const clamd = ownClamd(folder);
    harmless = clamd === undefined ? 'incomplete' : 'clean';
    service = await ServiceProcess.on(join(folder, 'home'), { ...clamd });
    await service.start();
    if (clamd !== undefined) await clamdAnswers(service);
    s3 = service.s3();
  }, 120_000);
  afterAll(async () => {
    s3.destroy();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
  // Its one bucket of uploads keeps versions.
  describeFlow(() => ({ service, s3, prefix: '', versioned: 'uploads', plain: undefined, harmless }), {
    kinds: ['versioned'],
  });
});
