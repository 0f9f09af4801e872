import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CommandError } from '../../../src/cli/command-error.js';
import { run as runCli } from '../../../src/cli/run.js';
import { LISTING_CONTROLLERS } from '../../../src/intake/listing/listing-providers.js';
import { ListingRuns } from '../../../src/intake/listing/runs.service.js';
import { ListingWishes } from '../../../src/intake/listing/wishes.js';
import { tellMissed, watchBuckets } from '../../../src/intake/listing/sql/bucket-watch.js';
import { awsMessage } from '../intake-parts.js';
import { Buckets } from '../../../src/s3/buckets.js';
import { headOf, httpApp } from '../http-app.js';
import { listingTest, upload } from './listing-parts.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const it_ = await listingTest();
const { parts, runs } = it_;
let server: FastifyInstance;
let url = '';
const stopping = new AbortController();
let working: Promise<void> = Promise.resolve();

beforeAll(async () => {
  await upload(it_.s3, ['a/1', 'a/2', 'a/\n', 'b/1']);
  const wishes = new ListingWishes(runs, parts.buckets, parts.clock);
  ({ server } = await httpApp(
    parts,
    { head: async () => headOf() },
    {
      controllers: [...LISTING_CONTROLLERS],
      providers: [
        { provide: ListingRuns, useValue: runs },
        { provide: ListingWishes, useValue: wishes },
        { provide: Buckets, useValue: parts.buckets },
      ],
    },
  ));
  await server.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const lister = it_.lister();
  // A node beside it, that lists and scans.
  working = (async () => {
    while (!stopping.signal.aborted) {
      await it_.work(lister, 20).catch(() => undefined);
      await it_.scanAll().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
});
afterAll(async () => {
  stopping.abort();
  await working;
});

const post = (path: string, payload: object = {}) => server.inject({ method: 'POST', url: path, payload });
type Answer = Awaited<ReturnType<typeof post>>;
const runOf = (answer: Answer) => answer.json() as { id: string };
const pageOf = (answer: Answer) => answer.json() as { items: { kind: string }[]; nextCursor: string };

describe('the API', () => {
  it('answers with the run, lists it by pages, and steers it', async () => {
    const made = await post('/api/v1/backfills', { bucket: 'uploads', prefix: 'a/' });
    expect(made.statusCode).toBe(202);
    const { id } = runOf(made);
    await vi.waitFor(
      async () =>
        expect(runOf(await server.inject(`/api/v1/backfills/${id}`))).toMatchObject({ state: 'estimated' }),
      60_000,
    );
    expect((await post(`/api/v1/backfills/${id}/pause`)).statusCode).toBe(409);
    const started = await post(`/api/v1/backfills/${id}/start`);
    expect(runOf(started)).toMatchObject({ state: 'running', requestedBy: 'user:alice', kind: 'backfill' });
    await post('/api/v1/rescans', { verdicts: ['failed'] });
    const first = pageOf(await server.inject('/api/v1/backfills?limit=1'));
    const second = pageOf(await server.inject(`/api/v1/backfills?limit=1&cursor=${first.nextCursor}`));
    expect(new Set([...first.items, ...second.items].map(({ kind }) => kind))).toEqual(
      new Set(['backfill', 'rescan']),
    );
    const reconciled = pageOf(await post('/api/v1/reconciles'));
    expect(reconciled.items).toHaveLength(2);
  });

  it.each([
    ['/api/v1/backfills', {}, 'bucket'],
    ['/api/v1/backfills', { bucket: 'nope' }, 'bucket'],
    ['/api/v1/backfills', { bucket: 'uploads', uploadedAfter: 'soon' }, 'uploadedAfter'],
    ['/api/v1/backfills', { bucket: 'uploads', prefix: 'a'.repeat(1025) }, 'prefix'],
    ['/api/v1/backfills', { bucket: 'uploads', versions: 'some' }, 'versions'],
    ['/api/v1/backfills', { bucket: 'uploads', uploadedAfter: 5, uploadedBefore: 5 }, 'uploadedBefore'],
    ['/api/v1/rescans', { verdicts: [] }, 'verdicts'],
    ['/api/v1/rescans', { maxAgeDays: 'week' }, 'maxAgeDays'],
    ['/api/v1/reconciles', { bucket: 'quarantine' }, 'bucket'],
    ['/api/v1/reconciles', { graceSeconds: -1 }, 'graceSeconds'],
  ])('%s refuses %j and names %s', async (path, payload, field) => {
    const answer = await post(path, payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ path: field }] });
  });

  it('says of each bucket when an event last told of an upload, and what none told of', async () => {
    await watchBuckets(parts.database, parts.buckets.list(), 1_000);
    const events = () => server.inject('/api/v1/bucket-events');
    const at = (answer: Answer) =>
      answer.json<{ items: { bucket: string }[] }>().items.find(({ bucket }) => bucket === 'uploads');
    expect(at(await events())).toMatchObject({ lastEventAt: null, missed: 0, missedSince: null });
    await parts.intake.accept(awsMessage({ key: 'told', versionId: 'v' }), { kind: 'webhook' });
    await tellMissed(parts.database, {
      endpointId: 'embedded',
      bucket: 'uploads',
      count: 3,
      uploadedAt: 2_000,
      at: 3_000,
    });
    expect(at(await events())).toMatchObject({
      watchedSince: '1970-01-01T00:00:01.000Z',
      lastEventAt: expect.stringMatching(/^20/),
      missed: 3,
      missedSince: '1970-01-01T00:00:02.000Z',
    });
    const first = await server.inject('/api/v1/bucket-events?limit=1');
    const second = await server.inject(`/api/v1/bucket-events?limit=1&cursor=${pageOf(first).nextCursor}`);
    expect([...pageOf(first).items, ...pageOf(second).items]).toHaveLength(2);
  });

  it('knows no run of another id, and refuses what is none', async () => {
    expect((await server.inject('/api/v1/backfills/00000000-0000-4000-8000-000000000000')).statusCode).toBe(
      404,
    );
    expect((await server.inject('/api/v1/backfills/x')).statusCode).toBe(400);
    expect((await server.inject('/api/v1/backfills?cursor=x')).statusCode).toBe(400);
    expect((await server.inject('/api/v1/backfills?state=dancing')).statusCode).toBe(400);
  });
});

describe('the command line', () => {
  const type = async (...args: string[]) => {
    const lines: string[] = [];
    const notes: string[] = [];
    const code = await runCli(
      args,
      { SALLYPORT_URL: url, SALLYPORT_API_KEY: 'a:b' },
      {
        out: (line) => void lines.push(line),
        note: (line) => void notes.push(line),
        style: { colour: false },
      },
    );
    return { code, text: lines.join('\n'), notes };
  };

  it('says what a backfill would come to, and does nothing', async () => {
    const { code, text } = await type('backfill', 's3://uploads', '--estimate');
    expect(code).toBe(0);
    expect(text).toMatch(/4 objects, 12 B; 0 are done already/);
    expect(text).toMatch(/1 LIST, 20 GET and HEAD, 4 PUT of tags/);
    expect(text).toMatch(/less than 0\.01 USD, at the prices that S3_PRICES says/);
    expect(text).toMatch(/time +about 1\.0 s/);
    const list = await type('backfill', 'list', '--limit', '1');
    expect(list.text).toMatch(/backfill +completed \(estimate\) +s3:\/\/uploads\/ +- +- /);
    expect(await it_.count('object_version')).toBe(0);
  });

  it('asks for a second word, then begins, and shows what it came to', async () => {
    const { text } = await type('backfill', 's3://uploads/a/');
    const [, id = ''] = /sallyport backfill start (\S+)/.exec(text) ?? [];
    expect((await type('backfill', 'start', id)).text).toBe(`backfill ${id}: running`);
    const ended = await type('backfill', 'wait', id);
    expect(ended.code).toBe(0);
    expect(ended.text).toMatch(/completed/);
    expect(ended.text).toMatch(/verdicts +clean: 3/);
    const shown = await type('backfill', 'show', id);
    expect(shown.text).toMatch(/^backfill +completed\nid +/);
    expect(shown.text).toMatch(/asked for +\S+ by user:alice\n/);
    expect(shown.text).toMatch(/put in the queue: 3 \(9 B\); of these, with a verdict: 3 \(9 B\)/);
    // No name of the program's own.
    expect(shown.text).not.toMatch(/\b[a-z]+[A-Z]/);
    expect((await type('backfill', 'show', id, '--json')).text).toContain('"state": "completed"');
    expect((await type('backfill', 'list', '--kind', 'backfill')).text).toMatch(
      new RegExp(`${id} +backfill +completed +s3://uploads/a/ +3 +3`),
    );
  });

  it('offers no beginning where there is nothing to do, and says so', async () => {
    await type('backfill', 's3://uploads', '--yes', '--wait');
    for (const more of [[], ['--yes'], ['--yes', '--wait']]) {
      const { code, text } = await type('backfill', 's3://uploads', ...more);
      expect(code).toBe(0);
      expect(text).toMatch(/to scan +0 objects/);
      expect(text).toMatch(/There is nothing to do/);
      expect(text).not.toMatch(/backfill start|about 0 ms/);
    }
    expect((await type('backfill', 'list', '--state', 'estimated')).text).not.toContain('uploads');
  });

  it('waits in a log with its last line at the end, all of it', async () => {
    const { notes } = await type('backfill', 's3://uploads', '--yes', '--wait');
    expect(notes.at(-1)).toMatch(/ 100 % {2}4 of 4 objects .*completed$/);
  });

  it('begins at once and waits when it is told so', async () => {
    const { code, text } = await type('backfill', 's3://uploads', '--yes', '--wait');
    expect(code).toBe(0);
    expect(text).toMatch(/verdicts +clean: 4/);
    expect((await type('rescan', 's3://uploads/b/', '--verdicts', 'clean', '--wait')).text).toMatch(
      /clean: 1/,
    );
    expect((await type('reconcile', 's3://uploads', '--wait')).text).toMatch(
      /counted +listed: 4 \(12 B\); known already: 4/,
    );
  });

  it('says what a reconciliation and a rescan do, and how they are followed', async () => {
    const compared = await type('reconcile', 's3://uploads');
    expect(compared.text).toMatch(
      /^Begun: s3:\/\/uploads\/ is compared with the ledger; what no event told of is scanned, .*\n +Follow it with: sallyport backfill wait [\da-f-]{36}$/,
    );
    const [, id = ''] = /backfill wait (\S+)/.exec(compared.text) ?? [];
    expect((await type('backfill', 'wait', id)).text).toMatch(/^reconcile +completed/);
    expect((await type('rescan', '--verdicts', 'denied')).text).toMatch(
      /^Begun: objects of every bucket .* scanned again\.\n +Follow it with: /,
    );
    const listed = await type('backfill', 'list', '--limit', '1');
    expect(listed.notes.join('\n')).toMatch(/--cursor \S+$/);
  });

  it('refuses what is no bucket, and says so', async () => {
    await expect(type('backfill', 'uploads/x')).rejects.toThrow(CommandError);
    await expect(type('backfill', 's3://nope')).rejects.toThrow(/nope is not a registered bucket/);
    await expect(type('backfill', 'pause', 'x')).rejects.toThrow(/UUID/);
  });
});
