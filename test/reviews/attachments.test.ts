import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { AttachmentScanner } from '../../src/reviews/attachments/attachment-scanner.js';
import { AttachmentScans, LEASE_MS, MAX_ATTEMPTS } from '../../src/reviews/attachments/attachment-scans.js';
import { refusalOf } from '../../src/reviews/attachments/refusal.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { Spool } from '../../src/s3/spool.js';
import { OwnAttachmentScanner } from '../../src/tasks/scan/attachments/own-attachment-scanner.js';
import { BuiltInEngine } from '../../src/tasks/scan/malware/built-in-engine.js';
import { ClamdEngine } from '../../src/tasks/scan/malware/clamd/clamd-engine.js';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { readHashList } from '../../src/tasks/scan/malware/hash-list.js';
import { MalwareEngines } from '../../src/tasks/scan/malware/malware-engines.js';
import { SecretScannerSource } from '../../src/tasks/scan/secret-scanner-source.js';
import { VERDICTS } from '../../src/verdicts/verdict.js';
import { zip } from '../support/archives.js';
import { fakeClamd, type FakeClamd } from '../tasks/scan/malware/fake-clamd.js';
import { reviewsApp } from './app.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

const LIMIT = 10 * 1024 ** 2;
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
/** Looks like a key of AWS, and is nobody's. */
const awsKey = (): string =>
  ['AKIA', [...randomBytes(16)].map((b) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[b % 32]).join('')].join('');

let directory: string;
let secrets: SecretScannerSource;
/** A daemon with official signatures that knows the test file. */
let clamd: FakeClamd;
/** The scanners with that daemon, and with none. */
let full: OwnAttachmentScanner;
let bare: OwnAttachmentScanner;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport attachments-'));
  secrets = new SecretScannerSource({
    key: { id: 'fingerprint-test', key: Buffer.alloc(32, 1) },
    userRules: undefined,
    concurrency: 1,
  });
  const today = new Date().toUTCString().replace(/^(...), (..) (...) (....) (.*) GMT$/, '$1 $3 $2 $5 $4');
  clamd = await fakeClamd(
    ({ socket, ended, start }) => {
      if (!ended) return;
      // What it is tested with, before it is trusted.
      if (start.includes('level.zip')) socket.end('stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND\0');
      else if (start.includes('locked.txt')) socket.end('stream: Heuristics.Encrypted.Zip FOUND\0');
      else socket.end(`stream: ${start.includes(eicar()) ? 'Eicar FOUND' : 'OK'}\0`);
    },
    { version: `ClamAV 1.4.6/27834/${today}` },
  );
  full = await scannerWith({ configured: clamd.at });
  bare = await scannerWith({});
});
afterAll(async () => {
  await secrets.close();
  await clamd.close();
  await rm(directory, { recursive: true, force: true });
});

async function scannerWith(at: { configured?: FakeClamd['at'] }): Promise<OwnAttachmentScanner> {
  const engine = new ClamdEngine({
    usualPlaces: [],
    trustsCustomDatabase: false,
    now: () => Date.now(),
    ...at,
  });
  await engine.look();
  return new OwnAttachmentScanner(
    new Spool(join(directory, 'spool'), 1024 ** 3),
    secrets,
    new MalwareEngines(new BuiltInEngine(readHashList(undefined)), engine),
  );
}

let stage: ReviewsStage;
let app: NestFastifyApplication;
const apps: NestFastifyApplication[] = [];
/** A node of the service on the stage's database, which scans only when a test says so. */
const node = async (attachmentScanner: AttachmentScanner = full): Promise<NestFastifyApplication> => {
  const started = await reviewsApp(stage, { ROLES: 'api' }, { attachmentScanner });
  apps.push(started.app);
  return started.app;
};
beforeEach(async () => {
  stage = await reviewsStage();
  app = await node();
});
afterEach(async () => {
  for (const one of apps.splice(0)) await one.close();
  await stage.close();
});

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly why: string | null;
  readonly sha256: string;
}
const headersOf = (user: string, headers: object = {}) => ({
  host: '127.0.0.1:8080',
  'x-test-user': user,
  ...headers,
});
const attach = (
  reviewId: string,
  bytes: Buffer,
  {
    name = 'notes.txt',
    user = 'alice',
    headers = {},
  }: { name?: string; user?: string; headers?: object } = {},
) =>
  app.inject({
    method: 'POST',
    url: `/api/v1/reviews/${reviewId}/attachments?name=${encodeURIComponent(name)}`,
    headers: headersOf(user, { 'content-type': 'application/octet-stream', ...headers }),
    payload: bytes,
  });
const attached = async (reviewId: string, bytes: Buffer, name?: string): Promise<Shown> => {
  const answer = await attach(reviewId, bytes, name === undefined ? {} : { name });
  expect(answer.statusCode).toBe(201);
  return answer.json<Shown>();
};
const get = (path: string, user = 'alice', headers: object = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url: `/api/v1/reviews/${path}`, headers: headersOf(user, headers) });
const list = async (reviewId: string): Promise<Shown[]> =>
  (await get(`${reviewId}/attachments`)).json<{ items: Shown[] }>().items;
const scansOf = (one: NestFastifyApplication): AttachmentScans => one.get(AttachmentScans, { strict: false });
const scan = (one: NestFastifyApplication = app): Promise<number> =>
  scansOf(one).scanWaiting(new AbortController().signal);
const storedBytes = async (id: string): Promise<number> =>
  (await stage.db.query(`SELECT 1 FROM review_attachment_bytes WHERE attachment_id = $1`, [id])).length;

describe('an attachment', () => {
  it('is stored before it is answered for, had by nobody while it is scanned, and then as a file that nothing opens', async () => {
    const review = await stage.open();
    const bytes = Buffer.from('What the vendor wrote about it.\n');
    const { id, ...shown } = await attached(review.id, bytes, 'from vendor.txt');
    expect(shown).toMatchObject({
      name: 'from vendor.txt',
      sizeBytes: bytes.length,
      sha256: digest(bytes),
      attachedBy: { id: 'alice' },
      state: 'scanning',
      verdict: null,
    });
    expect(await storedBytes(id)).toBe(1);
    const early = await get(`${review.id}/attachments/${id}`);
    expect(early.statusCode).toBe(409);
    expect(early.json<{ detail: string }>().detail).toContain('being scanned');

    expect(await scan()).toBe(1);
    expect(await list(review.id)).toMatchObject([{ id, state: 'clean', verdict: 'clean', why: null }]);
    const answer = await get(`${review.id}/attachments/${id}`, 'bob');
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload).toEqual(bytes);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="from vendor.txt"; filename*=UTF-8''from%20vendor.txt`,
      'content-length': String(bytes.length),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(answer.headers['content-security-policy']).toContain('sandbox');
    const head = await get(`${review.id}/attachments/${id}`, 'bob', {}, 'HEAD');
    expect([head.statusCode, head.rawPayload.length]).toEqual([200, 0]);

    const told = (await reviewTimeline(stage.db, review.id)).filter(({ kind }) => kind.startsWith('attach'));
    expect(told).toMatchObject([
      { kind: 'attached', by: { id: 'alice' }, data: { attachment: id, sha256: digest(bytes) } },
      { kind: 'attachment_clean', by: { id: 'reviews' }, data: { attachment: id, verdict: 'clean' } },
    ]);
    const audited = await stage.db.query<{ action: string; actor: string }>(
      `SELECT action, actor FROM audit_event WHERE action LIKE 'review.attach%' ORDER BY id`,
    );
    expect(audited).toEqual([
      { action: 'review.attached', actor: 'user:alice' },
      { action: 'review.attachment_clean', actor: 'system:reviews' },
      { action: 'review.attachment_fetched', actor: 'user:bob' },
    ]);
  });

  it('of many slices comes back whole, also an archive that is looked into', async () => {
    const review = await stage.open();
    const inner = randomBytes(700_000);
    const packed = zip([{ name: 'noise.bin', content: inner }]);
    const { id } = await attached(review.id, packed, 'noise.zip');
    await scan();
    const answer = await get(`${review.id}/attachments/${id}`);
    expect(answer.statusCode).toBe(200);
    expect(digest(answer.rawPayload)).toBe(digest(packed));
  });

  it('that is malware is refused with its name, bare and in an archive, and its bytes are gone', async () => {
    const review = await stage.open();
    const plain = await attached(review.id, eicar(), 'invoice.pdf');
    const packed = await attached(review.id, zip([{ name: 'a.com', content: eicar() }]), 'a.zip');
    await scan();
    for (const { id } of [plain, packed]) {
      const one = (await list(review.id)).find((shown) => shown.id === id);
      expect(one).toMatchObject({ state: 'refused', verdict: 'infected' });
      expect(one?.why).toMatch(/^It is malware \(.*eicar/i);
      const answer = await get(`${review.id}/attachments/${id}`);
      expect(answer.statusCode).toBe(409);
      expect(answer.json<{ detail: string }>().detail).toContain('It is malware');
      expect(await storedBytes(id)).toBe(0);
    }
  });

  it('with a secret is refused with the rule and the line, and the secret is nowhere', async () => {
    const review = await stage.open();
    const [key, nameKey] = [awsKey(), awsKey()];
    const bytes = Buffer.from(`# settings\naws_access_key_id = ${key}\n`);
    await attached(review.id, bytes, `${nameKey}.env`);
    await scan();
    const [one] = await list(review.id);
    expect(one).toMatchObject({ state: 'refused', verdict: 'secrets' });
    expect(one?.why).toMatch(/A secret stands in it \(.*AWS.*, line 2\)/);
    const rows = await stage.db.query<{ all: string }>(
      `SELECT coalesce((SELECT json_agg(a)::text FROM review_attachment a), '')
           || coalesce((SELECT json_agg(e)::text FROM review_event e), '')
           || coalesce((SELECT json_agg(e)::text FROM audit_event e), '')
           || coalesce((SELECT json_agg(o)::text FROM outbox o), '') AS all`,
    );
    for (const secret of [key, nameKey]) {
      expect(rows[0]?.all).not.toContain(secret);
      expect(JSON.stringify(await list(review.id))).not.toContain(secret);
    }
    expect(await stage.db.query(`SELECT 1 FROM review_attachment_bytes`)).toEqual([]);
  });

  it('that cannot be looked at whole is refused and says why: no engine after several looks, a password', async () => {
    const review = await stage.open();
    app = await node(bare);
    await attached(review.id, Buffer.from('harmless'));
    await scan();
    // The engine may be starting.
    expect(await list(review.id)).toMatchObject([{ state: 'scanning' }]);
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) {
      stage.clock.advance(60_000);
      expect(await scan()).toBe(1);
    }
    expect(await list(review.id)).toMatchObject([{ state: 'refused', verdict: 'incomplete' }]);
    expect((await list(review.id))[0]?.why).toContain('No malware engine with signatures');

    // When there is an engine, the same file may be attached again.
    app = await node(full);
    const again = await attached(review.id, Buffer.from('harmless'));
    await scan();
    expect((await list(review.id)).find(({ id }) => id === again.id)?.state).toBe('clean');

    const locked = zip([{ name: 'a.txt', content: 'hidden', password: 'sesame' }]);
    const { id: lockedId } = await attached(review.id, locked, 'locked.zip');
    await scan();
    const refused = (await list(review.id)).find(({ id }) => id === lockedId);
    expect(refused).toMatchObject({ state: 'refused', verdict: 'encrypted' });
    expect(refused?.why).toContain('without a password');
  });

  it('sent again by the same person is the same one; another person’s is another', async () => {
    const review = await stage.open();
    const bytes = Buffer.from('once');
    const answers = await Promise.all(Array.from({ length: 5 }, () => attach(review.id, bytes)));
    expect(new Set(answers.map((answer) => answer.json<Shown>().id)).size).toBe(1);
    expect((await attach(review.id, bytes, { user: 'bob' })).json<Shown>().id).not.toBe(
      answers[0]?.json<Shown>().id,
    );
    expect(await list(review.id)).toHaveLength(2);
    const told = await reviewTimeline(stage.db, review.id);
    expect(told.filter(({ kind }) => kind === 'attached')).toHaveLength(2);
  });
});

describe('the limits', () => {
  it('a file has one byte at least and 10 MB at most', async () => {
    const review = await stage.open();
    const whole = await attach(review.id, Buffer.alloc(LIMIT, 'a'));
    expect(whole.statusCode).toBe(201);
    const over = await attach(review.id, Buffer.alloc(LIMIT + 1, 'a'));
    expect(over.statusCode).toBe(413);
    expect(over.json<{ detail: string }>().detail).toContain('10 MB');
    const empty = await attach(review.id, Buffer.alloc(0));
    expect(empty.statusCode).toBe(400);
    expect(empty.body).toContain('body');
    expect(await list(review.id)).toHaveLength(1);
  });

  it('of thirty that are attached at once a review takes twenty', async () => {
    const review = await stage.open();
    const other = await stage.open();
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => attach(review.id, Buffer.from(`file ${n}`))),
    );
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.filter((status) => status === 409)).toHaveLength(10);
    expect(answers.find(({ statusCode }) => statusCode === 409)?.body).toContain('20 attachments');
    expect(await list(review.id)).toHaveLength(20);
    expect((await stage.db.query(`SELECT 1 FROM review_attachment_bytes`)).length).toBe(20);
    expect((await attach(other.id, Buffer.from('file 1'))).statusCode).toBe(201);
  });

  it('what is no file, or has no name that can be kept, is refused by the field’s name', async () => {
    const review = await stage.open();
    const asJson = await attach(review.id, Buffer.from('{}'), {
      headers: { 'content-type': 'application/json' },
    });
    expect(asJson.statusCode).toBe(400);
    expect(asJson.body).toContain('application/octet-stream');
    for (const name of ['', '   ', 'x'.repeat(256), 'a\u0000b']) {
      const answer = await attach(review.id, Buffer.from('x'), { name });
      expect(answer.statusCode).toBe(400);
      expect(answer.body).toContain('name');
    }
    const nameless = await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${review.id}/attachments`,
      headers: headersOf('alice', { 'content-type': 'application/octet-stream' }),
      payload: Buffer.from('x'),
    });
    expect(nameless.statusCode).toBe(400);
    expect(await list(review.id)).toEqual([]);
  });

  it('no other route reads bytes as they are', async () => {
    const review = await stage.open();
    const answer = await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${review.id}/comment`,
      headers: headersOf('alice', { 'content-type': 'application/octet-stream' }),
      payload: Buffer.from('{"text":"x"}'),
    });
    expect(answer.statusCode).toBe(415);
  });

  it('a hostile name reaches nobody’s disk or headers as it is', async () => {
    const review = await stage.open();
    const names = [
      '../../etc/passwd',
      'C:\\Windows\\evil.exe',
      'a"\r\nSet-Cookie: x=1.txt',
      'CON',
      '.bashrc',
      '<script>alert(1)</script>.html',
      '😀'.repeat(60),
    ];
    for (const name of names) {
      const { id } = await attached(review.id, Buffer.from(name), name);
      await scan();
      const answer = await get(`${review.id}/attachments/${id}`);
      expect(answer.statusCode, name).toBe(200);
      expect(answer.headers['set-cookie']).toBeUndefined();
      const said = String(answer.headers['content-disposition']);
      expect(said).toMatch(/^attachment; filename="[^"\\/\r\n<>]+"; filename\*=UTF-8''[\w%.~!-]+$/);
      expect(said).not.toMatch(/%2F|%5C|"CON"|"\./i);
    }
    // One that shows another ending than it has is no accident.
    const { id } = await attached(review.id, Buffer.from('MZ'), 'invoice\u202Efdp.exe');
    await scan();
    expect((await list(review.id)).find((one) => one.id === id)).toMatchObject({
      state: 'refused',
      verdict: 'suspicious',
    });
  });
});

describe('who may', () => {
  it('those who may comment attach, those who see the review fetch, and a foreign queue is closed to both', async () => {
    const review = await stage.open();
    const { id } = await attached(review.id, Buffer.from('for all who see it'));
    await scan();
    const auditor = { 'x-test-roles': 'auditor' };
    expect((await get(`${review.id}/attachments/${id}`, 'ann', auditor)).statusCode).toBe(200);
    expect((await attach(review.id, Buffer.from('x'), { user: 'ann', headers: auditor })).statusCode).toBe(
      403,
    );
    const author = { 'x-test-roles': 'author' };
    expect((await attach(review.id, Buffer.from('y'), { user: 'ada', headers: author })).statusCode).toBe(
      201,
    );
    const foreign = { 'x-test-roles': 'viewer', 'x-test-grants': 'another' };
    expect((await get(`${review.id}/attachments`, 'eve', foreign)).statusCode).toBe(403);
    expect((await get(`${review.id}/attachments/${id}`, 'eve', foreign)).statusCode).toBe(403);
    expect((await attach(review.id, Buffer.from('z'), { user: 'eve', headers: foreign })).statusCode).toBe(
      403,
    );
    const own = { 'x-test-roles': 'viewer', 'x-test-grants': review.policy.queue };
    expect((await attach(review.id, Buffer.from('z'), { user: 'gus', headers: own })).statusCode).toBe(201);
    expect((await get(`${review.id}/attachments/${id}`, 'gus', own)).statusCode).toBe(200);
  });

  it('an attachment belongs to its review alone', async () => {
    const [review, other] = [await stage.open(), await stage.open()];
    const { id } = await attached(review.id, Buffer.from('here'));
    await scan();
    expect((await get(`${other.id}/attachments/${id}`)).statusCode).toBe(404);
    expect((await get(`${review.id}/attachments/nonsense`)).statusCode).toBe(400);
    expect((await attach('0d2f5f0e-0000-4000-8000-00000000dead', Buffer.from('x'))).statusCode).toBe(404);
  });
});

describe('a scan', () => {
  it('is made by whoever comes next, when the service ended between the upload and the scan', async () => {
    const review = await stage.open();
    await attached(review.id, Buffer.from('kept'));
    await apps.pop()?.close();
    app = await node();
    expect(await list(review.id)).toMatchObject([{ state: 'scanning' }]);
    expect(await scan()).toBe(1);
    expect(await list(review.id)).toMatchObject([{ state: 'clean' }]);
  });

  it('that a dead node had begun is begun again when its time is over; the dead one’s word comes too late', async () => {
    const review = await stage.open();
    await attached(review.id, Buffer.from('begun'));
    const held = heldScanner();
    const slow = await node(held.scanner);
    const under = scan(slow);
    await held.begun;
    // Nobody else takes it before.
    expect(await scan()).toBe(0);
    stage.clock.advance(LEASE_MS);
    expect(await scan()).toBe(1);
    expect(await list(review.id)).toMatchObject([{ state: 'clean' }]);
    held.say();
    await under;
    expect(await list(review.id)).toMatchObject([{ state: 'clean', verdict: 'clean' }]);
    const told = await reviewTimeline(stage.db, review.id);
    expect(told.filter(({ kind }) => kind.startsWith('attachment_'))).toHaveLength(1);
  });

  it('of one file is made by one of many nodes that look at once', async () => {
    const review = await stage.open();
    await Promise.all(
      Array.from({ length: 6 }, (_, n) => attached(review.id, Buffer.from(`${n}`), `${n}.txt`)),
    );
    const nodes = [app, await node(), await node()];
    const taken = await Promise.all(nodes.map((one) => scan(one)));
    expect(taken.reduce((sum, one) => sum + one, 0)).toBe(6);
    const told = await reviewTimeline(stage.db, review.id);
    expect(told.filter(({ kind }) => kind === 'attachment_clean')).toHaveLength(6);
  });

  it('that fails is tried again later, and not for ever', async () => {
    const review = await stage.open();
    let attempts = 0;
    const failing = await node({
      scan: () => Promise.reject(new Error(`failure ${(attempts += 1)}`)),
      shownName: async (name) => name,
    });
    await attached(review.id, Buffer.from('cursed'));
    for (let turn = 0; turn < MAX_ATTEMPTS + 3; turn += 1) {
      await scan(failing);
      // Not in the same moment.
      expect(await scan(failing)).toBe(0);
      stage.clock.advance(LEASE_MS);
    }
    expect(attempts).toBe(MAX_ATTEMPTS);
    expect(await list(review.id)).toMatchObject([{ state: 'refused', verdict: 'failed' }]);
    expect((await list(review.id))[0]?.why).toContain('scan failed');
  });

  it('that ends its process each time comes to an end', async () => {
    const review = await stage.open();
    await attached(review.id, Buffer.from('deadly'));
    for (let death = 0; death < MAX_ATTEMPTS; death += 1) {
      // What is left of a node that was killed in its scan.
      await stage.db.query(`UPDATE review_attachment SET attempts = attempts + 1, scan_after = $1`, [
        stage.clock.now() + LEASE_MS,
      ]);
      stage.clock.advance(LEASE_MS);
    }
    expect(await scan()).toBe(1);
    expect(await list(review.id)).toMatchObject([{ state: 'refused', verdict: 'failed' }]);
  });

  it('that a stopping service broke off costs no attempt and waits for nothing', async () => {
    const review = await stage.open();
    await attached(review.id, Buffer.from('broken off'));
    const held = heldScanner();
    const stopping = new AbortController();
    const under = scansOf(await node(held.scanner)).scanWaiting(stopping.signal);
    await held.begun;
    stopping.abort();
    await under;
    const [row] = await stage.db.query<{ attempts: number }>(`SELECT attempts FROM review_attachment`);
    expect(row?.attempts).toBe(0);
    expect(await scan()).toBe(1);
    expect(await list(review.id)).toMatchObject([{ state: 'clean' }]);
  });
});

/** Has begun, and says what no real scanner would; until told, it waits. */
function heldScanner() {
  let [begin, say]: (() => void)[] = [];
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const said = new Promise<void>((resolve) => (say = resolve));
  const scanner: AttachmentScanner = {
    shownName: async (name) => name,
    scan: async (_file, signal) => {
      begin?.();
      await Promise.race([
        said,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ]);
      return {
        verdict: 'infected',
        reason: 'malware_found',
        engines: [],
        found: ['late'],
        mayDoBetter: false,
      };
    },
  };
  return { scanner, begun, say: () => say?.() };
}

test('of all verdicts only `clean` refuses nothing, and every refusal is a sentence', () => {
  for (const verdict of VERDICTS) {
    const why = refusalOf({ verdict, reason: 'some_reason', found: ['a', 'b'] });
    if (verdict === 'clean') expect(why).toBeUndefined();
    else expect(why).toMatch(/^[A-Z].*\.$/);
  }
});
