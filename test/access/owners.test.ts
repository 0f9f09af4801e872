import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessService } from '../../src/access/access.service.js';
import { changedBucket } from '../../src/s3/registry/owned-bucket.js';
import { writtenRule } from '../../src/triggers/owned-rule.js';
import { streamApp, type StreamApp } from '../engine/stream/app.js';

const PASSWORD = 'correct horse battery';

interface Json {
  readonly id: string;
  readonly detail: string;
  /** As Conductor's clients read it. */
  readonly message: string;
  readonly items: readonly { readonly scope: string }[];
  readonly errors: readonly { readonly path: string }[];
}

describe('an owner', () => {
  let it: StreamApp;
  let admin: string;
  let night: string;
  let day: string;
  let anna: string;
  let cookie: string;

  interface Answer {
    readonly status: number;
    readonly json: Json;
  }
  const answerOf = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
  };
  const call = async (method: string, path: string, body?: unknown) =>
    answerOf(await it.call(method, `/api/v1${path}`, admin, body));
  const asAnna = async (method: string, path: string, body?: unknown): Promise<Answer> =>
    answerOf(
      await fetch(it.url + path, {
        method,
        headers: { cookie, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  const logIn = async () => {
    const response = await fetch(`${it.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'anna', password: PASSWORD }),
    });
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  };
  const definition = (name: string, version = 1) => ({
    name,
    version,
    tasks: [{ name: 'wait', taskReferenceName: 'wait', type: 'HUMAN' }],
  });

  beforeAll(async () => {
    it = await streamApp();
    admin = await it.key('the-admin', 'admin');
    await it.app
      .get(AccessService)
      .bootstrap({ name: 'root', password: PASSWORD }, { id: 'first', secret: 'first' });
    night = (await call('POST', '/groups', { name: 'Night shift' })).json.id;
    day = (await call('POST', '/groups', { name: 'Day shift' })).json.id;
    anna = (await call('POST', '/users', { name: 'anna', password: PASSWORD, roles: ['viewer'] })).json.id;
    await call('PUT', `/groups/${night}/members/${anna}`);
    const grant = { holder: { kind: 'user', id: anna }, role: 'owner', scope: night };
    expect((await call('POST', '/grants', grant)).status).toBe(201);
    for (const [group, name] of [
      [night, 'of_the_night'],
      [day, 'of_the_day'],
    ] as const)
      for (const kind of ['workflow', 'queue'])
        expect((await call('PUT', `/groups/${group}/owned`, { kind, name })).status).toBe(204);
    await logIn();
  }, 60_000);
  afterAll(() => it.close());

  test('registers, changes and removes the definitions of the own group, and no others', async () => {
    const register = (name: string, version?: number) =>
      asAnna('POST', '/api/metadata/workflow', definition(name, version));
    expect((await register('of_the_night')).status).toBe(200);
    for (const name of ['of_the_day', 'of_nobody', 'OF_THE_NIGHT', 'of_the_night '])
      expect([name, (await register(name)).status]).toEqual([name, 403]);
    const both = [definition('of_the_night', 2), definition('of_the_day')];
    expect((await asAnna('PUT', '/api/metadata/workflow', both)).status).toBe(403);
    expect((await asAnna('PUT', '/api/metadata/workflow', [])).status).toBe(403);
    expect((await asAnna('PUT', '/api/metadata/workflow', both.slice(0, 1))).status).toBe(200);
    expect((await asAnna('GET', '/api/metadata/workflow/of_the_day')).status).toBe(404);
    expect((await asAnna('DELETE', '/api/metadata/workflow/of_the_night/2')).status).toBe(200);
    expect((await asAnna('DELETE', '/api/metadata/workflow/of_the_day/1')).status).toBe(403);
    expect((await register('of_the_day')).json.message).toContain(
      'a grant of owner in the group that owns it',
    );
  });

  test('makes and unmakes approvers in the queues of the own group, and nothing else', async () => {
    const bert = (await call('POST', '/users', { name: 'bert', password: PASSWORD, roles: [] })).json.id;
    const give = (role: string, scope: string) =>
      asAnna('POST', '/api/v1/grants', { holder: { kind: 'user', id: bert }, role, scope });
    const given = await give('approver', 'of_the_night');
    expect(given.status).toBe(201);
    expect((await give('approver', 'of_the_day')).status).toBe(403);
    expect((await give('owner', night)).status).toBe(403);
    const listed = await asAnna('GET', '/api/v1/grants?scope=of_the_night');
    expect(listed.json.items).toMatchObject([{ id: given.json.id, scope: 'of_the_night' }]);
    expect((await asAnna('GET', '/api/v1/grants')).status).toBe(403);
    expect((await asAnna('GET', '/api/v1/grants?scope=of_the_day')).status).toBe(403);
    const theirs = await call('POST', '/grants', {
      holder: { kind: 'user', id: bert },
      role: 'approver',
      scope: 'of_the_day',
    });
    expect((await asAnna('DELETE', `/api/v1/grants/${theirs.json.id}`)).status).toBe(403);
    expect((await asAnna('DELETE', `/api/v1/grants/${given.json.id}`)).status).toBe(204);
    expect((await asAnna('PUT', `/api/v1/groups/${night}/owned`, { kind: 'queue', name: 'q' })).status).toBe(
      403,
    );
    const [own] = await it.database.query<{ id: string }>(`SELECT id FROM access_grant WHERE role = 'owner'`);
    expect((await asAnna('DELETE', `/api/v1/grants/${own?.id}`)).status).toBe(403);
    const told = await it.database.query<{ actor: string }>(
      `SELECT actor FROM audit_event WHERE action = 'grant.given' AND data->>'scope' = 'of_the_night'`,
    );
    expect(told).toEqual([{ actor: `user:${anna}` }]);
  });

  test('is one only as long as they are in the group', async () => {
    const names = () => asAnna('GET', '/api/v1/grants?scope=of_the_night');
    expect((await names()).status).toBe(200);
    await call('DELETE', `/groups/${night}/members/${anna}`);
    await logIn();
    expect((await names()).status).toBe(403);
    await call('PUT', `/groups/${night}/members/${anna}`);
    await logIn();
    expect((await names()).status).toBe(200);
  });

  test('is made of members and of groups for themselves; another group’s things are not given twice', async () => {
    const give = (kind: string, id: string, scope: string) =>
      call('POST', '/grants', { holder: { kind, id }, role: 'owner', scope });
    expect((await give('user', anna, day)).json.errors).toMatchObject([{ path: 'holder.id' }]);
    expect((await give('group', night, day)).json.errors).toMatchObject([{ path: 'holder.id' }]);
    expect((await give('user', anna, 'Night shift')).json.errors).toMatchObject([{ path: 'scope' }]);
    expect((await give('group', day, day)).status).toBe(201);
    const twice = await call('PUT', `/groups/${day}/owned`, { kind: 'queue', name: 'of_the_night' });
    expect(twice).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('belongs to the group Night shift') as string },
    });
    expect(
      (await call('PUT', `/groups/${night}/owned`, { kind: 'queue', name: 'of_the_night' })).status,
    ).toBe(204);
    const gone = '/owned?kind=queue&name=of_the_day';
    expect((await call('DELETE', `/groups/${night}${gone}`)).status).toBe(404);
    expect((await call('DELETE', `/groups/${day}${gone}`)).status).toBe(204);
  });

  test('goes with the group, and what it owned is nobody’s', async () => {
    expect((await call('DELETE', `/groups/${night}`)).status).toBe(204);
    const left = await it.database.query('SELECT 1 FROM access_owned WHERE group_id = $1', [night]);
    const grants = await it.database.query('SELECT 1 FROM access_grant WHERE scope = $1', [night]);
    expect([left, grants]).toEqual([[], []]);
    await logIn();
    expect((await asAnna('POST', '/api/metadata/workflow', definition('of_the_night'))).status).toBe(403);
  });
});

describe('what an owner is asked for', () => {
  const request = (body: unknown, params = {}) => ({ params, query: {}, body });

  test('of a rule: itself, its one bucket, and each workflow that it starts unless it is nobody’s', () => {
    const rule = { name: 'r', bucket: 'b', workflow: 'w', shares: [{ workflow: 'v', percent: 5 }] };
    expect(writtenRule(request(rule))).toEqual([
      { kind: 'trigger', name: 'r' },
      { kind: 'bucketName', name: 'b' },
      { kind: 'workflow', name: 'w', orNobodys: true },
      { kind: 'workflow', name: 'v', orNobodys: true },
    ]);
    // The name in the address counts, whatever the body says.
    expect(writtenRule(request(rule, { name: 'other' }))[0]).toEqual({ kind: 'trigger', name: 'other' });
    // Every bucket is nobody's.
    expect(writtenRule(request({ name: 'r' }))[1]).toEqual({ kind: 'bucketName', name: '' });
    for (const body of [null, 5, 'x', [], { shares: [null, 5] }, { shares: 'x' }])
      expect(writtenRule(request(body))[0]).toEqual({ kind: 'trigger', name: '' });
  });

  test('of a bucket: the bucket, and no field that reaches what is of others', () => {
    const at = { endpointId: 'e', bucket: 'b' };
    expect(changedBucket(request({ version: 1, enabled: false }, at))).toEqual([
      { kind: 'bucket', name: 'e/b' },
    ]);
    for (const field of ['priority', 'quotas', 'quarantineBucket', 'ownerGroup', 'expectedOwner'])
      expect(() => changedBucket(request({ [field]: 1 }, at))).toThrow(`${field}: `);
  });
});
