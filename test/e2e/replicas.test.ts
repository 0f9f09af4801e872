import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3Endpoint } from '../../src/embedded/s3/endpoint.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

const KEYS = { accessKeyId: 'test', secretAccessKey: 'test-secret' };

/** A way to a server that can be held: who connects then waits for an answer until it is let go. */
async function gate(port: number) {
  const waiting: Socket[] = [];
  const passing = new Set<Socket>();
  let isHeld = false;
  const pass = (socket: Socket): void => {
    const upstream = connect(port, '127.0.0.1');
    passing.add(socket);
    socket.on('close', () => passing.delete(socket));
    socket.pipe(upstream).pipe(socket);
    socket.on('error', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
  };
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (isHeld) waiting.push(socket);
    else pass(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      isHeld = true;
      // Connections that are kept open would go around.
      for (const socket of passing) socket.destroy();
    },
    release: () => {
      isHeld = false;
      for (const socket of waiting.splice(0)) pass(socket);
    },
    get count() {
      return waiting.filter((socket) => !socket.destroyed).length;
    },
    close: () => server.close(),
  };
}

interface TaskView {
  readonly taskType: string;
  readonly status: string;
  readonly retryCount: number;
  readonly pollCount: number;
}

describe('nodes with one role each on one database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-replicas-'));
  const started: ServiceProcess[] = [];
  let database: TestDatabase;
  let s3: Awaited<ReturnType<typeof startS3Endpoint>>;
  let way: Awaited<ReturnType<typeof gate>>;
  let client: S3Client;
  let environment: Record<string, string>;
  let api: ServiceProcess;

  beforeAll(async () => {
    database = await testDatabase();
    s3 = await startS3Endpoint({ directory: join(folder, 's3'), host: '127.0.0.1', port: 0, ...KEYS });
    await s3.createBucket('uploads', { versioning: true });
    way = await gate(s3.port);
    client = new S3Client({
      endpoint: s3.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: KEYS,
    });
    environment = {
      DATABASE_URL: database.url,
      SALLYPORT_KEY: randomBytes(32).toString('base64'),
      S3_ENDPOINT: s3.url,
      S3_FORCE_PATH_STYLE: 'true',
      S3_BUCKETS: 'uploads',
      ACTION_MODE: 'observe',
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    };
    api = await node('api', 'api,intake,notify,reports');
  }, 90_000);
  afterAll(async () => {
    way.release();
    for (const one of started) await one.stop();
    client.destroy();
    way.close();
    await s3.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  async function node(name: string, roles: string): Promise<ServiceProcess> {
    const one = await ServiceProcess.on(join(folder, name), {
      ...environment,
      // Workers reach the objects by a way that can be held.
      ...(roles === 'worker' ? { S3_ENDPOINT: way.url } : {}),
      ROLES: roles,
    });
    started.push(one);
    await one.start();
    return one;
  }

  async function scan(key: string): Promise<string> {
    await client.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: 'Nothing special.' }));
    await api.api('/api/v1/scans', { method: 'POST', body: { bucket: 'uploads', key } });
    return eventually(
      async () => {
        const [row] = await database.query<{ id: string }>(
          'SELECT id FROM workflow ORDER BY created_at DESC LIMIT 1',
        );
        const known = seen.has(row?.id ?? '');
        if (row !== undefined && !known) seen.add(row.id);
        return known ? undefined : row?.id;
      },
      { timeoutMs: 30_000, what: `a workflow for ${key}` },
    );
  }
  const seen = new Set<string>();
  const workflow = (id: string) => api.api<{ status: string; tasks: TaskView[] }>(`/api/workflow/${id}`);
  const completes = (id: string) =>
    eventually(
      async () => {
        const found = await workflow(id);
        return found.status === 'COMPLETED' ? found : undefined;
      },
      { timeoutMs: 60_000, what: 'the workflow completes' },
    );
  const inspection = ({ tasks }: { tasks: TaskView[] }) =>
    tasks.find(({ taskType }) => taskType === 'inspect_object');
  const health = async (of: ServiceProcess) => {
    const response = await fetch(`${of.url}/health`);
    const body = (await response.json()) as {
      healthResults: { name: string; healthy: boolean; details: { detail: string } }[];
    };
    return { status: response.status, roles: body.healthResults.find(({ name }) => name === 'roles') };
  };

  let worker: ServiceProcess;

  it('complete a workflow together, and say so while a role has nobody', async () => {
    expect((await health(api)).roles?.details.detail).toBe('no live node has: engine, worker');
    expect((await health(api)).status).toBe(503);
    const engine = await node('engine', 'engine');
    worker = await node('worker-1', 'worker');
    await eventually(async () => (await health(api)).roles?.healthy === true, { timeoutMs: 20_000 });
    const done = await completes(await scan('first.txt'));
    expect(inspection(done)).toMatchObject({ status: 'COMPLETED', retryCount: 0, pollCount: 1 });
    for (const path of ['/api/workflow/search', '/', '/api/v1/executions']) {
      expect((await fetch(`${engine.url}${path}`)).status).toBe(404);
    }
    expect((await fetch(`${engine.url}/health/live`)).status).toBe(200);
  }, 120_000);

  it('hand on what a killed worker held after 15 s, without a retry', async () => {
    way.hold();
    const id = await scan('killed.txt');
    await eventually(() => way.count > 0, { timeoutMs: 30_000, what: 'the worker reads' });
    const killedAt = performance.now();
    await worker.kill();
    worker = await node('worker-2', 'worker');
    await eventually(async () => (inspection(await workflow(id))?.pollCount ?? 0) === 2, {
      timeoutMs: 60_000,
      what: 'the task is handed out again',
    });
    const seconds = (performance.now() - killedAt) / 1000;
    process.stdout.write(`a killed worker's task was handed on after ${seconds.toFixed(1)} s\n`);
    expect(seconds).toBeGreaterThan(9);
    way.release();
    expect(inspection(await completes(id))).toMatchObject({ status: 'COMPLETED', retryCount: 0 });
  }, 180_000);

  it('hand back at SIGTERM what does not end in time, for the next one to take at once', async () => {
    way.hold();
    const id = await scan('stopped.txt');
    await eventually(() => way.count > 0, { timeoutMs: 30_000, what: 'the worker reads' });
    const { milliseconds, code } = await worker.stop();
    expect(milliseconds).toBeLessThan(15_000);
    expect(code).toBe(0);
    expect(inspection(await workflow(id))).toMatchObject({ status: 'SCHEDULED', retryCount: 0 });
    way.release();
    await node('worker-3', 'worker');
    expect(inspection(await completes(id))).toMatchObject({
      status: 'COMPLETED',
      retryCount: 0,
      pollCount: 2,
    });
  }, 180_000);
});
