import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccessService } from '../../src/access/access.service.js';
import { Keyring } from '../../src/access/keyring.js';
import { LoginLimits } from '../../src/access/login-limits.js';
import { Database } from '../../src/database/database.js';
import { Overloaded, Unauthorized } from '../../src/errors.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { audited } from '../support/audit.js';

const PASSWORD = 'first password';

describe('logins', () => {
  let own: TestDatabase;
  let db: Database;
  let clock: FakeClock;
  let keyring: Keyring;

  beforeAll(async () => {
    own = await testDatabase();
    db = new Database(own.url, { maxConnections: 4 });
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    await own.truncate();
    clock = new FakeClock();
    keyring = await Keyring.open(db, randomBytes(32), clock);
  });

  /** Another process, or the same one after a restart. */
  const node = () => new AccessService(db, keyring, clock);
  const refusals = () => audited(db, { action: 'session.refused' });

  it('are counted by name over restarts and nodes', async () => {
    await node().bootstrap({ name: 'admin', password: PASSWORD }, { id: 'k', secret: 's' });
    for (let n = 0; n < 10; n++)
      await expect(node().login('admin', 'x')).rejects.toBeInstanceOf(Unauthorized);
    await expect(node().login('admin', PASSWORD)).rejects.toBeInstanceOf(Overloaded);
    clock.advance(15 * 60_000);
    await expect(node().login('admin', PASSWORD)).resolves.toBeDefined();
  }, 60_000);

  it('are told to the audit: who came in from where, who was refused and why, and no name that is nobody', async () => {
    await node().bootstrap({ name: 'admin', password: PASSWORD }, { id: 'k', secret: 's' });
    await expect(node().login('admin', 'x', '192.0.2.1')).rejects.toBeInstanceOf(Unauthorized);
    await expect(node().login('my secret password', 'x', '192.0.2.1')).rejects.toBeInstanceOf(Unauthorized);
    const { principal } = await node().login('admin', PASSWORD, '192.0.2.1');
    expect(await refusals()).toMatchObject([
      { subject: `user:${principal.id}`, data: { reason: 'wrong_password', address: '192.0.2.1' } },
      { subject: 'login:unknown', data: { reason: 'unknown_name', address: '192.0.2.1' } },
    ]);
    const opened = await audited(db, { action: 'session.opened' });
    expect(opened).toMatchObject([{ data: { method: 'password', address: '192.0.2.1' } }]);
    const everything = JSON.stringify([
      await db.query('SELECT row_to_json(a) FROM audit_event a'),
      await db.query('SELECT row_to_json(p) FROM audit_personal p'),
      await db.query('SELECT row_to_json(f) FROM login_failure f'),
    ]);
    expect(everything).not.toContain('my secret password');
  }, 60_000);

  describe('their limits', () => {
    let limits: LoginLimits;
    beforeEach(() => (limits = new LoginLimits(db, clock)));

    const attempts = async (count: number, attempt: (n: number) => { name: string; address?: string }) => {
      for (let n = 0; n < count; n++) await limits.attempt(attempt(n));
    };

    it('hold for an address that tries many names, and for no other', async () => {
      await attempts(100, (n) => ({ name: `name ${n}`, address: '192.0.2.1' }));
      await expect(limits.attempt({ name: 'new', address: '192.0.2.1' })).rejects.toThrow(
        /from this address/,
      );
      await limits.attempt({ name: 'new', address: '192.0.2.2' });
      const rows = await db.query(`SELECT 1 FROM login_failure WHERE kind = 'name'`);
      expect(rows).toHaveLength(101);
    });

    it('hold for a whole network of IPv6, and for an IPv4 address however it is written', async () => {
      await attempts(100, (n) => ({ name: `a ${n}`, address: `2001:db8::${n.toString(16)}` }));
      await expect(limits.attempt({ name: 'b', address: '2001:db8::ffff' })).rejects.toThrow(/address/);
      await limits.attempt({ name: 'b', address: '2001:db8:0:1::1' });
      await attempts(100, (n) => ({ name: `c ${n}`, address: n % 2 ? '::ffff:192.0.2.9' : '192.0.2.9' }));
      await expect(limits.attempt({ name: 'd', address: '192.0.2.9' })).rejects.toThrow(/address/);
    });

    it('are told once to whoever writes the audit', async () => {
      const told: string[] = [];
      const tell = (kind: string) => Promise.resolve(void told.push(kind));
      for (let n = 0; n < 20; n++)
        await limits.attempt({ name: 'admin' }, tell).catch((error: unknown) => error);
      expect(told).toEqual(['name']);
    });

    it('are not loosened for an address by one account that it may use', async () => {
      for (let n = 0; n < 100; n++) {
        await limits.attempt({ name: 'mine', address: '192.0.2.1' });
        await limits.succeeded({ name: 'mine', address: '192.0.2.1' });
        if (n < 99) await limits.attempt({ name: `other ${n}`, address: '192.0.2.1' });
      }
      await limits.attempt({ name: 'last', address: '192.0.2.1' });
      await expect(limits.attempt({ name: 'x', address: '192.0.2.1' })).rejects.toBeInstanceOf(Overloaded);
    });

    it('keep no rows that count no more', async () => {
      await attempts(5, (n) => ({ name: `name ${n}`, address: '192.0.2.1' }));
      clock.advance(15 * 60_000);
      await limits.attempt({ name: 'later' });
      expect(await db.query('SELECT 1 FROM login_failure')).toHaveLength(1);
    });
  });
});
