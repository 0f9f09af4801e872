import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccessService } from '../../src/access/access.service.js';
import { Keyring } from '../../src/access/keyring.js';
import { hashPassword, verifyPassword } from '../../src/access/password.js';
import { Database } from '../../src/database/database.js';
import { ConfigError, Overloaded, Unauthorized } from '../../src/errors.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

const masterKey = randomBytes(32);

describe('access', () => {
  let own: TestDatabase;
  let db: Database;
  let clock: FakeClock;
  let keyring: Keyring;
  let access: AccessService;
  let firstRows: { admin: unknown; key: unknown };

  beforeAll(async () => {
    own = await testDatabase();
    db = new Database(own.url, { maxConnections: 4 });
    clock = new FakeClock();
    access = new AccessService(db, await Keyring.open(db, masterKey, clock), clock);
    await access.bootstrap(
      { name: 'admin', password: 'first password', email: 'admin@localhost' },
      { id: 'key-1', secret: 'a secret' },
    );
    const [rows] = await db.query<{ admin: unknown; key: unknown }>(
      `SELECT row_to_json(u) AS admin, (SELECT row_to_json(k) FROM api_key k) AS key FROM app_user u`,
    );
    if (rows === undefined) throw new Error('bootstrap made no admin');
    firstRows = rows;
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    await own.truncate();
    clock = new FakeClock();
    keyring = await Keyring.open(db, masterKey, clock);
    access = new AccessService(db, keyring, clock);
    // The rows that bootstrap made: hashing a password takes long on purpose.
    const { admin, key } = firstRows;
    await db.query('INSERT INTO app_user SELECT * FROM json_populate_record(NULL::app_user, $1)', [
      JSON.stringify(admin),
    ]);
    await db.query('INSERT INTO api_key SELECT * FROM json_populate_record(NULL::api_key, $1)', [
      JSON.stringify(key),
    ]);
  });

  it('is set up once, and who asks again because the answer was lost is told that it was', async () => {
    const admin = { name: 'admin', password: 'first password' };
    expect(await access.bootstrap(admin, { id: 'key-1', secret: 'a secret' })).toBe(true);
    expect(await access.bootstrap(admin, { id: 'key-2', secret: 'a secret' })).toBe(false);
    const [row] = await db.query(
      'SELECT (SELECT count(*) FROM app_user), (SELECT count(*) FROM api_key) AS keys',
    );
    expect(row).toEqual({ count: '1', keys: '1' });
  });

  it('makes one first admin, however many processes start at once', async () => {
    await own.truncate();
    const made = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        access.bootstrap({ name, password: 'x' }, { id: `key-${name}`, secret: 's' }),
      ),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await db.query('SELECT 1 FROM app_user')).toHaveLength(1);
  });

  it('opens a session for the right password and ends it after twelve hours', async () => {
    const { token } = await access.login('admin', 'first password');
    expect(await access.bySession(token)).toMatchObject({ name: 'admin', roles: ['admin'] });
    clock.advance(12 * 3_600_000 + 1);
    expect(await access.bySession(token)).toBeUndefined();
  });

  it('keeps no session token and no key secret in the database', async () => {
    const { token } = await access.login('admin', 'first password');
    const everything =
      JSON.stringify(await db.query('SELECT row_to_json(s) FROM app_session s')) +
      JSON.stringify(await db.query('SELECT row_to_json(k) FROM api_key k'));
    expect(everything).not.toContain(token);
    expect(everything).not.toContain('a secret');
  });

  it('ends a session on logout', async () => {
    const { token } = await access.login('admin', 'first password');
    await access.logout(token);
    expect(await access.bySession(token)).toBeUndefined();
  });

  it('says the same of an unknown name as of a wrong password', async () => {
    const wrong = await access.login('admin', 'x').catch((error: Error) => error);
    const unknown = await access.login('nobody', 'x').catch((error: Error) => error);
    expect(wrong).toBeInstanceOf(Unauthorized);
    expect((unknown as Error).message).toBe((wrong as Error).message);
  });

  it('answers ten wrong passwords with a pause, and lets the right one in after it', async () => {
    for (let attempt = 0; attempt < 10; attempt += 1)
      await expect(access.login('admin', 'x')).rejects.toBeInstanceOf(Unauthorized);
    await expect(access.login('admin', 'first password')).rejects.toBeInstanceOf(Overloaded);
    clock.advance(15 * 60_000);
    await expect(access.login('admin', 'first password')).resolves.toBeDefined();
  });

  it('looks at ten of a hundred guesses that come at once', async () => {
    const guesses = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) => access.login('admin', `guess ${n}`)),
    );
    const refused = (kind: typeof Overloaded | typeof Unauthorized) =>
      guesses.filter((guess) => guess.status === 'rejected' && guess.reason instanceof kind).length;
    expect([refused(Unauthorized), refused(Overloaded)]).toEqual([10, 90]);
  });

  it('keeps no endless queue of logins', async () => {
    const logins = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => access.login(`nobody ${n}`, 'x')),
    );
    const full = logins.filter((login) => login.status === 'rejected' && login.reason instanceof Overloaded);
    expect(full.length).toBeGreaterThan(0);
    // The flood over, everything is as it was.
    await expect(access.login('nobody', 'x')).rejects.toBeInstanceOf(Unauthorized);
    await expect(access.login('admin', 'first password')).resolves.toBeDefined();
  }, 60_000);

  it('trades an API key for a token that ends after an hour and says so', async () => {
    const token = await access.issueToken('key-1', 'a secret');
    expect(await access.byToken(token)).toMatchObject({ kind: 'apikey', id: 'key-1' });
    clock.advance(3_601_000);
    await expect(access.byToken(token)).rejects.toMatchObject({ code: 'EXPIRED_TOKEN' });
  });

  it.each(['', 'a.b.c', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJrZXktMSJ9.'])(
    'takes no made-up token: %s',
    async (token) => {
      await expect(access.byToken(token)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    },
  );

  it('knows no key whose id PostgreSQL cannot take', async () => {
    await expect(access.byApiKey('key-1\0', 'a secret')).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  });

  it('takes a disabled key no more, nor the tokens made with it', async () => {
    const token = await access.issueToken('key-1', 'a secret');
    await db.query(`UPDATE api_key SET disabled = true`);
    clock.advance(250);
    await expect(access.byApiKey('key-1', 'a secret')).rejects.toBeInstanceOf(Unauthorized);
    await expect(access.byToken(token)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  });

  it('makes each key once when many processes start together, and all see the same', async () => {
    await db.query('DELETE FROM keyring');
    const rings = await Promise.all(Array.from({ length: 4 }, () => Keyring.open(db, masterKey, clock)));
    expect(new Set(rings.map((ring) => ring.for('fingerprint').key.toString('hex'))).size).toBe(1);
    const purposes = await db.query<{ purpose: string }>('SELECT purpose FROM keyring ORDER BY purpose');
    expect(purposes.map(({ purpose }) => purpose)).toEqual([
      'audit',
      'credentials',
      'events',
      'fingerprint',
      'jwt',
      'links',
      'signin',
    ]);
  });

  it('keeps keys sealed, and names SALLYPORT_KEY when it is another one', async () => {
    const { id, key } = keyring.for('fingerprint');
    const [row] = await db.query<{ sealed: Buffer }>('SELECT sealed FROM keyring WHERE id = $1', [id]);
    expect(row?.sealed.includes(key)).toBe(false);
    await expect(Keyring.open(db, randomBytes(32), clock)).rejects.toThrow(ConfigError);
    await expect(Keyring.open(db, randomBytes(32), clock)).rejects.toThrow(/^SALLYPORT_KEY: /);
  });
});

describe('a password', () => {
  it('is known by its hash, in any Unicode form, and by no other', async () => {
    const hash = await hashPassword('caf\u00e9');
    expect(hash).toMatch(/^scrypt\$32768\$8\$3\$/);
    expect(await verifyPassword('cafe\u0301', hash)).toBe(true);
    expect(await verifyPassword('cafe', hash)).toBe(false);
  });

  it('is never right for a hash of another kind', async () => {
    expect(await verifyPassword('x', 'plain$x')).toBe(false);
  });
});
