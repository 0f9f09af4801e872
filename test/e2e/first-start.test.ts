import { fileURLToPath } from 'node:url';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSamples } from '../../src/embedded/samples.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

interface ObjectRow {
  readonly id: string;
  readonly key: string;
  readonly versionId: string;
  readonly verdict: string;
  readonly reason: string | null;
  readonly workflowId: string;
  readonly sha256: string | null;
  readonly openReviewId: string | null;
}

/** Without a malware engine nothing is called clean. */
const withoutEngine = (verdict: string): string => (verdict === 'clean' ? 'incomplete' : verdict);

const samples = readSamples(fileURLToPath(new URL('../../samples/samples.json', import.meta.url)));

describe('the first start', () => {
  let folder: string;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport e2e '));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home with spaces'), { SEED_SAMPLES: 'true' });
    await service.start();
  }, 90_000);

  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const object = (key: string): Promise<ObjectRow> =>
    eventually(
      async () => {
        const { items } = await service.api<{ items: ObjectRow[] }>(
          `/api/v1/objects?key=${encodeURIComponent(key)}`,
        );
        // The copy that a review releases has a row of its own.
        return items.find(({ verdict }) => verdict !== 'pending' && verdict !== 'skipped');
      },
      { timeoutMs: 30_000, what: `a verdict on ${key}` },
    );

  it('prints one banner with address, login, keys and what is missing', () => {
    expect(service.printed).toContain(`Web UI   ${service.url}`);
    expect(service.printed).toContain(
      `${service.credentials.admin.name} / ${service.credentials.admin.password}`,
    );
    expect(service.printed).toContain(service.credentials.s3.secretAccessKey);
    expect(service.printed).toMatch(/incomplete/);
  });

  it('says when the samples are scanned and when the first verdict was there', async () => {
    await eventually(() => service.printed.includes('The samples are scanned:'), { timeoutMs: 40_000 });
    expect(service.printed).toMatch(
      /: 1 encrypted, 3 incomplete, 2 infected, 1 secrets\. First verdict \d+\.\d s after/,
    );
  }, 50_000);

  it('keeps the credentials from other users of the machine', () => {
    expect(statSync(join(service.home, 'credentials.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(service.home, 'sallyport.key')).mode & 0o777).toBe(0o600);
  });

  it.each(samples.map(({ key, expected }) => [key, withoutEngine(expected)]))(
    'says of the sample %s that it is %s',
    async (key, verdict) => {
      expect((await object(key)).verdict).toBe(verdict);
    },
    40_000,
  );

  it('moves what it found out of the bucket and asks a person, once', async () => {
    const infected = await object('invoices/invoice-2026-014.zip');
    const review = await eventually(
      async () => (await object('invoices/invoice-2026-014.zip')).openReviewId ?? undefined,
      { timeoutMs: 20_000 },
    );
    const s3 = service.s3();
    const left = await s3.send(new ListObjectVersionsCommand({ Bucket: 'uploads', Prefix: infected.key }));
    expect(left.Versions ?? []).toEqual([]);
    const kept = await s3.send(new ListObjectVersionsCommand({ Bucket: 'quarantine' }));
    expect(kept.Versions?.length).toBeGreaterThan(0);
    const { items } = await service.api<{ items: { id: string }[] }>(
      `/api/v1/reviews?workflowId=${infected.workflowId}`,
    );
    expect(items.map(({ id }) => id)).toEqual([review]);
    s3.destroy();
  }, 40_000);

  it('releases what a person releases, and scans the released object no second time', async () => {
    const key = 'deploy/settings.ini';
    const row = await object(key);
    const review = await eventually(async () => (await object(key)).openReviewId ?? undefined, {
      timeoutMs: 20_000,
    });
    await service.api(`/api/v1/reviews/${review}/decide`, {
      method: 'POST',
      body: { outcome: 'release', reason: 'The key was never valid.' },
    });
    await eventually(
      async () =>
        (await service.api<{ status: string }>(`/api/v1/executions/${row.workflowId}`)).status ===
        'COMPLETED',
      {
        timeoutMs: 20_000,
        what: 'the workflow ends',
      },
    );
    const s3 = service.s3();
    const released = await s3.send(new GetObjectCommand({ Bucket: 'uploads', Key: key }));
    expect(await released.Body?.transformToString()).toBe(
      samples.find((sample) => sample.key === key)?.content.toString(),
    );
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket: 'uploads', Key: key }));
    expect(tags.TagSet).toContainEqual({ Key: 'sallyport-verdict', Value: 'secrets' });
    const rows = await eventually(
      async () => {
        const found = await service.all<ObjectRow>(`/api/v1/objects?key=${encodeURIComponent(key)}`);
        return found.length === 2 && found.every(({ verdict }) => verdict !== 'pending') ? found : undefined;
      },
      { timeoutMs: 20_000, what: 'the released copy is in the ledger' },
    );
    expect(
      rows
        .map(({ verdict, reason }) => [verdict, reason])
        .sort(([a], [b]) => String(a).localeCompare(String(b))),
    ).toEqual([
      ['secrets', 'secrets_found'],
      ['skipped', 'released_by_review'],
    ]);
    s3.destroy();
  }, 60_000);

  it('tags an upload and keeps the tags that its owner gave it', async () => {
    const s3 = service.s3();
    await s3.send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: 'team/notes.txt',
        Body: 'Nothing special.',
        Tagging: 'team=blue',
      }),
    );
    await object('team/notes.txt');
    const tags = await eventually(
      async () => {
        const { TagSet } = await s3.send(
          new GetObjectTaggingCommand({ Bucket: 'uploads', Key: 'team/notes.txt' }),
        );
        return (TagSet?.length ?? 0) > 1 ? TagSet : undefined;
      },
      { timeoutMs: 20_000, what: 'the verdict tag' },
    );
    expect(tags).toContainEqual({ Key: 'team', Value: 'blue' });
    expect(tags).toContainEqual({ Key: 'sallyport-verdict', Value: 'incomplete' });
    s3.destroy();
  }, 40_000);

  it('never shows the found secret: not in the ledger, the graph, the review, the mails or what it prints', async () => {
    const text = samples.find(({ key }) => key === 'deploy/settings.ini')?.content.toString() ?? '';
    const secret = /secret_access_key = (\S+)/.exec(text)?.[1] ?? '';
    expect(secret).toHaveLength(40);
    const row = await object('deploy/settings.ini');
    const { items: mails } = await service.api<{ items: { id: string }[] }>('/api/v1/mailbox');
    const places = [
      JSON.stringify(await service.api(`/api/v1/objects/${row.id}`)),
      JSON.stringify(await service.api(`/api/v1/executions/${row.workflowId}`)),
      JSON.stringify(await service.api('/api/v1/reviews')),
      ...(await Promise.all(
        mails.map(async ({ id }) => JSON.stringify(await service.api(`/api/v1/mailbox/${id}`))),
      )),
      service.printed,
    ];
    expect(mails.length).toBeGreaterThan(0);
    for (const place of places) expect(place).not.toContain(secret);
  }, 40_000);

  it('reports the week so far, and the numbers add up', async () => {
    const { id } = await service.api<{ id: string }>('/api/v1/reports', {
      method: 'POST',
      body: { kind: 'weekly' },
    });
    const report = await eventually(
      async () => {
        const found = await service.api<{
          status: string;
          coverage: { uploaded: number; accountedFor: number; addsUp: boolean };
        }>(`/api/v1/reports/${id}`);
        return found.status === 'ready' ? found : undefined;
      },
      { timeoutMs: 20_000, what: 'the report' },
    );
    const { total, released } = await service.api<{ total: number; released: number }>(
      '/api/v1/objects/summary',
    );
    // Copies that releases wrote are rows of the ledger, and no uploads.
    const uploads = {
      uploaded: total - released,
      copies: { opened: released, accountedFor: released },
      accountedFor: total - released,
    };
    expect(report.coverage).toMatchObject({ ...uploads, addsUp: true });
    await eventually(
      async () =>
        (await service.api<{ items: { subject: string }[] }>('/api/v1/mailbox')).items.some(({ subject }) =>
          subject.includes('Audit report'),
        ),
      { timeoutMs: 20_000, what: 'the report is mailed' },
    );
  }, 60_000);

  it('lets nobody in without a login, a key or a token', async () => {
    for (const path of [
      '/api/v1/objects',
      '/api/v1/reviews',
      '/api/v1/executions',
      '/api/v1/reports',
      '/api/v1/mailbox',
      '/api/workflow/search',
      '/api/metadata/workflow',
      '/metrics',
    ]) {
      expect([path, (await fetch(service.url + path)).status]).toEqual([path, 401]);
    }
    expect(
      (
        await fetch(`${service.url}/events/s3`, {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(401);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  });

  it('serves other names to nobody and takes no write from another site', async () => {
    const { keyId, keySecret } = service.credentials.apiKey;
    const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`;
    const foreign = await fetch(`${service.url}/api/v1/scans`, {
      method: 'POST',
      headers: { authorization, origin: 'https://evil.example', 'content-type': 'application/json' },
      body: '{}',
    });
    expect(foreign.status).toBe(403);
  });

  it('trades an API key for a token as the SDKs of Conductor do', async () => {
    const { keyId, keySecret } = service.credentials.apiKey;
    const post = (body: unknown) =>
      fetch(`${service.url}/api/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const { token } = (await (await post({ keyId, keySecret })).json()) as { token: string };
    expect(
      (await fetch(`${service.url}/api/metadata/workflow`, { headers: { 'x-authorization': token } })).status,
    ).toBe(200);
    const wrong = await post({ keyId, keySecret: 'wrong' });
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toMatchObject({ error: 'INVALID_TOKEN' });
    expect(
      (await fetch(`${service.url}/api/metadata/workflow`, { headers: { 'x-authorization': `${token}x` } }))
        .status,
    ).toBe(401);
  });

  it.each([
    ['POST', '/api/v1/scans', '{"bucket":"uploads"}', 400, 'key'],
    ['POST', '/api/v1/scans', '{"bucket":"uploads","key":"not-there"}', 404, undefined],
    ['POST', '/api/v1/scans', '{"bucket":', 400, 'body'],
    ['GET', '/api/v1/objects?limit=0', undefined, 400, 'limit'],
    ['GET', '/api/v1/objects?verdict=fine', undefined, 400, 'verdict'],
    ['GET', '/api/v1/objects?cursor=bogus', undefined, 400, 'cursor'],
    ['GET', '/api/v1/objects/00000000-0000-4000-8000-000000000000', undefined, 404, undefined],
    ['GET', '/api/v1/executions/unknown', undefined, 404, undefined],
    ['POST', '/api/v1/reports', '{"kind":"daily"}', 400, 'kind'],
    ['GET', '/api/v1/nothing', undefined, 404, undefined],
  ])(
    'answers bad input with the field that is wrong: %s %s %s',
    async (method, path, body, status, field) => {
      const { keyId, keySecret } = service.credentials.apiKey;
      const response = await fetch(service.url + path, {
        method,
        headers: {
          authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`,
          'content-type': 'application/json',
        },
        ...(body === undefined ? {} : { body }),
      });
      const answer = (await response.json()) as { status: number; errors?: { path: string }[] };
      expect(response.status).toBe(status);
      expect(answer.status).toBe(status);
      if (field !== undefined) expect(answer.errors?.map(({ path: where }) => where)).toContain(field);
    },
  );

  // The last ones: they stop what the others use.
  it('stops within ten seconds on SIGTERM', async () => {
    const { milliseconds, code } = await service.stop();
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(10_000);
  }, 20_000);

  it('is ready again within eight seconds, knowing everything and showing no password again', async () => {
    let milliseconds = await service.start();
    // What else the machine does only ever adds to it: the quickest of three tells how long the service takes.
    for (let again = 0; again < 2 && milliseconds >= 8_000; again += 1) {
      await service.stop();
      milliseconds = Math.min(milliseconds, await service.start());
    }
    expect(milliseconds).toBeLessThan(8_000);
    expect(service.printed).not.toContain(service.credentials.admin.password);
    const rows = await service.all<ObjectRow>('/api/v1/objects');
    expect(rows.length).toBeGreaterThanOrEqual(samples.length);
    expect(rows.filter(({ verdict }) => verdict === 'pending')).toEqual([]);
  }, 90_000);
});
