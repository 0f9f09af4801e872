import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { again, judged, RETRY_SECONDS } from '../../src/reviews/channels/webhook/attempts.js';
import { newSecret, signedHeaders } from '../../src/reviews/channels/webhook/signature.js';
import { HumanWorker } from '../../src/reviews/human.worker.js';
import { ReviewWriter } from '../../src/reviews/review-writer.js';
import { LIST_DELIVERIES } from '../../src/reviews/sql/webhook-deliveries.js';
import { Timekeeper } from '../../src/reviews/timekeeper.js';
import { eventually } from '../support/eventually.js';
import { reviewsApp } from './app.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly json: { readonly type: string; readonly data: { readonly sequence: number } };
}

/** A receiver that answers as it is told, and keeps what it got. */
class Receiver {
  readonly received: Received[] = [];
  answer: (response: ServerResponse, got: Received) => void = (response) => response.writeHead(204).end();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => void receiver.take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  get types(): readonly string[] {
    return this.received.map(({ json }) => json.type);
  }

  close(): Promise<unknown> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    const got = { headers, body, json: JSON.parse(body) as Received['json'] };
    this.received.push(got);
    this.answer(response, got);
  }
}

interface Subscription {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly secret: string;
  readonly isActive: boolean;
}
interface Delivered {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly reason: string | null;
}

interface Answer {
  readonly items: readonly Delivered[];
  readonly nextCursor: string | null;
}

let stage: ReviewsStage;
let app: NestFastifyApplication;
let receiver: Receiver;
const extra: Receiver[] = [];

const begin = async (settings: Record<string, string> = { WEBHOOK_NETWORKS: '127.0.0.0/8' }) => {
  ({ app } = await reviewsApp(stage, { ROLES: 'api,engine,notify', ...settings }));
};
beforeEach(async () => {
  stage = await reviewsStage();
  receiver = await Receiver.start();
});
afterEach(async () => {
  await app.close();
  await stage.close();
  for (const one of [receiver, ...extra.splice(0)]) await one.close();
});

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path = '',
  payload?: object,
): Promise<{ status: number; body: Answer }> {
  const response = await app.inject({
    method,
    url: `/api/v1/webhooks${path}`,
    headers: { 'x-test-user': 'olga', 'x-test-roles': 'operator' },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: (response.body === '' ? {} : response.json()) as Answer };
}

let made = 0;
async function subscribe(more: object = {}, to = receiver): Promise<Subscription> {
  made += 1;
  const { status, body } = await call('POST', '', { name: `hook-${made}`, url: to.url, ...more });
  expect(status).toBe(201);
  return body as unknown as Subscription;
}
/** A review through the application's own worker and channels. */
async function open(input: Record<string, unknown> = {}) {
  const task = stage.engine.add({
    title: 'Release or delete?',
    scanId: '1d2f5f0e-0000-4000-8000-000000000001',
    outcomes: ['release', 'delete'],
    ...(input as object),
  });
  const context = { signal: new AbortController().signal, log: () => undefined };
  await app.get(HumanWorker, { strict: false }).execute(task, context);
  const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review WHERE task_id = $1', [
    task.taskId,
  ]);
  return { id: row?.id ?? '', taskId: task.taskId };
}
const act = (id: string, path: string, payload: object = {}, as = 'alice') =>
  app.inject({
    method: 'POST',
    url: `/api/v1/reviews/${id}/${path}`,
    headers: { 'x-test-user': as, 'x-test-roles': 'analyst' },
    payload,
  });
const deliveries = async ({ id }: Subscription) => (await call('GET', `/${id}/deliveries`)).body.items;
/** Lets the time pass that the loops wait for. */
const pass = (milliseconds: number): void => {
  stage.clock.advance(milliseconds);
  ring();
};
const ring = (): void => app.get(OutboxBell, { strict: false }).ring();
const soon = (check: () => unknown): Promise<boolean> =>
  eventually(async () => {
    await check();
    return true;
  });

describe('a change of a review', () => {
  beforeEach(() => begin());

  it('is told once to who subscribed to it, in the order in which it happened, signed so that another verifies it', async () => {
    const hook = await subscribe();
    const review = await open({ quorum: { approve: 2 } });
    await act(review.id, 'claim');
    await act(review.id, 'comment', { text: 'the key is AKIAIOSFODNN7EXAMPLE' });
    await act(review.id, 'release');
    await act(review.id, 'hold', { until: '2026-12-01T00:00:00Z', reason: 'a holiday' });
    await act(review.id, 'resume');
    await act(review.id, 'decide', { outcome: 'release', reason: 'a sample' });
    await act(review.id, 'decide', { outcome: 'release', reason: 'a sample' }, 'bob');
    const wanted = [
      'opened',
      'claimed',
      'commented',
      'released',
      'held',
      'resumed',
      'voted',
      'decided',
      'completed',
    ].map((kind) => `review.${kind}`);
    await soon(() => expect(receiver.types).toEqual(wanted));
    const verifier = new Verifier(hook.secret);
    const validate = new Ajv2020({ formats: { uuid: true } }).compile(
      JSON.parse(readFileSync('docs/webhook.schema.json', 'utf8')) as object,
    );
    const sequences: number[] = [];
    for (const { headers, body, json } of receiver.received) {
      expect(() => verified(verifier, headers, body)).not.toThrow();
      expect(validate(json), JSON.stringify(validate.errors)).toBe(true);
      sequences.push(json.data.sequence);
    }
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(wanted.length);
    expect(receiver.received.at(-2)?.json.data).toMatchObject({
      by: { id: 'bob' },
      details: { outcome: 'release' },
      review: { id: review.id, state: 'COMPLETED', queue: 'default', decision: { outcome: 'release' } },
    });
  });

  it('holds nothing of what was found, and nothing that people wrote', async () => {
    await subscribe();
    const review = await open();
    await act(review.id, 'comment', { text: 'what I wrote' });
    await act(review.id, 'ask', { question: 'what I wrote' });
    await act(review.id, 'answer', { text: 'what I wrote' });
    await act(review.id, 'decide', { outcome: 'delete', reason: 'what I wrote' });
    await soon(() => expect(receiver.types).toContain('review.completed'));
    const [finding] = stage.evidence.subject.findings;
    for (const { body } of receiver.received)
      for (const secret of ['what I wrote', finding?.excerpt, finding?.fingerprint, finding?.ruleId])
        expect(body).not.toContain(secret);
  });

  it('is not told when it was not made', async () => {
    const hook = await subscribe();
    const review = await open();
    await soon(() => expect(receiver.types).toEqual(['review.opened']));
    await expect(
      stage.db.transaction(async (tx) => {
        await app
          .get(ReviewWriter, { strict: false })
          .note(tx, review.id, 'commented', person('alice'), stage.clock.now(), {});
        throw new Error('a crash before the commit');
      }),
    ).rejects.toThrow('a crash');
    expect(await deliveries(hook)).toHaveLength(1);
  });

  it('is told only of the events and queues that were asked for, and to nobody who is switched off', async () => {
    const decided = await subscribe({ events: ['review.decided'] });
    const payroll = await subscribe({ queues: ['payroll'] });
    const off = await subscribe({ isActive: false });
    const review = await open({ queue: 'quarantine' });
    await act(review.id, 'decide', { outcome: 'delete', reason: 'not ours' });
    await open({ queue: 'payroll' });
    await soon(async () => {
      expect((await deliveries(decided)).map(({ type }) => type)).toEqual(['review.decided']);
      expect((await deliveries(payroll)).map(({ type }) => type)).toEqual(['review.opened']);
    });
    expect(await deliveries(off)).toEqual([]);
  });

  it('is told as well to those whom its definition names', async () => {
    const named = await subscribe({ queues: ['payroll'], events: ['review.opened'] });
    const other = await subscribe({ queues: ['payroll'] });
    await open({ queue: 'quarantine', notify: { webhook: named.name } });
    await open({ queue: 'quarantine', notify: { webhook: [named.name, 'no such'] } });
    await open({ queue: 'quarantine' });
    expect(await deliveries(named)).toHaveLength(2);
    expect(await deliveries(other)).toEqual([]);
  });

  it('tells that a deadline is near, once, and again when it was moved', async () => {
    const hook = await subscribe({ events: ['review.due_soon', 'review.breached', 'review.expired'] });
    const review = await open({ deadline: '4h', onExpire: 'LEAVE_OPEN' });
    stage.clock.advance(3 * HOUR - 1);
    await stage.timekeeper.tick();
    expect(await told(hook)).toEqual([]);
    stage.clock.advance(1);
    const nodes = [app.get(Timekeeper, { strict: false }), app.get(Timekeeper, { strict: false })];
    await Promise.all(nodes.map((node) => node.tick()));
    await nodes[0]?.tick();
    expect(await told(hook)).toEqual(['review.due_soon']);
    const dueAt = new Date(stage.clock.now() + 13 * HOUR).toISOString();
    await act(review.id, 'postpone', { dueAt });
    stage.clock.advance(9 * HOUR);
    await nodes[0]?.tick();
    expect(await told(hook)).toEqual(['review.due_soon', 'review.due_soon']);
    stage.clock.advance(5 * HOUR);
    await nodes[0]?.tick();
    expect(await told(hook)).toEqual(['review.due_soon', 'review.due_soon', 'review.breached']);
  });
});

/** What was recorded for a subscription, the oldest first. */
const told = async (hook: Subscription) => (await deliveries(hook)).map(({ type }) => type).toReversed();

/** What somebody else's library says of it, at the time of the test's clock. */
function verified(verifier: Verifier, headers: Record<string, string>, body: string): unknown {
  vi.useFakeTimers({ now: stage.clock.now(), toFake: ['Date'] });
  try {
    return verifier.verify(body, headers);
  } finally {
    vi.useRealTimers();
  }
}

describe('a signature', () => {
  it('is verified by another library for any body, and for no other body, id, time or secret', () => {
    const now = Math.floor(Date.now() / 1000);
    fc.assert(
      fc.property(fc.json(), fc.uuid(), (body, id) => {
        const secret = newSecret();
        const headers = { ...signedHeaders({ id, timestamp: now, body }, [secret]) };
        const verifier = new Verifier(secret);
        expect(() => verifier.verify(body, headers)).not.toThrow();
        expect(() => verifier.verify(`${body} `, headers)).toThrow();
        expect(() => verifier.verify(body, { ...headers, 'webhook-id': `${id}0` })).toThrow();
        expect(() => verifier.verify(body, { ...headers, 'webhook-timestamp': String(now - 1) })).toThrow();
        expect(() => new Verifier(newSecret()).verify(body, headers)).toThrow();
      }),
      { numRuns: 50 },
    );
  });

  it('may be one of two', () => {
    const timestamp = Math.floor(Date.now() / 1000);
    const secrets = [newSecret(), newSecret()];
    const headers = { ...signedHeaders({ id: 'evt_1', timestamp, body: '{}' }, secrets) };
    for (const secret of secrets) expect(() => new Verifier(secret).verify('{}', headers)).not.toThrow();
  });
});

describe('a message that does not arrive', () => {
  beforeEach(() => begin());

  it('is tried again later and later, and parked as failed after the last attempt', async () => {
    const hook = await subscribe({ events: ['review.opened'] });
    receiver.answer = (response) => response.writeHead(503).end('not now');
    await open();
    for (const [index, seconds] of RETRY_SECONDS.entries()) {
      await soon(async () =>
        expect(await deliveries(hook)).toMatchObject([
          { state: 'pending', attempts: index + 1, lastStatus: 503, reason: 'the receiver answered 503' },
        ]),
      );
      pass(seconds * 1200);
    }
    await soon(async () =>
      expect(await deliveries(hook)).toMatchObject([{ state: 'failed', attempts: 10, lastStatus: 503 }]),
    );
    pass(DAY);
    expect(receiver.received).toHaveLength(10);
    // The same message each time: whoever had it before knows it by its id, and each is signed anew.
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(10);
  });

  it('is sent once more by who replays it, with the same id', async () => {
    const hook = await subscribe({ events: ['review.opened'] });
    receiver.answer = (response) => response.writeHead(410).end();
    await open();
    const [failed] = await soonFailed(hook);
    expect(failed).toMatchObject({ lastStatus: 410, attempts: 1 });
    // Gone is gone: it was switched off, and only somebody may switch it on.
    expect((await call('POST', `/${hook.id}/deliveries/${failed?.id}/replay`)).status).toBe(409);
    const now = (await call('GET', `/${hook.id}`)).body as unknown as Subscription;
    expect(now).toMatchObject({ isActive: false, offReason: expect.stringContaining('410') });
    await call('PATCH', `/${hook.id}`, { version: now.version, isActive: true });
    receiver.answer = (response) => response.writeHead(200).end('thanks');
    expect((await call('POST', `/${hook.id}/deliveries/${failed?.id}/replay`)).status).toBe(202);
    await soon(async () =>
      expect(await deliveries(hook)).toMatchObject([{ state: 'delivered', attempts: 1, lastStatus: 200 }]),
    );
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const audit = await stage.db.query<{ action: string; actor: string }>(
      'SELECT action, actor FROM audit_event WHERE subject = $1 ORDER BY at, action',
      [`webhook:${hook.id}`],
    );
    expect(audit.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'webhook.created',
        'webhook.switched_off',
        'webhook.changed',
        'webhook.replayed',
      ]),
    );
    expect(audit.find(({ action }) => action === 'webhook.replayed')?.actor).toBe('user:olga');
  });

  it('is not replayed while it is on its way', async () => {
    const hook = await subscribe({ events: ['review.opened'] });
    receiver.answer = (response) => response.writeHead(500).end();
    await open();
    await soon(async () => expect(await deliveries(hook)).toMatchObject([{ attempts: 1, state: 'pending' }]));
    const [waiting] = await deliveries(hook);
    const { status, body } = await call('POST', `/${hook.id}/deliveries/${waiting?.id}/replay`);
    expect(status).toBe(409);
    expect(body).toMatchObject({ nextAttemptAt: expect.any(String) });
  });

  it('keeps what came after it for the same review waiting, and nothing else', async () => {
    await subscribe();
    const other = await Receiver.start();
    extra.push(other);
    await subscribe({}, other);
    receiver.answer = (response) => response.writeHead(500).end();
    const review = await open();
    await act(review.id, 'claim');
    await act(review.id, 'release');
    await soon(() => expect(other.types).toEqual(['review.opened', 'review.claimed', 'review.released']));
    expect(new Set(receiver.types)).toEqual(new Set(['review.opened']));
    receiver.answer = (response) => response.writeHead(204).end();
    pass(MINUTE);
    await soon(() => expect(receiver.types.slice(-2)).toEqual(['review.claimed', 'review.released']));
  });

  it('is parked soon when it was refused for itself, and the rest goes on', () => {
    for (const status of [400, 404, 422, 302]) {
      expect(judged({ status, milliseconds: 1 }, 1, 0)).toMatchObject({ kind: 'retry' });
      expect(judged({ status, milliseconds: 1 }, 5, 0)).toMatchObject({
        kind: 'giveUp',
        receipt: { status },
      });
    }
    for (const status of [408, 425, 429, 500, 503])
      expect(judged({ status, milliseconds: 1 }, 5, 0)).toMatchObject({ kind: 'retry' });
  });

  it('heeds a receiver that asks for patience, within bounds, and ends after some attempts whatever it answers', () => {
    expect(judged({ status: 429, retryAfter: '300', milliseconds: 1 }, 1, 0)).toMatchObject({
      afterSeconds: 300,
    });
    expect(judged({ status: 503, retryAfter: '999999', milliseconds: 1 }, 1, 0)).toMatchObject({
      afterSeconds: 3600,
    });
    expect(judged({ status: 429, retryAfter: 'Wed, 21 Oct 2099', milliseconds: 1 }, 1, 0)).toMatchObject({
      afterSeconds: 4,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        fc.double({ min: 0, max: 1, maxExcluded: true }),
        (status, spread) => {
          const ends = RETRY_SECONDS.length + 1;
          expect(judged({ status, milliseconds: 1 }, ends, spread).kind).not.toBe('retry');
          expect(again('no answer', { attempt: ends, spread }).kind).toBe('giveUp');
        },
      ),
    );
  });

  it('switches the subscription off after three days in which nothing arrived, and tells the operators', async () => {
    await app.close();
    await begin({ WEBHOOK_NETWORKS: '127.0.0.0/8', ALERT_TO: 'ops@example.com' });
    const hook = await subscribe({ events: ['review.opened'] });
    receiver.answer = (response) => response.writeHead(500).end();
    await open();
    await soon(async () => expect(await deliveries(hook)).toMatchObject([{ attempts: 1, state: 'pending' }]));
    pass(3 * DAY);
    await soon(async () =>
      expect((await call('GET', `/${hook.id}`)).body).toMatchObject({ isActive: false }),
    );
    const mails = await stage.db.query<{ payload: { subject: string } }>(
      `SELECT payload FROM outbox WHERE kind = 'mail'`,
    );
    expect(mails.map(({ payload }) => payload.subject)).toEqual(['Sallyport: a webhook was switched off']);
  });
});

describe('a receiver', () => {
  const hang = (): void => undefined;
  beforeEach(() => begin());

  it('that never answers, one that answers without end and one that redirects hold up nobody else', async () => {
    const [silent, endless, redirecting] = [
      await Receiver.start(),
      await Receiver.start(),
      await Receiver.start(),
    ];
    extra.push(silent, endless, redirecting);
    silent.answer = hang;
    endless.answer = (response) => {
      response.writeHead(200);
      const more = (): void => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    };
    redirecting.answer = (response) => response.writeHead(302, { location: receiver.url }).end();
    const hooks = [
      await subscribe({}, silent),
      await subscribe({}, endless),
      await subscribe({}, redirecting),
    ];
    for (let n = 0; n < 20; n++) await open();
    await subscribe({ events: ['review.decided'] });
    const review = await open();
    await act(review.id, 'decide', { outcome: 'delete', reason: 'not ours' });
    await soon(() => expect(receiver.types).toEqual(['review.decided']));
    await soon(async () => {
      const [, far, away] = await Promise.all(hooks.map(async (hook) => (await deliveries(hook)).at(-1)));
      expect(far).toMatchObject({ reason: expect.stringContaining('more than 65536 bytes') });
      expect(away).toMatchObject({
        lastStatus: 302,
        reason: expect.stringContaining('redirects are not followed'),
      });
    });
    // Of each subscription a few at a time, however many wait.
    expect(silent.received.length).toBeLessThanOrEqual(2);
  });

  it('of the own network is called only where WEBHOOK_NETWORKS opens it, one of the metadata service never', async () => {
    const hook = await subscribe({ url: 'http://169.254.169.254/latest', events: ['review.opened'] });
    await app.close();
    await begin({ WEBHOOK_NETWORKS: '169.254.0.0/16' });
    const own = await subscribe({ events: ['review.opened'] });
    await open();
    for (const one of [hook, own])
      expect(await soonFailed(one)).toMatchObject([
        { attempts: 1, lastStatus: null, reason: expect.stringContaining('may not be called') },
      ]);
    expect(receiver.received).toEqual([]);
  });
});

const soonFailed = async (hook: Subscription): Promise<readonly Delivered[]> => {
  await soon(async () => expect(await deliveries(hook)).toMatchObject([{ state: 'failed' }]));
  return deliveries(hook);
};

describe('a subscription', () => {
  beforeEach(() => begin());

  it('is tested with a message of its own, whatever waits', async () => {
    const hook = await subscribe();
    const { status, body } = await call('POST', `/${hook.id}/test`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ type: 'webhook.test', reviewId: null });
    await soon(async () =>
      expect(await deliveries(hook)).toMatchObject([{ state: 'delivered', lastStatus: 204 }]),
    );
    const [got] = receiver.received;
    expect(() => verified(new Verifier(hook.secret), got?.headers ?? {}, got?.body ?? '')).not.toThrow();
  });

  it('has no more than three tests on their way', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    const hook = await subscribe();
    for (let n = 0; n < 3; n++) expect((await call('POST', `/${hook.id}/test`)).status).toBe(202);
    expect((await call('POST', `/${hook.id}/test`)).status).toBe(429);
  });

  it('signs with two secrets after a rotation, until the old one ends', async () => {
    const hook = await subscribe({ events: ['review.opened'] });
    const { body } = await call('POST', `/${hook.id}/rotate-secret`, { keepOldHours: 1 });
    const fresh = (body as unknown as Subscription).secret;
    expect(fresh).not.toBe(hook.secret);
    await open();
    await soon(() => expect(receiver.received).toHaveLength(1));
    const both = receiver.received[0] as Received;
    for (const secret of [fresh, hook.secret])
      expect(() => verified(new Verifier(secret), both.headers, both.body)).not.toThrow();
    stage.clock.advance(HOUR);
    await open();
    await soon(() => expect(receiver.received).toHaveLength(2));
    const one = receiver.received[1] as Received;
    expect(() => verified(new Verifier(fresh), one.headers, one.body)).not.toThrow();
    expect(() => verified(new Verifier(hook.secret), one.headers, one.body)).toThrow('No matching signature');
  });

  it('tells its secret once: not in a list, not in the audit, not in the database', async () => {
    const hook = await subscribe();
    const key = hook.secret.slice('whsec_'.length);
    await open();
    await soon(() => expect(receiver.received).toHaveLength(1));
    const shown = [(await call('GET')).body, (await call('GET', `/${hook.id}`)).body, await deliveries(hook)];
    const stored = await Promise.all(
      ['webhook', 'audit_event', 'outbox'].map((table) => stage.db.query(`SELECT * FROM ${table}`)),
    );
    expect(JSON.stringify([shown, stored])).not.toContain(key);
  });

  it('is removed with all that waits for it', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    const hook = await subscribe();
    await open();
    await soon(async () => expect(await deliveries(hook)).toMatchObject([{ attempts: 1, state: 'pending' }]));
    expect((await call('DELETE', `/${hook.id}`)).status).toBe(204);
    expect((await call('GET', `/${hook.id}/deliveries`)).status).toBe(404);
    expect(await stage.db.query(`SELECT id FROM outbox WHERE kind = 'webhook'`)).toEqual([]);
  });

  it.each([
    [{ url: 'ftp://example.com' }, 'url'],
    [{ url: 'https://user:word@example.com' }, 'url'],
    [{ url: 'http://example.com:25/' }, 'url'],
    [{ url: 'not an address' }, 'url'],
    [{ events: ['review.invented'] }, 'events'],
    [{ name: 'a b' }, 'name'],
    [{ queues: ['a\u0000b'] }, 'queues'],
  ])('of %o is refused, naming %s', async (more, field) => {
    const { status, body } = await call('POST', '', { name: 'x', url: receiver.url, ...more });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(field);
  });

  it('is changed by one of two at once, and has a name of its own', async () => {
    const hook = await subscribe();
    const other = await subscribe();
    const change = (name: string) => call('PATCH', `/${hook.id}`, { version: 1, name });
    const answers = await Promise.all([change('first'), change('second')]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect((await call('PATCH', `/${other.id}`, { version: 1, name: other.name })).status).toBe(200);
    const taken = (await call('GET', `/${hook.id}`)).body as unknown as Subscription;
    expect((await call('PATCH', `/${other.id}`, { version: 2, name: taken.name })).status).toBe(409);
    expect((await call('POST', '', { name: taken.name, url: receiver.url })).status).toBe(409);
  });

  it('is one of fifty at most', async () => {
    await stage.db.query(
      `INSERT INTO webhook (id, name, url, secret, events, queues, is_active, created_at, created_by, updated_at)
       SELECT gen_random_uuid(), 'n' || n, 'https://example.com', 's', '{}', '{}', false, 1, 'x', 1
         FROM generate_series(1, 49) n`,
    );
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((name) => call('POST', '', { name, url: receiver.url })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
  });

  it('shows its deliveries page by page, through an index', async () => {
    const hook = await subscribe({ isActive: false });
    await stage.db.query(
      `INSERT INTO outbox (kind, key, payload, state, due_at, created_at)
       SELECT 'webhook', CASE WHEN n % 100 = 0 THEN $1 ELSE gen_random_uuid()::text END || ':evt_' || n,
              json_build_object('messageId', 'evt_' || n, 'type', 'review.opened'), 'sent', 1, 1
         FROM generate_series(1, 5000) n`,
      [hook.id],
    );
    await stage.db.query('ANALYZE outbox');
    const plan = await stage.db.query(`EXPLAIN ${LIST_DELIVERIES}`, [hook.id, null, null, 10]);
    expect(JSON.stringify(plan)).toContain('outbox_webhook');
    const found: string[] = [];
    let cursor = '';
    do {
      const { body } = await call('GET', `/${hook.id}/deliveries?limit=20${cursor}`);
      found.push(...body.items.map(({ id }) => id));
      const next = body.nextCursor;
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(new Set(found).size).toBe(50);
    expect((await call('GET', `/${hook.id}/deliveries?state=failed`)).body.items).toEqual([]);
    expect((await call('GET', `/${hook.id}/deliveries?cursor=abc`)).status).toBe(400);
  });
});
