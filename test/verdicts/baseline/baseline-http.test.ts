import { beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../../src/clock.js';
import { BaselineController } from '../../../src/verdicts/baseline/baseline.controller.js';
import { Baseline } from '../../../src/verdicts/baseline/baseline.service.js';
import { headOf, httpApp } from '../../intake/http-app.js';
import { intakeParts } from '../../intake/intake-parts.js';
import { audited } from '../../support/audit.js';

const parts = await intakeParts();
const baseline = new Baseline(parts.database, parts.clock);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [BaselineController],
    providers: [
      { provide: Baseline, useValue: baseline },
      { provide: Clock, useValue: parts.clock },
    ],
  },
);

const fingerprint = (n: number): string => `hmac-sha256:fingerprint-1a:${n.toString(16).padStart(64, '0')}`;

const found = (n: number) =>
  ({ kind: 'secret', fingerprint: fingerprint(n), ruleId: 'r', path: '' }) as const;
const AT = { endpointId: 's3', bucket: 'uploads', key: 'k' };

async function call(method: 'GET' | 'POST' | 'DELETE', path = '', payload?: object) {
  const answer = await server.inject({
    method,
    url: `/api/v1/baseline${path}`,
    headers: { host: 'localhost' },
    ...(payload && { payload }),
  });
  const body = answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>);
  return { status: answer.statusCode, body };
}
const recorded = () => audited(parts.database);

beforeEach(() => parts.test.truncate());

describe('the baseline', () => {
  it('takes one and tells it, with who answers for it', async () => {
    const entry = {
      fingerprint: fingerprint(1),
      bucket: 'uploads',
      ruleId: 'github-pat',
      reason: 'revoked in May',
      expiresAt: '2027-01-01T01:00:00+01:00',
    };
    expect(await call('POST', '', entry)).toEqual({
      status: 200,
      body: { added: 1, changed: 0, unchanged: 0 },
    });
    expect((await call('GET')).body).toEqual({
      items: [
        {
          ...entry,
          expiresAt: '2027-01-01T00:00:00.000Z',
          expired: false,
          createdAt: '2026-11-23T12:00:00.000Z',
          createdBy: 'user:alice',
        },
      ],
    });
    expect(await recorded()).toEqual([
      {
        actor: 'user:alice',
        action: 'baseline.accepted',
        subject: `fingerprint:${fingerprint(1)}`,
        data: {
          bucket: 'uploads',
          ruleId: 'github-pat',
          reason: 'revoked in May',
          expiresAt: '2027-01-01T00:00:00.000Z',
        },
      },
    ]);
  });

  it('takes many, all or none, and says what was new', async () => {
    const many = [1, 2, 3].map((n) => ({ fingerprint: fingerprint(n), reason: 'known' }));
    expect((await call('POST', '', [...many, many[0]!])).status).toBe(400);
    expect((await call('GET')).body['items']).toEqual([]);
    expect((await call('POST', '', many)).body).toEqual({ added: 3, changed: 0, unchanged: 0 });
    const changed = [...many.slice(1), { fingerprint: fingerprint(1), reason: 'another' }];
    expect((await call('POST', '', changed)).body).toEqual({ added: 0, changed: 1, unchanged: 2 });
    expect((await recorded()).at(-1)).toMatchObject({
      action: 'baseline.changed',
      data: { reason: { from: 'known', to: 'another' } },
    });
    expect(await recorded()).toHaveLength(4);
  });

  it('is listed a page at a time, each once', async () => {
    const many = [3, 1, 2].flatMap((n) => [
      { fingerprint: fingerprint(n), reason: 'known' },
      { fingerprint: fingerprint(n), reason: 'known', bucket: 'plain' },
    ]);
    await call('POST', '', many);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await call('GET', `?limit=4${cursor}`);
      for (const item of body['items'] as { fingerprint: string; bucket: string | null }[])
        seen.push(`${item.fingerprint.slice(-1)} ${item.bucket}`);
      cursor = body['nextCursor'] === undefined ? '' : `&cursor=${body['nextCursor'] as string}`;
    } while (cursor !== '');
    expect(seen).toEqual(['1 null', '1 plain', '2 null', '2 plain', '3 null', '3 plain']);
    const inUploads = await call('GET', `?bucket=uploads&fingerprint=${fingerprint(2)}`);
    expect(inUploads.body['items']).toHaveLength(1);
    expect((await call('GET', '?cursor=nonsense')).status).toBe(400);
  });

  it('is taken out of by fingerprint, of one bucket or of all, and says to scan again', async () => {
    const both = ['plain', undefined].map((bucket) => ({
      fingerprint: fingerprint(7),
      reason: 'known',
      ...(bucket && { bucket }),
    }));
    await call('POST', '', both);
    expect(await call('DELETE', `/${fingerprint(7)}?bucket=plain`)).toMatchObject({
      status: 200,
      body: { removed: 1, next: expect.stringContaining('sallyport rescan s3://plain') },
    });
    expect((await call('GET')).body['items']).toHaveLength(1);
    expect((await call('DELETE', `/${encodeURIComponent(fingerprint(7))}`)).body['next']).toContain(
      'sallyport rescan (',
    );
    expect((await call('DELETE', `/${fingerprint(7)}`)).status).toBe(404);
    const removed = (await recorded()).filter(({ action }) => action === 'baseline.removed');
    expect(removed).toHaveLength(2);
  });

  it('says of an entry that it is over, and finds it no more', async () => {
    await call('POST', '', {
      fingerprint: fingerprint(4),
      reason: 'until noon',
      expiresAt: '2026-11-23T12:00:01Z',
    });
    expect(await baseline.among([found(4)], AT)).toHaveLength(1);
    parts.clock.advance(1000);
    expect(await baseline.among([found(4)], AT)).toEqual([]);
    expect((await call('GET')).body['items']).toMatchObject([{ expired: true }]);
  });

  it.each([
    ['no fingerprint of ours', { fingerprint: 'abc:file:rule:1', reason: 'r' }, 'fingerprint of ours'],
    ['no reason', { fingerprint: fingerprint(1) }, 'fingerprint, reason'],
    ['an empty reason', { fingerprint: fingerprint(1), reason: '' }, 'reason'],
    ['a NUL', { fingerprint: fingerprint(1), reason: 'a\u0000' }, 'NUL'],
    ['nothing', [], '>=1'],
    [
      'an end that is past',
      { fingerprint: fingerprint(1), reason: 'r', expiresAt: '2026-11-23T12:00:00Z' },
      'expiresAt',
    ],
  ])('refuses %s', async (_, payload, told) => {
    const { status, body } = await call('POST', '', payload);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(told);
    expect(await audited(parts.database)).toEqual([]);
  });
});

it('takes in nothing more where it is closed, and goes on counting what it has', async () => {
  await baseline.put([{ fingerprint: fingerprint(1), reason: 'known' }], 'user:alice');
  const closed = new Baseline(parts.database, parts.clock, { BASELINE: 'closed' });
  await expect(
    closed.put([{ fingerprint: fingerprint(2), reason: 'known' }], 'user:alice'),
  ).rejects.toMatchObject({ status: 409 });
  expect(await closed.among([found(1), found(2)], AT)).toHaveLength(1);
});

it('is asked once for all fingerprints of an object, and only about its bucket', async () => {
  await baseline.put(
    [
      { fingerprint: fingerprint(1), reason: 'all' },
      { fingerprint: fingerprint(1), reason: 'own', bucket: 'uploads' },
      { fingerprint: fingerprint(2), reason: 'elsewhere', bucket: 'plain' },
    ],
    'user:alice',
  );
  const answering = await baseline.among([1, 1, 2, 3].map(found), AT);
  expect(answering.map(({ reason }) => reason).sort()).toEqual(['all', 'own']);
});
