import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccessService } from '../../../src/access/access.service.js';
import { SESSION_COOKIE } from '../../../src/access/access.guard.js';
import { Groups } from '../../../src/access/groups.service.js';
import { Users } from '../../../src/access/users.service.js';
import { Database } from '../../../src/database/database.js';
import { CookieBrowser } from '../../support/browser-cookies.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { freePort } from '../../support/free-port.js';
import { OTHER_CLIENT, realProvider, signInAt, type RealProvider } from '../../support/oidc-provider.js';
import { accessNode } from './app.js';
import { audited } from '../../support/audit.js';

const PASSWORD = 'correct horse battery';
const NIGHT_MAP = { night: { groups: ['Night shift'], roles: ['operator'] }, eyes: { roles: ['auditor'] } };

describe('a sign-in at the identity provider', () => {
  let own: TestDatabase;
  let db: Database;
  let clock: FakeClock;
  let provider: RealProvider;
  let app: NestFastifyApplication;
  let port: number;
  let here: string;
  let settings: Record<string, string>;
  let lines: string[];
  let browser: CookieBrowser;

  beforeAll(async () => {
    own = await testDatabase();
    db = new Database(own.url);
    port = await freePort();
    here = `http://127.0.0.1:${port}`;
    provider = await realProvider(`${here}/api/v1/session/oidc/callback`);
    settings = {
      PUBLIC_URL: here,
      ...signInAt(provider),
      OIDC_GROUPS: JSON.stringify(NIGHT_MAP),
    };
  }, 60_000);
  afterAll(async () => {
    await provider.close();
    await db.close();
  });

  const start = async (more: Record<string, string> = {}) => {
    app = await accessNode(db, clock, port, { ...settings, ...more }, { lines });
  };
  beforeEach(async () => {
    await own.truncate();
    clock = new FakeClock();
    lines = [];
    provider.lie = undefined;
    provider.broken = false;
    provider.person = anna();
    browser = new CookieBrowser();
    await start();
  });
  afterEach(() => app.close());
  /** The same node with other settings. */
  const restart = async (more: Record<string, string>) => {
    await app.close();
    await start(more);
  };

  const anna = (claims: Record<string, unknown> = {}) => ({
    sub: 'sub-anna',
    claims: {
      preferred_username: 'anna',
      name: 'Anna B.',
      email: 'anna@example.com',
      email_verified: true,
      ...claims,
    },
  });
  const isCallback = ({ pathname }: URL) => pathname === '/api/v1/session/oidc/callback';
  const isOurPage = ({ origin, pathname }: URL) => origin === here && !pathname.startsWith('/api/');

  /** As far as the address that the provider sends the browser back to, which is not asked for yet. */
  const atTheDoor = (to = '/', who = browser) =>
    who.follow(`${here}/api/v1/session/oidc/start?to=${encodeURIComponent(to)}`, isCallback);
  /** Where it ends, as a path. */
  const signIn = async (to = '/', who = browser): Promise<string> =>
    pathOf(
      await who.follow(await who.follow(`${here}/api/v1/session/oidc/start?to=${to}`, isCallback), isOurPage),
    );
  const pathOf = (url: string) => url.slice(here.length);
  const goOn = async (url: string, who = browser) => pathOf(await who.follow(url, isOurPage));
  const me = async (who = browser) => {
    const response = await who.get(`${here}/api/v1/session`);
    return response.status === 200 ? ((await response.json()) as Record<string, unknown>) : response.status;
  };
  const refusals = async () =>
    (
      await db.query<{ subject: string; data: { reason: string } }>(
        `SELECT subject, data FROM audit_event WHERE action = 'session.refused' ORDER BY id`,
      )
    ).map(({ subject, data }) => [subject.replace(/:.*-.*/, ':…'), data.reason]);
  const users = () => app.get(Users);
  const local = (name: string, more: { email?: string; roles?: ('admin' | 'viewer')[] } = {}) =>
    users().create({ name, password: PASSWORD, ...more }, 'test');
  const people = async () => (await users().list(undefined, 100)).map(({ name }) => name);

  it('makes an account for somebody new, with the roles of the settings, and leads where they wanted to go', async () => {
    expect(await signIn('/reviews?view=mine')).toBe('/reviews?view=mine');
    expect(await me()).toMatchObject({
      name: 'anna',
      email: 'anna@example.com',
      roles: ['viewer'],
      method: 'session',
    });
    expect(await users().list(undefined, 10)).toMatchObject([
      { name: 'anna', display_name: 'Anna B.', password_hash: 'provider' },
    ]);
    const told = await audited(db);
    expect(told.map(({ action }) => action)).toEqual([
      'user.created',
      'user.identity_bound',
      'session.opened',
    ]);
    expect(told[1]).toMatchObject({
      actor: 'system:oidc',
      data: { issuer: provider.issuer, subject: 'sub-anna' },
    });
    expect(told[2]).toMatchObject({ data: { method: 'oidc', address: '127.0.0.1' } });
  });

  it('is offered by the login page, at the address that the provider sends back to', async () => {
    const ways = await (await fetch(`${here}/api/v1/session/ways`)).json();
    expect(ways).toEqual({
      provider: { name: 'Example Login', url: `${here}/api/v1/session/oidc/start` },
    });
    await app.close();
    app = await accessNode(db, clock, port, { PUBLIC_URL: here });
    expect(await (await fetch(`${here}/api/v1/session/ways`)).json()).toEqual({});
    expect((await fetch(`${here}/api/v1/session/oidc/start`)).status).toBe(404);
  });

  it('knows who came before by issuer and sub, whatever they are called now', async () => {
    await signIn();
    const { id } = (await me()) as { id: string };
    provider.person = anna({ preferred_username: 'anna.new', name: 'Anna C.', email: 'new@example.com' });
    const later = new CookieBrowser();
    expect(await signIn('/', later)).toBe('/');
    expect(await me(later)).toMatchObject({ id, name: 'anna', email: 'new@example.com' });
    expect(await people()).toEqual(['anna']);
    provider.person = { ...anna({ preferred_username: 'anna2', email: 'x@example.com' }), sub: 'another' };
    await signIn('/', new CookieBrowser());
    expect(await people()).toEqual(['anna', 'anna2']);
  });

  it('is finished by another node', async () => {
    const callback = await atTheDoor();
    await app.close();
    await start();
    expect(await goOn(callback)).toBe('/');
    expect(await me()).toMatchObject({ name: 'anna' });
  });

  it('made twice at once by somebody new makes one account', async () => {
    const browsers = [new CookieBrowser(), new CookieBrowser(), new CookieBrowser()];
    const doors = await Promise.all(browsers.map((who) => atTheDoor('/', who)));
    const ends = await Promise.all(browsers.map((who, n) => goOn(doors[n] ?? '', who)));
    expect(ends).toEqual(['/', '/', '/']);
    expect(await people()).toEqual(['anna']);
  });

  it('refuses a nonce that is not the one that was sent', async () => {
    const asked = await browser.follow(`${here}/api/v1/session/oidc/start`, ({ origin }) => origin !== here);
    const changed = new URL(asked);
    changed.searchParams.set('nonce', 'of-somebody-else');
    const callback = await browser.follow(changed.href, isCallback);
    expect(await goOn(callback)).toBe('/?sign-in=untrusted');
    expect(await me()).toBe(401);
    expect(await people()).toEqual([]);
    expect(await refusals()).toEqual([['login:unknown', 'oidc_untrusted']]);
  });

  it('refuses a code challenge that is not the one that was sent', async () => {
    const asked = await browser.follow(`${here}/api/v1/session/oidc/start`, ({ origin }) => origin !== here);
    const changed = new URL(asked);
    expect(changed.searchParams.get('code_challenge_method')).toBe('S256');
    changed.searchParams.set('code_challenge', 'x'.repeat(43));
    expect(await goOn(await browser.follow(changed.href, isCallback))).toBe('/?sign-in=expired');
    expect(await me()).toBe(401);
  });

  it('is finished once: the same answer again lets nobody in, here or elsewhere', async () => {
    const callback = await atTheDoor();
    const sealed = browser.cookie(here, 'sallyport_sign_in') ?? '';
    expect(await goOn(callback)).toBe('/');
    expect(await goOn(callback)).toBe('/?sign-in=expired');
    const thief = new CookieBrowser();
    thief.plant(here, 'sallyport_sign_in', sealed);
    expect(await goOn(callback, thief)).toBe('/?sign-in=expired');
    expect(await me(thief)).toBe(401);
    expect(await refusals()).toEqual([['login:unknown', 'oidc_expired']]);
  });

  it('of two answers at the same time takes one', async () => {
    const callback = await atTheDoor();
    const sealed = browser.cookie(here, 'sallyport_sign_in') ?? '';
    const browsers = [new CookieBrowser(), new CookieBrowser(), new CookieBrowser(), new CookieBrowser()];
    for (const one of browsers) one.plant(here, 'sallyport_sign_in', sealed);
    const ends = await Promise.all(browsers.map((one) => goOn(callback, one)));
    expect(ends.filter((end) => end === '/')).toHaveLength(1);
    expect(ends.filter((end) => end === '/?sign-in=expired')).toHaveLength(3);
  });

  it('refuses the answer to somebody else’s sign-in: nobody is logged in as another by a link', async () => {
    const theirs = await atTheDoor('/', new CookieBrowser());
    expect(await goOn(theirs)).toBe('/?sign-in=expired');
    const mine = await atTheDoor();
    expect(await goOn(theirs)).toBe('/?sign-in=expired');
    expect(await me()).toBe(401);
    // And what was begun here can still be finished.
    expect(await goOn(mine)).toBe('/');
  });

  it('gives a session of its own, whatever session somebody planted before', async () => {
    browser.plant(here, SESSION_COOKIE, 'planted-by-somebody');
    const callback = await atTheDoor();
    await goOn(callback);
    const given = browser.cookie(here, SESSION_COOKIE);
    expect(given).not.toBe('planted-by-somebody');
    const other = new CookieBrowser();
    other.plant(here, SESSION_COOKIE, 'planted-by-somebody');
    expect(await me(other)).toBe(401);
    expect(await me()).toMatchObject({ name: 'anna' });
  });

  it('refuses a code that was given to another application', async () => {
    const mine = new URL(await atTheDoor());
    const asked = new URL(`${provider.issuer}/auth`);
    asked.search = new URLSearchParams({
      client_id: OTHER_CLIENT.id,
      redirect_uri: OTHER_CLIENT.redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'y'.repeat(43),
      code_challenge_method: 'S256',
    }).toString();
    const theirs = new URL(
      await new CookieBrowser().follow(asked.href, ({ href }) => href.startsWith(OTHER_CLIENT.redirectUri)),
    );
    mine.searchParams.set('code', theirs.searchParams.get('code') ?? '');
    expect(await goOn(mine.href)).toBe('/?sign-in=expired');
    expect(await me()).toBe(401);
  });

  it('refuses an answer that names another issuer, or none where this one always does', async () => {
    const mixed = new URL(await atTheDoor());
    expect(mixed.searchParams.get('iss')).toBe(provider.issuer);
    mixed.searchParams.set('iss', 'https://other.example.com');
    expect(await goOn(mixed.href)).toBe('/?sign-in=untrusted');
    const silent = new URL(await atTheDoor());
    silent.searchParams.delete('iss');
    expect(await goOn(silent.href)).toBe('/?sign-in=untrusted');
    expect(await me()).toBe(401);
  });

  it('does not begin with a provider that calls itself otherwise', async () => {
    provider.lie = (metadata) => ({ ...metadata, issuer: 'https://login.example.com' });
    expect(await signInFails()).toBe('/?sign-in=untrusted');
    provider.lie = (metadata) => ({ ...metadata, authorization_endpoint: 'javascript:alert(1)' });
    expect(await signInFails()).toBe('/?sign-in=untrusted');
    provider.lie = undefined;
    expect(await signIn()).toBe('/');
  });
  const signInFails = () =>
    browser.follow(`${here}/api/v1/session/oidc/start`, isOurPage).then((url) => pathOf(url));

  it('refuses tokens that the provider’s own keys did not sign', async () => {
    const { issuer } = provider;
    const impostor = await realProvider(`${here}/api/v1/session/oidc/callback`);
    try {
      impostor.person = anna();
      // The metadata lead to another server, whose tokens say another issuer.
      provider.lie = (metadata) => ({
        ...metadata,
        token_endpoint: `${impostor.issuer}/token`,
        authorization_endpoint: `${impostor.issuer}/auth`,
        jwks_uri: `${issuer}/jwks`,
      });
      expect(await goOn(await atTheDoor())).toBe('/?sign-in=untrusted');
      expect(await people()).toEqual([]);
    } finally {
      await impostor.close();
    }
  });

  it('says that the provider does not answer, and works when it does again', async () => {
    provider.broken = true;
    expect(await signInFails()).toBe('/?sign-in=unavailable');
    provider.broken = false;
    const callback = await atTheDoor();
    provider.broken = true;
    expect(await goOn(callback)).toBe('/?sign-in=unavailable');
    const counted = await db.query<{ count: number }>('SELECT count FROM login_failure');
    expect(counted).toEqual([{ count: 0 }]);
    provider.broken = false;
    expect(await signIn()).toBe('/');
  });

  it('asks for the metadata once an hour, however many come', async () => {
    const before = provider.discoveries;
    await Promise.all(Array.from({ length: 5 }, () => atTheDoor('/', new CookieBrowser())));
    expect(provider.discoveries - before).toBe(1);
    clock.advance(3_600_001);
    await signIn();
    expect(provider.discoveries - before).toBe(2);
  });

  it('calls no private address that the settings do not open', async () => {
    await restart({ OIDC_ALLOWED_NETWORKS: '10.0.0.0/8' });
    expect(await signInFails()).toBe('/?sign-in=misconfigured');
    expect(lines.join('')).toContain('127.0.0.1 may not be called');
  });

  it('says when the client’s secret is wrong, and logs neither it nor the code', async () => {
    await restart({ OIDC_CLIENT_SECRET: 'not the right secret' });
    const callback = await atTheDoor();
    expect(await goOn(callback)).toBe('/?sign-in=misconfigured');
    expect(lines.join('')).toContain('invalid_client');
    expect(lines.join('')).not.toContain('not the right secret');
    expect(lines.join('')).not.toContain(new URL(callback).searchParams.get('code') ?? '-');
  });

  it('comes back when the person says no', async () => {
    provider.person = 'says no';
    expect(await signIn()).toBe('/?sign-in=denied');
    expect(await refusals()).toEqual([['login:unknown', 'oidc_denied']]);
    // To the page that they wanted, where they may log in otherwise.
    expect(await signIn('/link-slack')).toBe('/link-slack?sign-in=denied');
    expect(await goOn(await atTheDoor('/reviews?view=mine'))).toBe('/reviews?view=mine&sign-in=denied');
    for (const to of ['https://evil.example', '//evil.example', '/.//evil.example'])
      expect(await goOn(await atTheDoor(to))).toBe('/?sign-in=denied');
  });

  it('waits a quarter of an hour for the person, and no longer', async () => {
    const callback = await atTheDoor();
    clock.advance(15 * 60_000);
    expect(await goOn(callback)).toBe('/?sign-in=expired');
    expect(await me()).toBe(401);
  });

  it('leads to no other site, and to no call of the API', async () => {
    for (const to of ['https://evil.example', '//evil.example', '/\\evil.example', '/api/token'])
      expect(await goOn(await atTheDoor(to, browser))).toBe('/');
  });

  it('is limited by address like a login', async () => {
    const callback = await atTheDoor();
    expect(await goOn(callback)).toBe('/');
    provider.person = 'says no';
    expect(await signIn('/', new CookieBrowser())).toBe('/?sign-in=denied');
    expect(await db.query('SELECT kind, count FROM login_failure')).toEqual([{ kind: 'address', count: 1 }]);
    await db.query(`UPDATE login_failure SET count = 100 WHERE kind = 'address'`);
    const last = new CookieBrowser();
    expect(await signIn('/', last)).toBe('/?sign-in=limited');
    expect(await refusals()).toContainEqual(['login:unknown', 'locked']);
  });

  describe('by somebody without an account of the provider’s', () => {
    it('is refused where the settings make none', async () => {
      await restart({ OIDC_UNKNOWN: 'refuse' });
      expect(await signIn()).toBe('/?sign-in=unknown');
      expect(await people()).toEqual([]);
    });

    it('opens the account that has their address, which the provider vouches for', async () => {
      const { id } = await local('annette', { email: 'Anna@Example.com' });
      expect(await signIn()).toBe('/');
      expect(await me()).toMatchObject({ id, name: 'annette' });
      // Its password stays, and what it is called.
      await expect(app.get(AccessService).login('annette', PASSWORD)).resolves.toBeDefined();
    });

    it.each([{ email_verified: false }, { email_verified: undefined }, { email_verified: 'yes' }])(
      'does not open it when the provider does not: %j',
      async (claims) => {
        await local('annette', { email: 'anna@example.com' });
        provider.person = anna(claims);
        expect(await signIn()).toBe('/?sign-in=unverified');
        expect(await me()).toBe(401);
        expect(await refusals()).toEqual([['user:…', 'oidc_unverified']]);
      },
    );

    it('keeps no address that the provider does not vouch for', async () => {
      provider.person = anna({ email_verified: false });
      expect(await signIn()).toBe('/');
      expect(await users().list(undefined, 10)).toMatchObject([{ name: 'anna', email: null }]);
    });

    it('never opens an admin’s account by its address, nor one whose group makes it admin', async () => {
      const { id } = await local('root', { email: 'anna@example.com', roles: ['admin'] });
      expect(await signIn()).toBe('/?sign-in=unbound');
      await local('second', { roles: ['admin'] });
      await users().change(id, { roles: ['viewer'] }, 'test');
      const { id: group } = await app.get(Groups).create('Admins', ['admin'], 'test');
      await app.get(Groups).addMember(group, id, 'test');
      expect(await signIn()).toBe('/?sign-in=unbound');
      expect(await db.query('SELECT 1 FROM oidc_identity')).toEqual([]);
    });

    it('opens none by its address when the settings say so, or when two have it', async () => {
      await restart({ OIDC_MATCH_EMAIL: 'false' });
      await local('annette', { email: 'anna@example.com' });
      expect(await signIn()).toBe('/?sign-in=unbound');
      await restart({});
      await local('anneliese', { email: 'ANNA@example.com' });
      expect(await signIn()).toBe('/?sign-in=unbound');
    });

    it('takes nobody’s name', async () => {
      await local('ANNA');
      expect(await signIn()).toBe('/?sign-in=taken');
      expect(await people()).toEqual(['ANNA']);
    });

    it('takes nobody’s address as its name', async () => {
      await local('bob', { email: 'Bob@example.com' });
      provider.person = anna({ preferred_username: 'bob@example.com' });
      expect(await signIn()).toBe('/?sign-in=taken');
    });

    it('is refused without a login that can be used', async () => {
      provider.person = anna({ preferred_username: undefined });
      expect(await signIn()).toBe('/?sign-in=unusable');
      provider.person = anna({ preferred_username: 'an\u202Ena' });
      expect(await signIn('/', new CookieBrowser())).toBe('/?sign-in=unusable');
    });
  });

  it('opens the account that an admin bound to somebody, an admin’s too, until it is released', async () => {
    const root = await local('root', { email: 'anna@example.com', roles: ['admin'] });
    await users().bindIdentity(root.id, provider.issuer, 'sub-anna', 'user:root');
    expect(await signIn()).toBe('/');
    expect(await me()).toMatchObject({
      id: root.id,
      name: 'root',
      email: 'anna@example.com',
      roles: ['admin'],
    });
    const bert = await local('bert');
    const again = users().bindIdentity(bert.id, provider.issuer, 'sub-anna', 'user:root');
    await expect(again).rejects.toThrow('is bound to root already');
    const second = users().bindIdentity(root.id, provider.issuer, 'sub-bert', 'user:root');
    await expect(second).rejects.toThrow('Release it first');
    await users().releaseIdentity(root.id, 'user:root');
    expect(await me()).toBe(401);
    expect(await signIn('/', new CookieBrowser())).toBe('/?sign-in=unbound');
    const told = await db.query(
      `SELECT action, actor FROM audit_event WHERE action LIKE 'user.identity%' ORDER BY id`,
    );
    expect(told).toEqual([
      { action: 'user.identity_bound', actor: 'user:root' },
      { action: 'user.identity_released', actor: 'user:root' },
    ]);
  });

  it('never leaves the service without an admin who has a password', async () => {
    const root = await local('root', { email: 'root@example.com', roles: ['admin'] });
    await users().bindIdentity(root.id, provider.issuer, 'sub-anna', 'user:root');
    // As if the provider had given the role.
    await db.query(`UPDATE oidc_identity SET given_roles = '{admin}'`);
    expect(await signIn()).toBe('/?sign-in=refused');
    expect((await users().get(root.id)).roles).toEqual(['admin']);
    expect(lines.join('')).toContain('nobody with a password and the role admin');
  });

  it('lets nobody in who is disabled here, before and after it was bound', async () => {
    await signIn();
    const { id } = (await me()) as { id: string };
    await users().change(id, { disabled: true }, 'test');
    expect(await me()).toBe(401);
    expect(await signIn('/', new CookieBrowser())).toBe('/?sign-in=disabled');
    const bert = await local('bert', { email: 'bert@example.com' });
    await users().change(bert.id, { disabled: true }, 'test');
    provider.person = { ...anna({ preferred_username: 'bert', email: 'bert@example.com' }), sub: 'bert' };
    expect(await signIn('/', new CookieBrowser())).toBe('/?sign-in=disabled');
    expect(await refusals()).toEqual([
      ['user:…', 'oidc_disabled'],
      ['user:…', 'oidc_disabled'],
    ]);
  });

  it('gives groups and roles as the provider says at each sign-in, and takes back what it gave alone', async () => {
    const groups = app.get(Groups);
    const { id: night } = await groups.create('Night shift', ['analyst'], 'test');
    const { id: mine } = await groups.create('Of our own', [], 'test');
    provider.person = anna({ groups: ['night', 'eyes', 'unheard-of'] });
    await signIn();
    const { id, roles } = (await me()) as { id: string; roles: string[] };
    expect([...roles].sort()).toEqual(['analyst', 'auditor', 'operator', 'viewer']);
    await groups.addMember(mine, id, 'test');
    await users().change(id, { roles: ['viewer', 'operator', 'auditor', 'author'] }, 'test');

    provider.person = anna({ groups: ['eyes'] });
    const later = new CookieBrowser();
    await signIn('/', later);
    expect([...((await me(later)) as { roles: string[] }).roles].sort()).toEqual([
      'auditor',
      'author',
      'viewer',
    ]);
    expect(await groups.members(night)).toEqual([]);
    expect(await groups.members(mine)).toMatchObject([{ id }]);

    provider.person = anna();
    const last = new CookieBrowser();
    await signIn('/', last);
    expect(((await me(last)) as { roles: string[] }).roles).toEqual(['author', 'viewer']);
    // Whoever was logged in with more is no longer.
    expect(await me(later)).toBe(401);
    const told = await db.query(
      `SELECT subject FROM audit_event WHERE action = 'group.member_removed' AND actor = 'system:oidc'`,
    );
    expect(told).toEqual([{ subject: `group:${night}` }]);
  });
});
