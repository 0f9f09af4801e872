import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectTaggingCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../src/tasks/scan/malware/clamd/clamd-binary.js';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

const isInstalled = findProgram('clamd') !== undefined;

// What only this database knows; harmless everywhere else.
const MARK = 'sallyport-test-signature-4711';

/*
 * The signatures are our own, so these figures exclude the official ones: what is tried is that a daemon which we
 * start and watch makes `clean` possible, and that its findings count.
 */
describe.skipIf(!isInstalled)('with a clamd of its own (skipped: no clamd is installed)', () => {
  let folder: string;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-with-clamd-'));
    // PostgreSQL and clamd run under other accounts where root starts them, and must pass through.
    chmodSync(folder, 0o755);
    const signatures = join(folder, 'signatures');
    mkdirSync(signatures);
    chmodSync(signatures, 0o755);
    const signature = (name: string, offset: string, bytes: Buffer): string =>
      `${name}:0:${offset}:${bytes.toString('hex')}\n`;
    // A daemon that does not find the EICAR test file is not believed.
    writeFileSync(
      join(signatures, 'own.ndb'),
      signature('Own.Eicar', '0', eicar()) + signature('Own.Mark', '*', Buffer.from(MARK)),
    );
    service = await ServiceProcess.on(join(folder, 'home'), {
      CLAMD_MANAGED: 'true',
      CLAMD_DATABASE: signatures,
      CLAMD_CUSTOM_DB: 'trusted',
    });
    await service.start();
    await eventually(
      async () => {
        const { healthResults } = (await (await fetch(`${service.url}/health`)).json()) as {
          healthResults: { name: string; details: { degraded?: boolean } }[];
        };
        const malware = healthResults.find(({ name }) => name === 'malware');
        return malware !== undefined && malware.details.degraded !== true;
      },
      { timeoutMs: 20_000, what: 'clamd answers' },
    );
  }, 60_000);

  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  async function judged(key: string, body: string) {
    const s3 = service.s3();
    await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
    s3.destroy();
    return eventually(
      async () => {
        const { items } = await service.api<{
          items: { verdict: string; reason: string | null; openReviewId: string | null }[];
        }>(`/api/v1/objects?key=${encodeURIComponent(key)}`);
        return items.find(({ verdict }) => verdict !== 'pending');
      },
      { timeoutMs: 20_000, what: `a verdict on ${key}` },
    );
  }

  it('calls a harmless upload clean, and tags it so', async () => {
    expect(await judged('notes/clean.txt', 'Nothing special.')).toMatchObject({ verdict: 'clean' });
    const s3 = service.s3();
    const tags = await eventually(
      async () => {
        const { TagSet = [] } = await s3.send(
          new GetObjectTaggingCommand({ Bucket: 'uploads', Key: 'notes/clean.txt' }),
        );
        return TagSet.length > 0 ? TagSet : undefined;
      },
      { timeoutMs: 15_000, what: 'the verdict tag' },
    );
    expect(tags).toContainEqual({ Key: 'sallyport-verdict', Value: 'clean' });
    s3.destroy();
  }, 40_000);

  it('believes what the daemon finds', async () => {
    expect(await judged('notes/marked.txt', `It says ${MARK} here.`)).toMatchObject({ verdict: 'infected' });
  }, 40_000);
});
