import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

const OBJECTS = 12;

interface Health {
  readonly degraded: boolean;
  readonly healthResults: readonly { readonly name: string; readonly details: Record<string, unknown> }[];
}

describe('a worker beside a process whose embedded endpoint it cannot reach', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-reach-'));
  let database: TestDatabase;
  let owner: ServiceProcess;
  let stranger: ServiceProcess;

  beforeAll(async () => {
    database = await testDatabase();
    const shared = { DATABASE_URL: database.url, SALLYPORT_KEY: randomBytes(32).toString('base64') };
    owner = await ServiceProcess.on(join(folder, 'owner'), {
      ...shared,
      EMBEDDED_S3: 'on',
      ACTION_MODE: 'tag',
    });
    stranger = await ServiceProcess.on(join(folder, 'stranger'), {
      ...shared,
      EMBEDDED_S3: 'off',
      ROLES: 'worker,engine',
    });
    await owner.start();
    await stranger.start();
  }, 90_000);
  afterAll(async () => {
    for (const one of [stranger, owner]) await one?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('says in /health what it cannot reach, and works', async () => {
    const response = await fetch(`${stranger.url}/health`);
    const { healthResults, degraded } = (await response.json()) as Health;
    expect(response.status).toBe(200);
    expect(degraded).toBe(true);
    expect(healthResults.find(({ name }) => name === 's3')?.details).toMatchObject({
      degraded: true,
      state: 'out-of-reach',
      detail: expect.stringMatching(/embedded: .*another process/),
    });
  });

  it('hands every task back without an attempt, and all uploads get their verdicts soon', async () => {
    const client = owner.s3();
    for (let n = 0; n < OBJECTS; n++) {
      await client.send(
        new PutObjectCommand({ Bucket: 'uploads', Key: `object-${n}`, Body: `Nothing special ${n}.` }),
      );
    }
    client.destroy();
    const done = await eventually(
      async () => {
        const rows = await database.query<{ status: string }>(
          `SELECT status FROM workflow WHERE status <> 'RUNNING'`,
        );
        return rows.length >= OBJECTS ? rows : undefined;
      },
      { timeoutMs: 60_000, what: 'the end of all scans' },
    );
    expect(new Set(done.map(({ status }) => status))).toEqual(new Set(['COMPLETED']));
    const attempts = await database.query<{ failed: string }>(
      `SELECT count(*) AS failed FROM task WHERE retry_count > 0 OR status LIKE 'FAILED%'`,
    );
    expect(Number(attempts[0]?.failed)).toBe(0);
    // Each process was asked once at most, though half a minute may pass on a busy machine.
    const polls = await database.query<{ most: number }>('SELECT max(poll_count) AS most FROM task');
    expect(polls[0]?.most).toBeGreaterThan(1);
    expect(polls[0]?.most).toBeLessThanOrEqual(3);
  }, 90_000);
});
