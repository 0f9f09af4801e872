import { PutObjectCommand, CreateBucketCommand } from '@aws-sdk/client-s3';
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

it('a bucket made at the embedded endpoint is scanned from the moment it is registered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-second-bucket-'));
  chmodSync(folder, 0o711);
  const service = await ServiceProcess.on(join(folder, 'home'));
  try {
    await service.start();
    const s3 = service.s3();
    await s3.send(new CreateBucketCommand({ Bucket: 'partner-drop' }));
    const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'partner-drop', Key, Body: 'text' }));
    await put('before');
    await service.api('/api/v1/buckets', {
      method: 'POST',
      body: { bucket: 'partner-drop', endpointId: 'embedded' },
    });
    await put('after');
    const judged = await eventually(
      async () => {
        const rows = await service.all<{ key: string; verdict: string }>(
          '/api/v1/objects?bucket=partner-drop',
        );
        return rows.length > 0 && rows.every(({ verdict }) => verdict !== 'pending') ? rows : undefined;
      },
      { timeoutMs: 30_000, what: 'a verdict in the second bucket' },
    );
    expect(judged.map(({ key }) => key)).toEqual(['after']);
    s3.destroy();
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
