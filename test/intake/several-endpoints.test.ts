import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../src/clock.js';
import { EndpointTokens } from '../../src/intake/endpoint-tokens.js';
import { EndpointTokensController } from '../../src/intake/endpoint-tokens.controller.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { registryNode, type RegistryNode } from '../s3/registry/registry-app.js';
import { headOf, httpApp, TOKEN } from './http-app.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const parts = await intakeParts();
await parts.test.truncate();
const node: RegistryNode = await registryNode(parts.test, {
  EMBEDDED_S3: 'on',
  S3_ENDPOINT: 'http://127.0.0.1:9100',
  S3_BUCKETS: 'uploads,inbox',
  S3_ALLOW_PRIVATE_ENDPOINTS: 'true',
});
const { registry, keyring } = node;
const { database, clock, rules, bell, test } = parts;
const intake = new IntakeService(database, clock, registry, rules, bell, pino({ level: 'silent' }));
const tokens = new EndpointTokens(keyring, registry);
const { server, lines } = await httpApp(
  { ...parts, buckets: registry, intake },
  { head: async () => headOf() },
  {
    controllers: [EndpointTokensController],
    providers: [
      { provide: EndpointTokens, useValue: tokens },
      { provide: Clock, useValue: clock },
    ],
  },
);

const add = async (id: string, port: number, bucket: string): Promise<void> => {
  const credentials = { kind: 'keys', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'none-at-all' };
  await node.call('POST', '/api/v1/endpoints', { id, url: `http://127.0.0.1:${port}`, credentials });
  expect((await node.call('POST', '/api/v1/buckets', { endpointId: id, bucket })).status).toBe(201);
};
await add('second', 9200, 'inbox');
afterAll(() => node.close());

// One for each test.
let key = '';
let tests = 0;
beforeEach(() => (key = `object-${++tests}`));

const post = (bucket: string, token: string) =>
  server.inject({
    method: 'POST',
    url: '/events/s3',
    headers: { authorization: `Bearer ${token}` },
    payload: awsMessage({ bucket, key, size: 1, eTag: 'e' }),
  });
const stored = () => test.query('SELECT endpoint_id, bucket FROM object_version WHERE key = $1', [key]);
const rejects = () =>
  test.query<{ reason: string; message: string }>(
    'SELECT reason, message FROM intake_reject WHERE raw LIKE $1',
    [`%${key}%`],
  );

describe('an event of a bucket that several endpoints have', () => {
  it('is kept as a reject that names them, and not guessed at', async () => {
    const answer = await post('inbox', TOKEN);
    expect(answer.json()).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await stored()).toEqual([]);
    expect(await rejects()).toMatchObject([
      { reason: 'ambiguous_bucket', message: expect.stringMatching(/s3, second|second, s3/) },
    ]);
  });

  it('means the endpoint whose token its server presents', async () => {
    expect((await post('inbox', tokens.tokenOf('second') ?? '')).statusCode).toBe(200);
    expect(await stored()).toEqual([{ endpoint_id: 'second', bucket: 'inbox' }]);
  });

  it('means the endpoint that its source is known to be of', async () => {
    await intake.accept(awsMessage({ bucket: 'inbox', key, eTag: 'e' }), {
      kind: 'webhook',
      endpointId: 's3',
    });
    expect(await stored()).toEqual([{ endpoint_id: 's3', bucket: 'inbox' }]);
  });

  it('never means the embedded one when it comes from outside', async () => {
    expect((await post('uploads', TOKEN)).json()).toMatchObject({ accepted: 1 });
    expect(await stored()).toEqual([{ endpoint_id: 's3', bucket: 'uploads' }]);
  });
});

describe('a token of an endpoint', () => {
  const token = tokens.tokenOf('second') ?? '';

  it('opens no bucket of another endpoint', async () => {
    expect((await post('uploads', token)).json()).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await rejects()).toMatchObject([{ reason: 'unknown_bucket' }]);
  });

  it.each([
    ['of another endpoint’s name', `s3.${token.split('.')[1]}`],
    ['that is cut', token.slice(0, -1)],
    ['of an endpoint that nobody registered', 'third.AAAA'],
    ['that is a name alone', 'second'],
  ])('%s is refused', async (_, wrong) => {
    expect((await post('inbox', wrong)).statusCode).toBe(401);
  });

  it('is shown to an engineer, which the audit tells, and stands in no log', async () => {
    const shown = await server.inject({ method: 'GET', url: '/api/v1/endpoints/second/events-token' });
    expect(shown.json()).toEqual({ endpointId: 'second', token });
    expect(shown.headers['cache-control']).toBe('no-store');
    const audit = await test.query(`SELECT * FROM audit_event WHERE action = 'endpoint.events_token_shown'`);
    expect(audit).toMatchObject([{ subject: 'endpoint:second' }]);
    await server.inject({
      method: 'POST',
      url: `/events/s3/${token}`,
      payload: awsMessage({ bucket: 'inbox', key }),
    });
    expect(JSON.stringify([audit, lines])).not.toContain(token.split('.')[1]);
  });
});

describe('a disabled bucket', () => {
  it('takes no event, and no request for a scan', async () => {
    await node.call('PATCH', '/api/v1/buckets/second/inbox', { version: 1, enabled: false });
    expect((await post('inbox', tokens.tokenOf('second') ?? '')).json()).toMatchObject({ rejected: 1 });
    const scan = await server.inject({
      method: 'POST',
      url: '/api/v1/scans',
      payload: { endpointId: 'second', bucket: 'inbox', key },
    });
    expect(scan.statusCode).toBe(400);
    // And its name is the other's alone.
    expect((await post('inbox', TOKEN)).json()).toMatchObject({ accepted: 1 });
    await node.call('PATCH', '/api/v1/buckets/second/inbox', { version: 2, enabled: true });
  });
});

it('a scan of a bucket that several endpoints have is asked for with the endpoint', async () => {
  const ask = (more: object) =>
    server.inject({ method: 'POST', url: '/api/v1/scans', payload: { bucket: 'inbox', key, ...more } });
  const unclear = await ask({});
  expect(unclear.statusCode).toBe(400);
  expect(unclear.body).toMatch(/endpointId/);
  expect((await ask({ endpointId: 'second' })).statusCode).toBe(202);
  expect(await stored()).toEqual([{ endpoint_id: 'second', bucket: 'inbox' }]);
});
