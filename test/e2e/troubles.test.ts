import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning } from '../../src/embedded/postgres/process-identity.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

interface Health {
  readonly healthy: boolean;
  readonly healthResults: readonly { name: string; healthy: boolean; details: { detail: string } }[];
}

describe('a service in trouble', () => {
  let folder: string;
  let service: ServiceProcess;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-troubles-'));
    // The service makes its home inside, with the rights that it wants.
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'));
  });
  afterEach(async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const postmasterFile = (): string => join(service.home, 'postgres', 'postmaster.json');
  const postmaster = (): number =>
    (JSON.parse(readFileSync(postmasterFile(), 'utf8')) as { pid: number }).pid;

  it('brings its PostgreSQL back when that is killed, says so meanwhile, and loses nothing', async () => {
    await service.start();
    const killed = postmaster();
    const s3 = service.s3();
    process.kill(killed, 'SIGKILL');
    await s3.send(
      new PutObjectCommand({ Bucket: 'uploads', Key: 'meanwhile.txt', Body: 'Nothing special.' }),
    );
    s3.destroy();
    const { keyId, keySecret } = service.credentials.apiKey;
    const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`;
    const answers = new Set<number>();
    await eventually(
      async () => {
        const health = (await (await fetch(`${service.url}/health`)).json()) as Health;
        const database = health.healthResults.find(({ name }) => name === 'postgresql');
        expect(database?.healthy).toBe(health.healthy);
        const { status } = await fetch(`${service.url}/api/v1/objects`, { headers: { authorization } });
        answers.add(status);
        return health.healthy && status === 200 && postmaster() !== killed;
      },
      { timeoutMs: 30_000, what: 'all is well again' },
    );
    expect([...answers].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await eventually(
      async () =>
        (await service.api<{ items: { verdict: string }[] }>('/api/v1/objects?key=meanwhile.txt')).items.some(
          ({ verdict }) => verdict === 'incomplete',
        ),
      { timeoutMs: 30_000, what: 'its verdict' },
    );
    expect(service.printed).toContain('The embedded PostgreSQL ended by itself; it is started again.');
  }, 90_000);

  it('told to stop during its first start, is gone in time, leaves nothing running and starts afterwards', async () => {
    const starting = service.start().catch(() => undefined);
    await eventually(() => existsSync(postmasterFile()), { timeoutMs: 30_000, what: 'its PostgreSQL runs' });
    const pid = postmaster();
    const { milliseconds, code } = await service.stop();
    expect(milliseconds).toBeLessThan(10_000);
    expect(code).toBe(0);
    expect(service.printed).not.toContain('Sallyport is ready');
    expect(isRunning(pid)).toBe(false);
    await starting;
    await service.start();
    expect(service.printed).toContain('Sallyport is ready');
  }, 90_000);
});
