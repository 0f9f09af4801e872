import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../../../src/clock.js';
import { readConfig } from '../../../../src/config.js';
import type { Task } from '../../../../src/engine/model/execution.js';
import type { JsonObject } from '../../../../src/engine/model/json.js';
import { TerminalError, type TaskOutcome } from '../../../../src/engine/ports.js';
import { withoutBearerAddresses } from '../../../../src/http/bearer-addresses.js';
import { loggablePath } from '../../../../src/ops/log.js';
import { ObjectStorage } from '../../../../src/s3/object-storage.js';
import { ContentController } from '../../../../src/tasks/scan/remote/content.controller.js';
import { OfferObjectWorker } from '../../../../src/tasks/scan/remote/offer-object.worker.js';
import { ReadGrants } from '../../../../src/tasks/scan/remote/read-grants.js';
import { SecretScannerSource } from '../../../../src/tasks/scan/secret-scanner-source.js';
import { TakeAnswerWorker } from '../../../../src/tasks/scan/remote/take-answer.worker.js';
import { headOf, httpApp } from '../../../intake/http-app.js';
import { awsMessage, intakeParts } from '../../../intake/intake-parts.js';
import { startTestS3, type TestS3 } from '../../../s3/endpoint.js';

const parts = await intakeParts();
const { intake, ledger, clock, test, database } = parts;
const grants = new ReadGrants(database, clock);
const s3: TestS3 = await startTestS3();
afterAll(() => s3.close());
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [ContentController],
    providers: [
      { provide: ReadGrants, useValue: grants },
      { provide: ObjectStorage, useValue: s3.storage },
      { provide: Clock, useValue: clock },
    ],
  },
);
const offering = new OfferObjectWorker(ledger, grants, readConfig({ PUBLIC_URL: 'https://scans.test' }));
const key = { id: 'k1', key: Buffer.alloc(32, 1) };
const secrets = new SecretScannerSource({ key, userRules: undefined, concurrency: 1 });
const taking = new TakeAnswerWorker(ledger, grants, { for: () => key }, secrets);

interface Offer {
  readonly readUrl: string;
  readonly grantId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const BODY = randomBytes(300_000);
const SHA256 = createHash('sha256').update(BODY).digest('hex');
let scanId: string;
let object: JsonObject;
let versionId: string;
let count = 0;

beforeAll(async () => {
  const pinned = await s3.put('dir/a.bin', BODY);
  versionId = pinned.versionId ?? '';
  object = {
    endpointId: 'embedded',
    bucket: 'uploads',
    key: 'dir/a.bin',
    versionId,
    eTag: pinned.eTag,
    sizeBytes: BODY.length,
    lastModified: '2026-11-23T11:00:00.000Z',
  };
});
beforeEach(async () => {
  await test.truncate();
  await intake.accept(awsMessage({ key: 'dir/a.bin', versionId, size: BODY.length }), { kind: 'webhook' });
  scanId = (await test.query<{ id: string }>('SELECT id FROM scan'))[0]?.id ?? '';
});

const task = (inputData: JsonObject): Task =>
  ({
    taskId: `t${(count += 1)}`,
    taskDefName: 'task',
    workflowInstanceId: 'w',
    inputData,
  }) as unknown as Task;
const outputOf = (outcome: TaskOutcome): JsonObject =>
  outcome.kind === 'completed' ? outcome.output : expect.fail(JSON.stringify(outcome));
const offeredBy = async (one: Task) => outputOf(await offering.execute(one)) as unknown as Offer;
const offer = (more: JsonObject = {}): Promise<Offer> =>
  offeredBy(task({ scanId, object, sha256: SHA256, scanner: 'acme', ...more }));
const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  server.inject({ method, url: new URL(url).pathname, headers: { host: 'localhost', ...headers } });
const answerOf = (more: JsonObject = {}): JsonObject => ({
  kind: 'malware',
  engine: { name: 'Acme', version: '7' },
  sha256: SHA256,
  bytesScanned: BODY.length,
  findings: [],
  ...more,
});
const take = async (grantId: unknown, answer: unknown, status = 'COMPLETED') => {
  const { report } = outputOf(await taking.execute(task({ scanId, grantId, answer, status } as JsonObject)));
  return report as unknown as { notCovered: { reason: string; detail: string }[]; counts: JsonObject };
};

describe('an object that is offered to a scanner outside', () => {
  it('is read whole by the address in its task, and by nothing else', async () => {
    const { readUrl, sha256, sizeBytes } = await offer();
    expect([sha256, sizeBytes]).toEqual([SHA256, BODY.length]);
    expect(readUrl).toMatch(/^https:\/\/scans\.test\/api\/v1\/content\//);
    const answer = await get(readUrl);
    expect([answer.statusCode, answer.rawPayload.equals(BODY)]).toEqual([200, true]);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/octet-stream',
    });
    const last = readUrl.at(-1) === 'A' ? 'B' : 'A';
    for (const wrong of [`${readUrl.slice(0, -1)}${last}`, `${readUrl}x`, 'https://x/api/v1/content/x'])
      expect((await get(wrong)).statusCode).toBe(404);
  });

  it.each([
    ['bytes=0-9', 0, 10],
    ['bytes=299990-', 299_990, 300_000],
    ['bytes=-10', 299_990, 300_000],
    ['bytes=100-400000', 100, 300_000],
  ])('is read in part: %s', async (range, from, to) => {
    const { readUrl } = await offer();
    const answer = await get(readUrl, { range });
    expect(answer.statusCode).toBe(206);
    expect(answer.headers['content-range']).toBe(`bytes ${from}-${to - 1}/300000`);
    expect(answer.rawPayload.equals(BODY.subarray(from, to))).toBe(true);
  });

  it.each(['bytes=5-2', 'bytes=300000-', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-'])(
    'refuses the range %s by name',
    async (range) => {
      const { readUrl, grantId } = await offer();
      const answer = await get(readUrl, { range });
      expect([answer.statusCode, answer.body]).toEqual([400, expect.stringContaining('Range: ')]);
      expect((await grants.named(grantId)).servedBytes).toBe(0);
    },
  );

  it('is described without being sent', async () => {
    const { readUrl, grantId } = await offer();
    const answer = await get(readUrl, {}, 'HEAD');
    expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, '300000']);
    expect((await grants.named(grantId)).servedBytes).toBe(0);
  });

  it('is the version that was scanned, also when the key holds another by now', async () => {
    const { readUrl } = await offer();
    await s3.put('dir/a.bin', 'newer');
    expect((await get(readUrl)).rawPayload.equals(BODY)).toBe(true);
  });

  it('is refused when its version is gone, which uses up nothing of what may be sent', async () => {
    const gone = { ...object, versionId: '00000000000000000000000000000000' };
    const { readUrl } = await offer({ object: gone });
    for (let turn = 0; turn < 12; turn += 1) expect((await get(readUrl)).statusCode).toBe(409);
    expect(await test.query('SELECT reserved_bytes::int, reads FROM read_grant')).toEqual([
      { reserved_bytes: 0, reads: 12 },
    ]);
  });

  it('cannot be read when the time is over, when it was answered, or by an older address', async () => {
    const first = await offer({ ttlSeconds: 60 });
    clock.advance(61_000);
    expect((await get(first.readUrl)).statusCode).toBe(404);
    const second = await offer();
    await take(second.grantId, answerOf());
    expect((await get(second.readUrl)).statusCode).toBe(404);
    const again = task({ scanId, object, sha256: SHA256, scanner: 'acme' });
    const older = await offeredBy(again);
    const newer = await offeredBy(again);
    expect((await get(older.readUrl)).statusCode).toBe(404);
    expect((await get(newer.readUrl)).statusCode).toBe(200);
  });

  it('is not sent for ever', async () => {
    const { readUrl } = await offer();
    const seen: number[] = [];
    for (let turn = 0; turn < 13; turn += 1) seen.push((await get(readUrl)).statusCode);
    expect(seen).toEqual([...Array<number>(11).fill(200), 429, 429]);
  });

  it('has an address that is in no log, in no table, and in no answer but the one that hands it out', async () => {
    const { readUrl } = await offer();
    const { pathname } = new URL(readUrl);
    for (const path of [pathname, `/api/${pathname}`, pathname.toUpperCase(), `/x/..${pathname}?a=b`])
      expect(loggablePath(path)).not.toContain(readUrl.slice(-43, -10));
    const error = `404 for url: ${pathname} (after 1 try)`;
    expect(withoutBearerAddresses(JSON.stringify({ job: [{ url: readUrl }], error }))).toBe(
      JSON.stringify({
        job: [{ url: 'https://scans.test/api/v1/content/***' }],
        error: '404 for url: /api/v1/content/*** (after 1 try)',
      }),
    );
    const rows = await test.query('SELECT * FROM read_grant');
    expect(JSON.stringify(rows)).not.toContain(readUrl.split('.').at(-1));
  });

  it('is read by four at a time, and by no more until one of them is done', async () => {
    const { readUrl } = await offer();
    const answers = await Promise.all(Array.from({ length: 10 }, () => get(readUrl)));
    const codes = answers.map(({ statusCode }) => statusCode);
    expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(4);
    expect(codes.filter((code) => code === 429).length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set([200, 429]));
    expect((await get(readUrl)).statusCode).toBe(200);
  });

  it('is not offered where nobody could read it', async () => {
    expect(await offer({ sha256: null })).toMatchObject({ readUrl: null, grantId: null });
    expect(await take(null, answerOf())).toBeNull();
  });

  it.each([
    [{ scanner: 'a b' }, 'scanner'],
    [{ ttlSeconds: 0 }, 'ttlSeconds'],
    [{ object: null }, 'object'],
  ])('needs a usable input: %j', async (wrong, field) => {
    await expect(offer(wrong as JsonObject)).rejects.toThrow(field);
  });
});

describe('the answer of a scanner outside', () => {
  it('counts where every byte was fetched', async () => {
    const { grantId, readUrl } = await offer();
    await get(readUrl, { range: 'bytes=0-149999' });
    await get(readUrl, { range: 'bytes=150000-' });
    expect((await take(grantId, answerOf())).notCovered).toEqual([]);
  });

  it('is a gap where it says more than it fetched, or nothing', async () => {
    const { grantId, readUrl } = await offer();
    await get(readUrl, { range: 'bytes=0-149999' });
    const [lie] = (await take(grantId, answerOf())).notCovered;
    expect(lie).toMatchObject({ reason: 'engine_error', detail: expect.stringContaining('fetched 150000') });
    const silent = await offer();
    for (const nothing of [null, {}])
      expect((await take(silent.grantId, nothing)).notCovered).toMatchObject([{ reason: 'engine_error' }]);
  });

  it.each(['FAILED', 'FAILED_WITH_TERMINAL_ERROR', 'COMPLETED_WITH_ERRORS', 'TIMED_OUT', 'SKIPPED', ''])(
    'is none where its task ended as %s, whatever that left as its output',
    async (status) => {
      const { grantId, readUrl } = await offer();
      await get(readUrl);
      expect((await take(grantId, answerOf(), status)).notCovered).toMatchObject([
        { reason: 'engine_error', detail: 'acme gave no answer' },
      ]);
    },
  );

  it('is worth no more than the different bytes that were fetched', async () => {
    const { grantId, readUrl } = await offer();
    for (let turn = 0; turn < 2; turn += 1) await get(readUrl, { range: 'bytes=0-199999' });
    const [lie] = (await take(grantId, answerOf())).notCovered;
    expect(lie).toMatchObject({ reason: 'engine_error', detail: expect.stringContaining('fetched 200000') });
  });

  it('leaves its findings in the ledger beside ours, once however often it is taken', async () => {
    await ledger.recordFindings(scanId, 'malware', [ourFinding], 1);
    const { grantId, readUrl } = await offer();
    await get(readUrl);
    const finding = { ruleId: 'Acme.Bad', title: 'Bad', path: 'x', severity: 'critical' };
    for (let turn = 0; turn < 2; turn += 1) await take(grantId, answerOf({ findings: [finding] }));
    // Ours are replaced by another attempt of ours alone.
    await ledger.recordFindings(scanId, 'malware', [ourFinding], 1);
    expect(await test.query('SELECT rule_id, source FROM finding ORDER BY rule_id')).toEqual([
      { rule_id: 'Acme.Bad', source: 'acme' },
      { rule_id: 'Ours', source: '' },
    ]);
    await ledger.recordFindings(scanId, 'malware', [], 0);
    expect(await test.query('SELECT rule_id FROM finding')).toEqual([{ rule_id: 'Acme.Bad' }]);
  });

  it('is refused for a grant of another scan, or of none', async () => {
    const { grantId } = await offer();
    await intake.accept(awsMessage({ key: 'other', versionId: 'v', size: 1 }), { kind: 'webhook' });
    const rows = await test.query<{ id: string }>('SELECT id FROM scan WHERE id <> $1', [scanId]);
    const other = rows[0]?.id ?? '';
    const unknown = '00000000-0000-4000-8000-000000000000';
    for (const input of [
      { scanId: other, grantId, answer: {}, status: 'COMPLETED' },
      { scanId, grantId: unknown, answer: {}, status: 'COMPLETED' },
    ])
      await expect(taking.execute(task(input as JsonObject))).rejects.toThrow(TerminalError);
  });
});

const ourFinding = {
  kind: 'malware',
  ruleId: 'Ours',
  title: 'Ours',
  severity: 'high',
  confidence: 'high',
  path: '',
  fingerprint: 'signature:Ours',
} as const;
