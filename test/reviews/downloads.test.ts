import { createHash } from 'node:crypto';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { StorageError } from '../../src/s3/storage-error.js';
import { attachment, savedName } from '../../src/reviews/downloads/attachment-headers.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { loggablePath } from '../../src/ops/log.js';
import { eventually } from '../support/eventually.js';
import { reviewsApp } from './app.js';
import { exampleSubject, reviewsStage, type ReviewsStage } from './stage.js';

const BODY = [Buffer.from('hostile '), Buffer.from('bytes')];
const SHA = createHash('sha256').update(Buffer.concat(BODY)).digest('hex');

let stage: ReviewsStage;
let app: NestFastifyApplication;
const start = async (settings: Record<string, string> = {}): Promise<void> => {
  ({ app } = await reviewsApp(stage, { ROLES: 'api', ...settings }));
};
beforeEach(async () => {
  stage = await reviewsStage();
  stage.reviewers.people = ['alice', 'bob', 'carol'].map((id) => ({ personId: id, name: id }));
  stage.evidence.subject = { ...exampleSubject(), sha256: SHA };
  stage.bytes.hold('quarantine', ...BODY);
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}
const call = async (
  method: 'GET' | 'POST',
  url: string,
  { user = 'alice', payload = {}, headers = {} }: { user?: string; payload?: object; headers?: object } = {},
): Promise<Answer> => {
  const answer = await app.inject({
    method,
    url,
    headers: { host: '127.0.0.1:8080', 'x-test-user': user, ...headers },
    ...(method === 'POST' && { payload }),
  });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
};
const fetch = (url: string, user = 'alice', headers: object = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url, headers: { host: '127.0.0.1:8080', 'x-test-user': user, ...headers } });
const asked = async (reviewId: string, user = 'alice'): Promise<string> => {
  const { status, body } = await call('POST', `/api/v1/reviews/${reviewId}/downloads`, {
    user,
    payload: { reason: 'to look at the macro' },
  });
  expect(status).toBe(201);
  return `/api/v1/reviews/${reviewId}/downloads/${String(body['id'])}`;
};
const linkOf = async (path: string, user = 'alice'): Promise<string> => {
  const { status, body } = await call('POST', `${path}/link`, { user });
  expect(status).toBe(200);
  return new URL(String(body['url'])).pathname;
};
const list = async (reviewId: string): Promise<Record<string, unknown>[]> =>
  (await call('GET', `/api/v1/reviews/${reviewId}/downloads`)).body['items'] as Record<string, unknown>[];
const told = async (reviewId: string) =>
  (await reviewTimeline(stage.db, reviewId)).filter(({ kind }) => kind.startsWith('download'));

describe('a download', () => {
  beforeEach(() => start());

  it('is asked for with a reason, sent once as a file that nothing runs, and told with digest and bytes', async () => {
    const review = await stage.open();
    const link = await linkOf(await asked(review.id));
    const answer = await fetch(link);
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload).toEqual(Buffer.concat(BODY));
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="config.zip"; filename*=UTF-8''config.zip`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-length': '13',
    });
    expect(answer.headers['content-security-policy']).toContain('sandbox');
    // The version that was scanned, and no other.
    expect(stage.bytes.opened).toMatchObject([{ versionId: 'v7', eTag: 'abc' }]);
    await eventually(async () => (await told(review.id)).length === 3);
    expect(await told(review.id)).toMatchObject([
      { kind: 'download_asked', data: { reason: 'to look at the macro', readFrom: 'quarantine' } },
      { kind: 'download_started' },
      { kind: 'download_ended', data: { bytes: 13, sha256: SHA, isWhole: true, isWhatWasScanned: true } },
    ]);
    expect(await list(review.id)).toMatchObject([{ state: 'whole', sent: { bytes: 13, sha256: SHA } }]);
    const events = await stage.db.query<{ action: string; actor: string }>(
      `SELECT action, actor FROM audit_event WHERE action LIKE 'review.download%' ORDER BY id`,
    );
    expect(events.map(({ action }) => action)).toEqual([
      'review.download_asked',
      'review.download_started',
      'review.download_ended',
    ]);
  });

  it('needs a reason', async () => {
    const review = await stage.open();
    for (const payload of [{}, { reason: '' }, { reason: '   ' }, { reason: 'x'.repeat(2001) }]) {
      const { status, body } = await call('POST', `/api/v1/reviews/${review.id}/downloads`, { payload });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain('reason');
    }
  });

  it('is its asker’s alone, works once, and says so: foreign, used, expired, replaced', async () => {
    const review = await stage.open();
    const path = await asked(review.id);
    const first = await linkOf(path);
    const link = await linkOf(path);
    expect((await fetch(first)).statusCode).toBe(404);
    const foreign = await fetch(link, 'bob');
    expect(foreign.statusCode).toBe(403);
    expect(foreign.json<{ detail: string }>().detail).toContain('alice’s alone');
    expect((await call('POST', `${path}/link`, { user: 'bob' })).status).toBe(403);
    stage.clock.advance(15 * 60_000);
    const expired = await fetch(link);
    expect(expired.statusCode).toBe(409);
    expect(expired.body).toContain('expired');
    const fresh = await linkOf(path);
    expect((await fetch(fresh)).statusCode).toBe(200);
    const again = await fetch(fresh);
    expect(again.statusCode).toBe(409);
    expect(again.body).toContain('works once');
    expect((await call('POST', `${path}/link`)).status).toBe(409);
  });

  it('is sent to one of twenty that ask with its link at once', async () => {
    const review = await stage.open();
    const link = await linkOf(await asked(review.id));
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(link)));
    const codes = answers.map(({ statusCode }) => statusCode);
    expect(codes.filter((code) => code === 200)).toHaveLength(1);
    expect(codes.every((code) => [200, 409, 429].includes(code))).toBe(true);
  });

  it('is not used up by HEAD, nor by a browser that fetches ahead', async () => {
    const review = await stage.open();
    const link = await linkOf(await asked(review.id));
    expect((await fetch(link, 'alice', {}, 'HEAD')).statusCode).toBe(200);
    expect((await fetch(link, 'alice', { 'sec-purpose': 'prefetch;prerender' })).statusCode).toBe(409);
    expect((await fetch(link)).statusCode).toBe(200);
  });

  it('whose object is gone uses nothing up and sends nothing', async () => {
    const review = await stage.open();
    const link = await linkOf(await asked(review.id));
    stage.bytes.failure = new StorageError('gone', 'NoSuchKey', 'no such key');
    const gone = await fetch(link);
    expect(gone.statusCode).toBe(409);
    expect(gone.body).toContain('not there any more');
    stage.bytes.failure = new StorageError('throttled', 'SlowDown', 'slow down');
    expect((await fetch(link)).statusCode).toBe(503);
    stage.bytes.failure = undefined;
    expect((await fetch(link)).statusCode).toBe(200);
    stage.bytes.located = { kind: 'gone', why: 'It was deleted from quarantine.' };
    const { status, body } = await call('POST', `/api/v1/reviews/${review.id}/downloads`, {
      payload: { reason: 'again' },
    });
    expect(status).toBe(409);
    expect(JSON.stringify(body)).toContain('deleted from quarantine');
  });

  it('that broke off is told as broken off, with what was sent', async () => {
    const review = await stage.open();
    const link = await linkOf(await asked(review.id));
    const { located } = stage.bytes;
    if (located.kind !== 'held') throw new Error('nothing is held');
    // S3 announces more than it sends.
    stage.bytes.open = async () => {
      const { Readable } = await import('node:stream');
      return { body: Readable.from(BODY), lengthBytes: 100 };
    };
    await fetch(link).catch(() => undefined);
    await eventually(async () => (await list(review.id))[0]?.['state'] === 'broken_off');
    expect((await told(review.id)).at(-1)).toMatchObject({
      kind: 'download_ended',
      data: { bytes: 13, isWhole: false },
    });
  });

  it('whose reader leaves in the middle is told as broken off', async () => {
    const review = await stage.open();
    stage.bytes.hold('quarantine', ...Array.from({ length: 200 }, () => Buffer.alloc(256 * 1024, 1)));
    const link = await linkOf(await asked(review.id));
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const headers = { host: '127.0.0.1:8080', 'x-test-user': 'alice' };
    await new Promise<void>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: link, headers }, (answer) => {
        answer.once('data', () => {
          answer.destroy();
          resolve();
        });
      }).once('error', reject);
    });
    await eventually(async () => (await list(review.id))[0]?.['state'] === 'broken_off');
    const [download] = await list(review.id);
    expect(download).toMatchObject({ sent: { isWhole: false } });
  });

  it('is asked for by who decides in the review’s queue, and listed for its readers', async () => {
    const review = await stage.open({ queue: 'finance' });
    const url = `/api/v1/reviews/${review.id}/downloads`;
    const ask = (headers: object) => call('POST', url, { payload: { reason: 'x' }, headers });
    const grant = (queue: string) => ({ 'x-test-roles': 'viewer', 'x-test-grants': queue });
    expect((await ask(grant('another'))).status).toBe(403);
    expect((await ask(grant('finance'))).status).toBe(201);
    expect((await call('GET', url, { headers: { 'x-test-roles': 'auditor' } })).status).toBe(200);
  });

  it('has an address that no log shows', () => {
    expect(loggablePath('/api/v1/downloads/abc123')).toBe('/api/v1/downloads/[redacted]');
  });
});

describe('a download under four eyes', () => {
  beforeEach(() => start({ DOWNLOAD_FOUR_EYES: 'quarantine' }));

  it('waits for somebody else to agree, who may be neither the asker nor a key nor kept out of the review', async () => {
    const review = await stage.open({ queue: 'quarantine', fourEyes: ['requester'], requester: 'carol' });
    const path = await asked(review.id);
    expect((await call('POST', `${path}/link`)).body).toMatchObject({ state: 'waiting' });
    const own = await call('POST', `${path}/grant`);
    expect(own).toMatchObject({ status: 403 });
    expect((await call('POST', `${path}/grant`, { user: 'carol' })).status).toBe(403);
    expect(
      (await call('POST', `${path}/grant`, { user: 'bob', headers: { 'x-test-kind': 'apikey' } })).status,
    ).toBe(403);
    expect((await call('POST', `${path}/grant`, { user: 'bob' })).body).toMatchObject({
      state: 'ready',
      answered: { answer: 'granted', by: { id: 'bob' } },
    });
    const late = await call('POST', `${path}/refuse`, { user: 'bob', payload: { reason: 'no' } });
    expect(late.status).toBe(409);
    expect(JSON.stringify(late.body)).toContain('bob has granted it already');
    expect((await fetch(await linkOf(path))).statusCode).toBe(200);
    expect((await told(review.id)).map(({ kind }) => kind)).toContain('download_granted');
  });

  it('that was refused, or that nobody answered for a day, has no link', async () => {
    const review = await stage.open({ queue: 'quarantine' });
    const path = await asked(review.id);
    await call('POST', `${path}/refuse`, { user: 'bob', payload: { reason: 'use the report' } });
    const refused = await call('POST', `${path}/link`);
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toContain('use the report');
    const other = await asked(review.id);
    stage.clock.advance(24 * 3_600_000);
    expect((await call('POST', `${other}/grant`, { user: 'bob' })).status).toBe(409);
    expect((await call('POST', `${other}/link`)).status).toBe(409);
  });

  it('is needed in the queues that the setting names, and in no other', async () => {
    const review = await stage.open({ queue: 'default' });
    expect((await fetch(await linkOf(await asked(review.id)))).statusCode).toBe(200);
  });
});

test('a stranger’s name is saved under one that is harmless everywhere, in a header that stays one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (key) => {
      const name = savedName(key);
      expect(name).not.toBe('');
      expect(name).not.toMatch(/[\\/:*?"<>|\u0000-\u001f\u007f]|^[.-]/);
      expect(Array.from(name).length).toBeLessThanOrEqual(160);
      expect(attachment(name)).toMatch(
        /^attachment; filename="[ -~]*"; filename\*=UTF-8''[\w.!#$&+^`|~%-]*$/,
      );
    }),
  );
  expect(savedName('../../etc/passwd')).toBe('passwd');
  expect(savedName('a/CON.txt')).toBe('_CON.txt');
  expect(savedName('a/\u202egpj.exe')).not.toContain('\u202e');
  expect(attachment('Bericht für März.pdf')).toBe(
    `attachment; filename="Bericht f_r M_rz.pdf"; filename*=UTF-8''Bericht%20f%C3%BCr%20M%C3%A4rz.pdf`,
  );
});
