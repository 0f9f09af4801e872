import { createHash } from 'node:crypto';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import type { ObjectStorageOptions } from '../../../src/s3/object-storage.js';
import { endAbandonedUploads } from '../../../src/tasks/object/end-uploads.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { Stage } from '../stage.js';
import { Death, mortalStage } from './mortal.js';

const MIB = 1024 * 1024;
const IN_PARTS: ObjectStorageOptions = { multipartCopyBytes: MIB, copyPartBytes: 5 * MIB };
// More than a whole run has, so that the loop below ends by itself.
const MOST_EFFECTS = 80;

let s3: TestS3;
let database: TestDatabase;
let db: Database;
let stage: Stage;
let large: Buffer;

beforeAll(async () => {
  s3 = await startTestS3();
  database = await testDatabase();
  db = new Database(database.url);
  stage = new Stage(s3, db);
  large = Buffer.alloc(5 * MIB + 1000, 'large object ');
});
afterAll(async () => {
  await stage.close();
  await db.close();
  await s3.close();
});

const uploadsIn = async (bucket: string, key: string) =>
  ((await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }))).Uploads ?? [])
    .length;
const shaOf = (body: Buffer | string) => createHash('sha256').update(body).digest('hex');
const steps = async (scanId: string, move: string) =>
  (
    await database.query<{ step: string }>(
      'SELECT step FROM object_step WHERE scan_id = $1 AND move = $2 ORDER BY id',
      [scanId, move],
    )
  ).map(({ step }) => step);
const withoutUploads = (names: readonly string[]) => names.filter((name) => !name.startsWith('upload_'));

// After a crash the same task is handed out again.
const taskOf = (scanId: string) => ({ taskId: `task of ${scanId}` });

/** Runs a task in a process that dies after one effect, then in one that lives. @returns whether it died. */
async function killedAt(
  at: number,
  run: (process: Stage) => Promise<unknown>,
  storage: ObjectStorageOptions,
): Promise<{ died: boolean; first: Death }> {
  const death = new Death(at);
  const mortal = await mortalStage(stage, database.url, death, { storage });
  const end = await Promise.race([death.came, run(mortal.stage)]);
  const died = end === 'dead';
  if (died) {
    const next = await mortalStage(stage, database.url, new Death(), { storage });
    await run(next.stage);
    await next.close();
  }
  void mortal.close();
  return { died, first: death };
}

describe.each([
  ['in one request', 'small object', {}],
  ['in parts', 'large', IN_PARTS],
] as const)('a move that is killed anywhere, copied %s', (_how, body, storage) => {
  const bytes = () => (body === 'large' ? large : Buffer.from(body));

  it('into quarantine: goes on and ends as if nothing had been', async () => {
    let at = 1;
    for (; at < MOST_EFFECTS; at += 1) {
      const { scanId, pinned } = await stage.upload(`in ${body} ${at}`, bytes());
      const { died } = await killedAt(
        at,
        (process) => process.output('quarantine_object', { scanId, verdict: 'infected' }, taskOf(scanId)),
        storage,
      );
      const row = (await stage.quarantine.find(scanId))!;
      expect([at, row.state]).toEqual([at, 'moved']);
      const copy = { ...row.place, ...row.copy! };
      expect(await s3.storage.digest(copy)).toBe(shaOf(bytes()));
      expect(await s3.storage.versionsOf(copy)).toHaveLength(1);
      expect(await s3.storage.versionsOf(pinned)).toHaveLength(0);
      expect([at, await uploadsIn('quarantine', copy.key)]).toEqual([at, 0]);
      expect(await database.query('SELECT FROM copy_upload WHERE scan_id = $1', [scanId])).toEqual([]);
      const told = withoutUploads(await steps(scanId, 'quarantine'));
      expect([at, told]).toEqual([at, ['reserved', 'copied', 'verified', 'deleted']]);
      if (!died) break;
    }
    expect(at).toBeGreaterThan(10);
    expect(at).toBeLessThan(MOST_EFFECTS);
  }, 300_000);

  it('back from quarantine: gives back once', async () => {
    let at = 1;
    for (; at < MOST_EFFECTS; at += 1) {
      const { scanId, pinned } = await stage.upload(`back ${body} ${at}`, bytes());
      await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
      const { died } = await killedAt(
        at,
        (process) => process.output('release_object', { scanId }, taskOf(scanId)),
        storage,
      );
      const row = (await stage.quarantine.find(scanId))!;
      expect([at, row.state]).toEqual([at, 'released']);
      const versions = await s3.storage.versionsOf(pinned);
      expect([at, versions.length]).toEqual([at, 1]);
      expect(await s3.storage.digest({ ...pinned, ...versions[0]! })).toBe(shaOf(bytes()));
      expect(await s3.storage.versionsOf({ ...row.place })).toHaveLength(0);
      expect(await database.query('SELECT FROM copy_upload WHERE scan_id = $1', [scanId])).toEqual([]);
      const told = withoutUploads(await steps(scanId, 'release'));
      expect([at, told]).toEqual([at, ['announced', 'written', 'verified', 'copy_removed']]);
      if (!died) break;
    }
    expect(at).toBeGreaterThan(10);
    expect(at).toBeLessThan(MOST_EFFECTS);
  }, 300_000);
});

describe('a copy in parts', () => {
  it('goes on with the parts that are there', async () => {
    const { scanId } = await stage.upload('resumed', Buffer.alloc(11 * MIB, 'x'));
    const parts = (death: Death) => death.requests.filter((name) => name === 'UploadPartCopyCommand').length;
    const run = (process: Stage) =>
      process.output('quarantine_object', { scanId, verdict: 'infected' }, taskOf(scanId));
    const first = new Death();
    const broken = await mortalStage(stage, database.url, first, { storage: IN_PARTS });
    let copied = 0;
    broken.stage.s3.endpoints.client('embedded').middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== 'UploadPartCopyCommand') return next(args);
        copied += 1;
        if (copied === 3)
          throw Object.assign(new Error('busy'), { name: 'SlowDown', $metadata: { httpStatusCode: 503 } });
        return next(args);
      },
      { step: 'initialize', name: 'busy' },
    );
    await expect(run(broken.stage)).rejects.toThrow(/SlowDown/);
    await broken.close();
    expect(await uploadsIn('quarantine', 'embedded/uploads/resumed')).toBe(1);
    const second = new Death();
    const next = await mortalStage(stage, database.url, second, { storage: IN_PARTS });
    expect(await run(next.stage)).toMatchObject({ moved: true });
    await next.close();
    expect(parts(second)).toBe(1);
    expect(await steps(scanId, 'quarantine')).toEqual([
      'reserved',
      'upload_started',
      'copied',
      'verified',
      'deleted',
    ]);
  });

  it('that somebody aborted meanwhile is begun anew', async () => {
    const { scanId } = await stage.upload('aborted', large);
    const run = (process: Stage) =>
      process.output('quarantine_object', { scanId, verdict: 'infected' }, taskOf(scanId));
    await database.query(
      `INSERT INTO copy_upload VALUES ($1, 'quarantine', 'embedded', 'quarantine', 'embedded/uploads/aborted', 'no-such-upload', 1)`,
      [scanId],
    );
    const next = await mortalStage(stage, database.url, new Death(), { storage: IN_PARTS });
    expect(await run(next.stage)).toMatchObject({ moved: true });
    await next.close();
    expect(await uploadsIn('quarantine', 'embedded/uploads/aborted')).toBe(0);
  });

  it('is ended when its workflow never came back, a day later', async () => {
    const { scanId } = await stage.upload('abandoned', large);
    const { UploadId } = await s3.client.send(
      new CreateMultipartUploadCommand({ Bucket: 'quarantine', Key: 'left' }),
    );
    const at = stage.clock.now();
    await database.query(
      `INSERT INTO copy_upload VALUES ($1, 'quarantine', 'embedded', 'quarantine', 'left', $2, $3)`,
      [scanId, UploadId, Math.round(at)],
    );
    const parts = { storage: s3.storage, db, clock: stage.clock };
    expect(await endAbandonedUploads(parts)).toBe(0);
    stage.clock.advance(25 * 3_600_000);
    expect(await endAbandonedUploads(parts)).toBe(1);
    expect(await uploadsIn('quarantine', 'left')).toBe(0);
    expect(await steps(scanId, 'quarantine')).toEqual(['upload_aborted']);
  });

  it('of a source that is overwritten meanwhile is ended and leaves nothing', async () => {
    const other = new Stage(s3, db, { S3_BUCKETS: 'plain' });
    await other.close();
    const source = await s3.put('changes', large, 'plain');
    const storage = new (s3.storage.constructor as new (...args: unknown[]) => typeof s3.storage)(
      s3.endpoints,
      IN_PARTS,
    );
    await s3.put('changes', 'other', 'plain');
    await expect(
      storage.copy({ source, destination: { bucket: 'quarantine', key: 'changes' } }),
    ).rejects.toMatchObject({ outcome: 'superseded' });
    expect(await uploadsIn('quarantine', 'changes')).toBe(0);
  });
});
