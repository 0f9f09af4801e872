import * as fc from 'fast-check';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { redacted, redactedText } from '../../src/intake/redact.js';
import { RejectsController } from '../../src/intake/rejects/rejects.controller.js';
import { RejectsService } from '../../src/intake/rejects/rejects.service.js';
import { RejectsUpkeep } from '../../src/intake/rejects/rejects-upkeep.js';
import { HealthRegistry } from '../../src/ops/health.js';
import { Alerts } from '../../src/outbound/alerts.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import type { BucketPolicy } from '../../src/s3/buckets.js';
import { headOf, httpApp } from './http-app.js';
import { awsMessage, intakeParts, TestBuckets } from './intake-parts.js';

/** Buckets of which one may be registered while the test runs. */
class GrowingBuckets extends TestBuckets {
  readonly more: BucketPolicy[] = [];
  override list(): readonly BucketPolicy[] {
    return [...super.list(), ...this.more];
  }
  override find(endpointId: string, bucket: string): BucketPolicy | undefined {
    return this.list().find((policy) => policy.endpointId === endpointId && policy.bucket === bucket);
  }
  override byName(bucket: string): BucketPolicy | undefined {
    return this.list().find((policy) => policy.bucket === bucket);
  }
}

const parts = await intakeParts();
const { test, database, clock, rules, bell } = parts;
const buckets = new GrowingBuckets();
const metrics = new Registry();
const silent = pino({ level: 'silent' });
const intake = new IntakeService(database, clock, buckets, rules, bell, silent, metrics);
const rejects = new RejectsService(database, clock, intake);
const { server } = await httpApp(
  { ...parts, intake, buckets },
  { head: async () => headOf() },
  {
    controllers: [RejectsController],
    providers: [{ provide: RejectsService, useValue: rejects }],
  },
);

function upkeepOf(environment: Record<string, string> = {}): RejectsUpkeep {
  const config = readConfig({ ALERT_TO: 'ops@example.org', ...environment });
  const alerts = new Alerts(new PostgresOutbox(clock, new OutboxBell()), config);
  return new RejectsUpkeep(database, clock, alerts, new HealthRegistry(), config, silent);
}

const call = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => {
  const answer = await server.inject({
    method,
    url: `/api/v1/rejects${path}`,
    ...(body !== undefined && { payload: body }),
  });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
};
const list = async (search = ''): Promise<Record<string, unknown>[]> =>
  (await call('GET', search)).body.items;
const queue = { kind: 'sqs' } as const;
const count = async (table: string) =>
  (await test.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

beforeEach(async () => {
  await test.truncate();
  buckets.more.length = 0;
});

describe('what could not be used', () => {
  it('is listed with its reason, those that came last first, and counted', async () => {
    await intake.rejectText('{"a":', 'body: not valid JSON', queue);
    clock.advance(1_000);
    await intake.accept(awsMessage({ bucket: 'elsewhere', key: 'k' }), queue);
    await intake.accept(awsMessage({ bucket: 'elsewhere', key: 'k' }), queue);
    const items = await list();
    expect(items).toMatchObject([
      { reason: 'unknown_bucket', source: 'sqs', bucket: 'elsewhere', deliveries: 2, truncated: false },
      { reason: 'not_json', source: 'sqs', bucket: null, deliveries: 1 },
    ]);
    expect(items[0]).not.toHaveProperty('raw');
    expect(await list('?reason=not_json')).toHaveLength(1);
    expect(await list('?bucket=elsewhere&source=sqs')).toHaveLength(1);
    expect(await list('?source=webhook')).toHaveLength(0);
    expect(await metrics.metrics()).toMatch(
      /sallyport_intake_rejects_total\{source="sqs",reason="unknown_bucket"\} [1-9]/,
    );
  });

  it('comes in pages', async () => {
    for (let n = 0; n < 5; n += 1) {
      await intake.accept({ odd: n }, queue);
      clock.advance(n % 2);
    }
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await call('GET', `?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      cursor = body.nextCursor ?? '';
    } while (cursor !== '');
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
  });

  it('is shown as it came, as far as it was kept', async () => {
    await intake.accept({ odd: 'é"\u2028' }, queue);
    await intake.accept({ large: 'x'.repeat(100_000) }, queue);
    const [large, odd] = await list();
    expect(large).toMatchObject({ truncated: true });
    expect(JSON.parse((await call('GET', `/${String(odd?.['id'])}`)).body.raw)).toEqual({ odd: 'é"\u2028' });
    expect((await call('GET', `/${String(large?.['id'])}`)).body.raw).toHaveLength(65_536);
  });

  it.each([
    ['GET', '/abc', 400],
    ['GET', '/99999999999999999999', 400],
    ['GET', '/404', 404],
    ['POST', '/404/replay', 404],
    ['DELETE', '/404', 404],
    ['GET', '?limit=0', 400],
    ['GET', '?cursor=nonsense', 400],
    ['GET', '?reason=%00', 400],
  ] as const)('%s %s is answered %i', async (method, path, status) => {
    expect((await call(method, path)).status).toBe(status);
  });
});

describe('taken in again', () => {
  const register = () =>
    buckets.more.push({
      endpointId: 's3',
      bucket: 'elsewhere',
      actionMode: 'tag',
      required: ['secrets', 'malware'],
    });

  it('an event of a bucket that is registered by now is stored, and the reject is gone, told in the audit', async () => {
    await intake.accept(awsMessage({ bucket: 'elsewhere', key: 'a b+c', versionId: 'v', size: 3 }), queue);
    register();
    const [item] = await list();
    const { status, body } = await call('POST', `/${String(item?.['id'])}/replay`);
    expect([status, body]).toMatchObject([200, { outcome: 'taken', accepted: 1, rejected: 0 }]);
    expect(await test.query('SELECT key, version_id FROM object_version')).toEqual([
      { key: 'a b+c', version_id: 'v' },
    ]);
    expect(await list()).toEqual([]);
    expect(await test.query('SELECT actor, action, data FROM audit_event')).toMatchObject([
      { actor: 'user:alice', action: 'reject.replayed', data: { reason: 'unknown_bucket', accepted: 1 } },
    ]);
  });

  it('an event of an endpoint’s own source still means only buckets of that endpoint', async () => {
    await intake.accept(awsMessage({ bucket: 'elsewhere' }), { kind: 'webhook', endpointId: 'other' });
    register();
    const [item] = await list();
    expect(await rejects.replay(String(item?.['id']), 'user:alice')).toMatchObject({ outcome: 'rejected' });
    expect(await count('object_version')).toBe(0);
  });

  it('one that is still wrong stays, and is counted once more', async () => {
    await intake.accept(awsMessage({ bucket: 'elsewhere' }), queue);
    const [item] = await list();
    const { body } = await call('POST', `/${String(item?.['id'])}/replay`);
    expect(body).toMatchObject({ outcome: 'rejected', rejected: 1 });
    expect(await list()).toMatchObject([{ id: item?.['id'], deliveries: 2 }]);
  });

  it('text that is no JSON stays, also when a webhook sent it', async () => {
    await intake.rejectText('hello', 'body: not valid JSON', { kind: 'webhook' });
    await expect(intake.accept({ hello: 1 }, { kind: 'webhook' })).rejects.toThrow();
    for (const item of await list()) {
      const { status, body } = await call('POST', `/${String(item['id'])}/replay`);
      expect([status, body.outcome]).toEqual([200, 'rejected']);
    }
    expect(await list()).toHaveLength(2);
  });

  it('a message of which only the beginning was kept is refused with what to do', async () => {
    await intake.accept({ large: 'x'.repeat(100_000) }, queue);
    const [item] = await list();
    const { status, body } = await call('POST', `/${String(item?.['id'])}/replay`);
    expect([status, body.code]).toEqual([409, 'CONFLICT']);
  });

  it('many are taken in one request after another, each once', async () => {
    const records = Array.from({ length: 25 }, (_, n) => ({
      bucket: 'elsewhere',
      key: `k${n}`,
      versionId: 'v',
    }));
    await intake.accept(awsMessage(...records), queue);
    await intake.accept({ odd: 1 }, queue);
    register();
    let taken = 0;
    let after: string | undefined;
    do {
      const body = { reason: 'unknown_bucket', limit: 10, ...(after !== undefined && { after }) };
      const answer = await call('POST', '/replay', body);
      expect(answer.status).toBe(200);
      taken += answer.body.taken;
      after = answer.body.after;
    } while (after !== undefined);
    expect(taken).toBe(25);
    expect([await count('object_version'), await count('scan')]).toEqual([25, 25]);
    expect(await list()).toMatchObject([{ reason: 'unknown_shape' }]);
  });

  it('a good record beside a wrong one is not stored twice', async () => {
    const { Records } = awsMessage({ key: 'good', versionId: 'v' });
    await intake.accept({ Records: [...Records, { bad: true }] }, queue);
    const [item] = await list();
    expect(await rejects.replay(String(item?.['id']), 'user:alice')).toMatchObject({ outcome: 'rejected' });
    expect(await count('intake_event')).toBe(1);
  });
});

describe('removed', () => {
  it('by a person it is told in the audit', async () => {
    await intake.accept({ odd: 1 }, queue);
    const [item] = await list();
    expect((await call('DELETE', `/${String(item?.['id'])}`)).status).toBe(204);
    expect(await list()).toEqual([]);
    expect(await test.query('SELECT action FROM audit_event')).toEqual([{ action: 'reject.removed' }]);
  });

  it('for its age, and for its number the oldest first', async () => {
    await intake.accept({ odd: 'old' }, queue);
    clock.advance(31 * 24 * 3_600_000);
    for (let n = 0; n < 105; n += 1) {
      await intake.accept({ odd: n }, queue);
      clock.advance(1);
    }
    await upkeepOf({ REJECTS_MAX: '100' }).turn();
    const kept = await list('?limit=500');
    expect(kept).toHaveLength(100);
    const oldest = await call('GET', `/${String(kept.at(-1)?.['id'])}`);
    expect(JSON.parse(oldest.body.raw)).toEqual({ odd: 5 });
  });
});

describe('people', () => {
  const mails = async () =>
    (
      await test.query<{ payload: { to: string[]; subject: string; text: string; html: string } }>(
        `SELECT payload FROM outbox WHERE kind = 'mail' ORDER BY id`,
      )
    ).map(({ payload }) => payload);

  it('are told of ten thousand in one mail, by one node, and again only after a while', async () => {
    const records = Array.from({ length: 1_000 }, (_, n) => ({ bucket: 'elsewhere', key: `k${n}` }));
    for (let turn = 0; turn < 10; turn += 1) {
      await intake.accept(
        awsMessage(...records.map((one) => ({ ...one, key: `${turn}/${one.key}` }))),
        queue,
      );
    }
    await intake.accept({ odd: '<b>' }, queue);
    clock.advance(60_000);
    await Promise.all([upkeepOf().turn(), upkeepOf().turn(), upkeepOf().turn()]);
    const [mail, ...others] = await mails();
    expect(others).toEqual([]);
    expect(mail?.to).toEqual(['ops@example.org']);
    expect(mail?.subject).toBe('Sallyport: 10001 event message(s) could not be used');
    expect(mail?.text).toMatch('10000 by sqs: unknown_bucket (bucket elsewhere)');
    await intake.accept({ odd: 2 }, queue);
    clock.advance(60_000);
    await upkeepOf().turn();
    expect(await mails()).toHaveLength(1);
    clock.advance(15 * 60_000);
    await upkeepOf().turn();
    await upkeepOf().turn();
    expect((await mails()).map(({ subject }) => subject)[1]).toBe(
      'Sallyport: 1 event message(s) could not be used',
    );
    expect(await mails()).toHaveLength(2);
  });

  it('see names that strangers gave as text, and in no link', async () => {
    await intake.accept(awsMessage({ bucket: 'http://evil.example/<script>' }), queue);
    clock.advance(60_000);
    await upkeepOf().turn();
    const [mail] = await mails();
    expect(mail?.html).not.toMatch('<script>');
    expect(mail?.text).not.toMatch('http://evil.example');
  });

  it('are told of nothing when nothing came, nor without ALERT_TO', async () => {
    await upkeepOf().turn();
    await intake.accept({ odd: 1 }, queue);
    clock.advance(60_000);
    await upkeepOf({ ALERT_TO: '' }).turn();
    expect(await mails()).toEqual([]);
  });

  it('see in /health that something was rejected, for an hour', async () => {
    expect(await upkeepOf().check()).toMatchObject([{ healthy: true }]);
    await intake.accept({ odd: 1 }, queue);
    const [result] = await upkeepOf().check();
    expect(result).toMatchObject({ name: 'rejects', healthy: true, degraded: true });
    expect(result?.remedy).toMatch('sallyport rejects list');
    clock.advance(3_600_001);
    expect((await upkeepOf().check())[0]?.degraded).toBeUndefined();
  });
});

describe('tokens in what is kept', () => {
  const secret = 'dmVyeSBzZWNyZXQ';

  it('are blanked, whatever they are called', async () => {
    const odd = {
      Token: secret,
      SubscribeURL: `https://sns.us-east-1.amazonaws.com/?Token=${secret}`,
      headers: { Authorization: `Bearer ${secret}`, 'X-Api-Key': secret, 'set-cookie': [secret] },
      url: `https://b.s3.amazonaws.com/k?X-Amz-Signature=${secret}&X-Amz-Security-Token=${secret}&x=1`,
      note: `they sent Bearer ${secret} along`,
      kept: 'as it is',
    };
    await intake.accept(odd, queue);
    await intake.rejectText(`{"token": "${secret}", password=${secret}`, 'body: not valid JSON', queue);
    const rows = await test.query<{ raw: string }>('SELECT raw FROM intake_reject');
    expect(rows).toHaveLength(2);
    for (const { raw } of rows) expect(raw).not.toMatch(secret);
    expect(rows[0]?.raw).toMatch('as it is');
  });

  it('leave events as they are, so that they can be taken in again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), (key) => {
        fc.pre(key.isWellFormed() && !/bearer|basic|x-amz/i.test(key));
        const message = awsMessage({ key, versionId: 'v', eTag: 'e', size: 1, sequencer: '00A' });
        expect(redacted(message)).toEqual(message);
      }),
    );
  });

  it('are looked for in any text without an exception, and soon', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void redactedText(text)));
    const began = performance.now();
    for (const piece of ['token=', 'a', 'Bearer ', 'X-Amz-Signature=', 'tokentoken'])
      redactedText(piece.repeat(10_000));
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
