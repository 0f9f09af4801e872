import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessService } from '../../src/access/access.service.js';
import { streamApp, type StreamApp } from '../engine/stream/app.js';

const PASSWORD = 'correct horse battery';

/** What the routes answer, as far as it is looked at here. */
interface Json {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
  readonly detail: string;
  readonly displayName: string | null;
  readonly lastUsedAt: string | null;
  readonly roles: readonly string[];
  readonly grants: readonly { readonly role: string; readonly scope: string }[];
  readonly errors: readonly { readonly path: string }[];
  readonly items: readonly Json[];
  readonly nextCursor?: string;
}

describe('people, groups, grants and keys', () => {
  let it: StreamApp;
  let admin: string;

  beforeAll(async () => {
    it = await streamApp();
    admin = await it.key('the-admin', 'admin');
    await it.app
      .get(AccessService)
      .bootstrap({ name: 'root', password: PASSWORD }, { id: 'first', secret: 'first' });
  }, 60_000);
  afterAll(() => it.close());

  interface Answer {
    readonly status: number;
    readonly json: Json;
  }

  const call = async (method: string, path: string, body?: unknown, as = admin): Promise<Answer> => {
    const response = await it.call(method, `/api/v1${path}`, as, body);
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
  };
  const login = async (name: string, password: string) => {
    const response = await fetch(`${it.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
    return { status: response.status, cookie };
  };
  const withCookie = async (method: string, path: string, cookie: string, body?: unknown) => {
    const response = await fetch(`${it.url}/api/v1${path}`, {
      method,
      headers: { cookie, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) } as Answer;
  };
  const make = async (name: string, ...roles: string[]): Promise<string> => {
    const made = await call('POST', '/users', { name, password: PASSWORD, roles });
    expect(made.status, JSON.stringify(made.json)).toBe(201);
    return made.json.id;
  };
  const audited = (subject: string) =>
    it.database.query<{ action: string; actor: string; data: unknown }>(
      'SELECT action, actor, data FROM audit_event WHERE subject = $1 ORDER BY id',
      [subject],
    );

  test('a user is made, logs in, is changed and disabled, and the audit tells it without a password', async () => {
    const made = await call('POST', '/users', {
      name: 'anna',
      displayName: 'Anna B.',
      email: 'anna@example.com',
      password: PASSWORD,
      roles: ['viewer'],
    });
    expect(made).toMatchObject({ status: 201, json: { name: 'anna', roles: ['viewer'], login: 'password' } });
    const { id } = made.json;
    const { cookie } = await login('anna', PASSWORD);
    expect((await withCookie('GET', '/session', cookie)).json).toMatchObject({ id, roles: ['viewer'] });
    expect((await call('PATCH', `/users/${id}`, { displayName: null })).json.displayName).toBeNull();
    expect((await withCookie('GET', '/session', cookie)).status).toBe(200);
    expect((await call('DELETE', `/users/${id}`)).status).toBe(204);
    expect((await withCookie('GET', '/session', cookie)).status).toBe(401);
    expect((await login('anna', PASSWORD)).status).toBe(401);
    const events = await audited(`user:${id}`);
    expect(events.map(({ action }) => action).filter((action) => action.startsWith('user.'))).toEqual([
      'user.created',
      'user.changed',
      'user.disabled',
    ]);
    expect(events[0]?.actor).toBe('apikey:the-admin');
    expect(JSON.stringify(events)).not.toContain(PASSWORD);
  });

  test('other roles end what somebody is logged in with', async () => {
    const id = await make('roland', 'viewer');
    const { cookie } = await login('roland', PASSWORD);
    expect((await call('PATCH', `/users/${id}`, { roles: ['viewer'] })).status).toBe(200);
    expect((await withCookie('GET', '/session', cookie)).status).toBe(200);
    await call('PATCH', `/users/${id}`, { roles: ['viewer', 'analyst'] });
    expect((await withCookie('GET', '/session', cookie)).status).toBe(401);
  });

  test('a password is set by its owner, who knows the present one, and by an admin; sessions end', async () => {
    const id = await make('petra', 'viewer');
    const other = await make('oscar', 'viewer');
    const { cookie } = await login('petra', PASSWORD);
    const next = 'another long sentence';
    const wrong = await withCookie('PUT', `/users/${id}/password`, cookie, { password: next });
    expect(wrong).toMatchObject({ status: 400, json: { errors: [{ path: 'presentPassword' }] } });
    const foreign = { password: next, presentPassword: PASSWORD };
    expect((await withCookie('PUT', `/users/${other}/password`, cookie, foreign)).status).toBe(403);
    expect((await withCookie('PUT', `/users/${id}/password`, cookie, foreign)).status).toBe(204);
    expect((await withCookie('GET', '/session', cookie)).status).toBe(401);
    expect((await login('petra', PASSWORD)).status).toBe(401);
    expect((await login('petra', next)).status).toBe(200);
    expect((await call('PUT', `/users/${id}/password`, { password: PASSWORD })).status).toBe(204);
    expect((await login('petra', PASSWORD)).status).toBe(200);
    expect(JSON.stringify(await audited(`user:${id}`))).not.toMatch(/another long|correct horse/);
  }, 60_000);

  test('the last admin is neither disabled nor loses the role, whatever way is tried', async () => {
    const { json } = await call('GET', '/users');
    const root = json.items.find((user) => user.name === 'root')?.id ?? '';
    for (const answer of [
      await call('DELETE', `/users/${root}`),
      await call('PATCH', `/users/${root}`, { disabled: true }),
      await call('PATCH', `/users/${root}`, { roles: ['viewer'] }),
    ]) {
      expect(answer.status).toBe(409);
      expect(answer.json.detail).toContain('Give the role to somebody else first');
    }
    const group = (await call('POST', '/groups', { name: 'Chiefs', roles: ['admin'] })).json.id;
    expect((await call('PUT', `/groups/${group}/members/${root}`)).status).toBe(204);
    // The group makes root an admin, so root's own role may go.
    expect((await call('PATCH', `/users/${root}`, { roles: [] })).status).toBe(200);
    expect((await call('DELETE', `/groups/${group}/members/${root}`)).status).toBe(409);
    expect((await call('PATCH', `/groups/${group}`, { roles: [] })).status).toBe(409);
    expect((await call('DELETE', `/groups/${group}`)).status).toBe(409);
    expect((await call('PATCH', `/users/${root}`, { roles: ['admin'] })).status).toBe(200);
    expect((await call('DELETE', `/groups/${group}`)).status).toBe(204);
  });

  test('of two admins who disable each other at once one is left', async () => {
    const { json } = await call('GET', '/users');
    const root = json.items.find((user) => user.name === 'root')?.id ?? '';
    const second = await make('second', 'admin');
    const answers = await Promise.all([root, second].map((id) => call('DELETE', `/users/${id}`)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409]);
    await call('PATCH', `/users/${root}`, { disabled: false });
    expect((await call('DELETE', `/users/${second}`)).status).toBe(204);
  });

  test.each([
    ['name', { name: 'ROOT' }, 409],
    ['name', { name: '' }, 400],
    ['name', { name: ' anna' }, 400],
    ['name', { name: 'an\nna' }, 400],
    ['name', { name: 'an\u202ena' }, 400],
    ['name', { name: 'an\u200bna' }, 400],
    ['name', { name: 'x'.repeat(101) }, 400],
    ['email', { email: 'nobody' }, 400],
    ['email', { email: 'a@b\r\nBcc: c@d' }, 400],
    ['password', { password: 'short' }, 400],
    ['password', { password: 'x'.repeat(257) }, 400],
    ['roles[0]', { roles: ['king'] }, 400],
    ['roles', { roles: 'admin' }, 400],
    ['displayName', { displayName: 'a\u0007' }, 400],
    ['disabled', { disabled: 'yes' }, 400],
  ])('a user with a %s that is no use is refused: %j', async (field, wanted, status) => {
    const answer = await call('POST', '/users', { name: 'someone', password: PASSWORD, ...wanted });
    expect(answer.status, JSON.stringify(answer.json)).toBe(status);
    expect(answer.json.detail).toContain(field);
  });

  test('a role of the version before is answered with those that came of it', async () => {
    const sent = [
      await call('POST', '/users', { name: 'eng', password: PASSWORD, roles: ['engineer'] }),
      await call('POST', '/groups', { name: 'eng', roles: ['engineer'] }),
      await call('POST', '/api-keys', { name: 'eng', roles: ['engineer'] }),
    ];
    for (const { status, json } of sent) {
      expect(status).toBe(400);
      expect(json.errors[0]).toMatchObject({
        path: 'roles[0]',
        message: expect.stringContaining('author') as string,
      });
      expect(json.detail).toContain('operator');
    }
  });

  test('users are listed page by page, and an auditor may look', async () => {
    const auditor = await it.key('looks', 'auditor');
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const suffix = cursor === undefined ? '' : `&cursor=${cursor}`;
      const { status, json } = await call('GET', `/users?limit=2${suffix}`, undefined, auditor);
      expect(status).toBe(200);
      expect(JSON.stringify(json)).not.toContain('scrypt');
      names.push(...json.items.map((user) => user.name));
      cursor = json.nextCursor;
    } while (cursor !== undefined);
    expect(names).toEqual([...names].sort());
    expect(names).toContain('root');
    expect((await call('GET', '/users?limit=501')).status).toBe(400);
    expect((await call('GET', '/users?cursor=x')).status).toBe(400);
    expect((await call('GET', '/users/none')).status).toBe(400);
    expect((await call('GET', `/users/${randomUUID()}`)).status).toBe(404);
    expect((await call('POST', '/users', {}, auditor)).status).toBe(403);
  });

  test('a group gives its members its roles, until they leave or it is deleted', async () => {
    const id = await make('gerd');
    const group = (await call('POST', '/groups', { name: 'Night shift', roles: ['analyst'] })).json;
    let { cookie } = await login('gerd', PASSWORD);
    expect((await call('PUT', `/groups/${group.id}/members/${id}`)).status).toBe(204);
    expect((await call('PUT', `/groups/${group.id}/members/${id}`)).status).toBe(204);
    expect((await withCookie('GET', '/session', cookie)).status).toBe(401);
    ({ cookie } = await login('gerd', PASSWORD));
    expect((await withCookie('GET', '/session', cookie)).json.roles).toEqual(['analyst']);
    expect((await call('GET', `/groups/${group.id}`)).json).toMatchObject({
      name: 'Night shift',
      memberCount: 1,
      members: [{ id, name: 'gerd' }],
    });
    expect((await call('DELETE', `/groups/${group.id}/members/${id}`)).status).toBe(204);
    expect((await withCookie('GET', '/session', cookie)).status).toBe(401);
    expect((await call('DELETE', `/groups/${group.id}/members/${id}`)).status).toBe(404);
    expect((await call('PATCH', `/groups/${group.id}`, { name: 'Day shift' })).json.name).toBe('Day shift');
    expect((await call('DELETE', `/groups/${group.id}`)).status).toBe(204);
    expect((await call('GET', `/groups/${group.id}`)).status).toBe(404);
    const actions = (await audited(`group:${group.id}`)).map(({ action }) => action);
    expect(actions).toEqual([
      'group.created',
      'group.member_added',
      'group.member_removed',
      'group.changed',
      'group.deleted',
    ]);
  });

  test('two groups that differ in case only are not made, nor by renaming', async () => {
    expect((await call('POST', '/groups', { name: 'Finance' })).status).toBe(201);
    const again = await call('POST', '/groups', { name: 'FINANCE' });
    expect(again).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('name: ') as string },
    });
    const other = (await call('POST', '/groups', { name: 'other' })).json.id;
    expect((await call('PATCH', `/groups/${other}`, { name: 'finance' })).status).toBe(409);
    // The same letters in another Unicode form, and wide ones, are the same name.
    expect((await call('POST', '/groups', { name: 'Ｆinance' })).status).toBe(409);
    for (const name of ['a\u0000b', 'a\u2028b', '', ' ', 'x'.repeat(500), 5])
      expect((await call('POST', '/groups', { name })).status, String(name)).toBe(400);
  });

  test('an approver of one queue is given and taken back, in person, by a group and as a key', async () => {
    const id = await make('quentin');
    const group = (await call('POST', '/groups', { name: 'Approvers' })).json.id;
    await call('PUT', `/groups/${group}/members/${id}`);
    const give = (kind: string, holderId: string, scope: string) =>
      call('POST', '/grants', { holder: { kind, id: holderId }, role: 'approver', scope });
    const mine = await give('user', id, 'finance');
    expect(mine.status).toBe(201);
    expect((await give('user', id, 'finance')).json.id).toBe(mine.json.id);
    await give('group', group, 'legal');
    const { cookie } = await login('quentin', PASSWORD);
    const { json } = await withCookie('GET', '/session', cookie);
    expect(json.grants).toHaveLength(2);
    expect(json.grants).toEqual(
      expect.arrayContaining([
        { role: 'approver', scope: 'finance' },
        { role: 'approver', scope: 'legal' },
      ]),
    );
    const key = await it.key('approves', 'viewer');
    expect((await give('apikey', 'approves', 'finance')).status).toBe(201);
    expect((await call('GET', '/session', undefined, key)).json.grants).toEqual([
      { role: 'approver', scope: 'finance' },
    ]);
    expect((await call('GET', `/grants?holderKind=user&holderId=${id}`)).json.items).toHaveLength(1);
    expect((await call('DELETE', `/grants/${mine.json.id}`)).status).toBe(204);
    expect((await call('DELETE', `/grants/${mine.json.id}`)).status).toBe(404);
    expect((await call('DELETE', `/groups/${group}`)).status).toBe(204);
    expect((await call('GET', `/grants?holderKind=group&holderId=${group}`)).json.items).toEqual([]);
    expect((await audited(`user:${id}`)).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['grant.given', 'grant.taken']),
    );
    expect((await give('user', randomUUID(), 'x')).json.errors[0]?.path).toBe('holder.id');
    expect((await give('user', 'none', 'x')).status).toBe(400);
    expect((await give('robot', id, 'x')).status).toBe(400);
    expect((await give('user', id, 'a\u0000')).status).toBe(400);
  });

  test('a key is shown once, works until it expires, and tells its last use to the hour', async () => {
    const expiresAt = new Date(it.clock.now() + 3_600_000).toISOString();
    const made = await call('POST', '/api-keys', { name: 'scanner', roles: ['worker'], expiresAt });
    expect(made.status).toBe(201);
    const { id, secret } = made.json;
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const shownNow = async () =>
      (await call('GET', '/api-keys?limit=500')).json.items.find((key) => key.id === id);
    expect(await shownNow()).toMatchObject({
      name: 'scanner',
      lastUsedAt: null,
      createdBy: 'apikey:the-admin',
    });
    expect(JSON.stringify(await shownNow())).not.toContain(secret);
    const usedAt = new Date(it.clock.now()).toISOString();
    expect((await call('GET', '/session', undefined, authorization)).status).toBe(200);
    it.clock.advance(600_000);
    expect((await call('GET', '/session', undefined, authorization)).status).toBe(200);
    await expect.poll(async () => (await shownNow())?.lastUsedAt).toBe(usedAt);
    it.clock.advance(3_600_000);
    expect((await call('GET', '/session', undefined, authorization)).status).toBe(401);
    expect(await shownNow()).toMatchObject({ expired: true });
    expect(JSON.stringify(await audited(`apikey:${id}`))).not.toContain(secret);
  });

  test('a key is disabled for good', async () => {
    const made = (await call('POST', '/api-keys', { name: 'gone', roles: ['viewer'] })).json;
    const authorization = `Basic ${Buffer.from(`${made.id}:${made.secret}`).toString('base64')}`;
    expect((await call('GET', '/session', undefined, authorization)).status).toBe(200);
    expect((await call('DELETE', `/api-keys/${made.id}`)).status).toBe(204);
    expect((await call('DELETE', `/api-keys/${made.id}`)).status).toBe(204);
    it.clock.advance(250);
    expect((await call('GET', '/session', undefined, authorization)).status).toBe(401);
    expect((await call('DELETE', '/api-keys/none')).status).toBe(404);
    expect((await call('POST', '/api-keys', { name: 'x', roles: [] })).status).toBe(400);
    const past = { name: 'x', roles: ['viewer'], expiresAt: '2020-01-01T00:00:00Z' };
    expect((await call('POST', '/api-keys', past)).json.errors[0]?.path).toBe('expiresAt');
    expect((await audited(`apikey:${made.id}`)).map(({ action }) => action)).toEqual([
      'apikey.created',
      'apikey.disabled',
    ]);
  });
});
