import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { roomFor } from '../../src/database/connection-room.js';
import { connectionTo, isUnverified } from '../../src/database/connection.js';
import { DEFAULT_POOL_SIZE, MIN_POOL_SIZE, poolSizes } from '../../src/database/pool-sizes.js';
import { checkServerVersion, explainRefusal } from '../../src/database/refusals.js';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-pem-'));
const pem = join(folder, 'ca.pem');
writeFileSync(pem, 'a certificate');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const url = (query: string): string => `postgres://me:p%40ss@db.example:5433/sallyport${query}`;

describe('the TLS settings of a database URL mean what libpq means by them', () => {
  test.each([
    ['', undefined],
    ['?sslmode=disable', false],
    ['?sslmode=require', { rejectUnauthorized: false }],
    [
      `?sslmode=require&sslrootcert=${pem}`,
      { ca: 'a certificate', checkServerIdentity: expect.any(Function) },
    ],
    [
      `?sslmode=verify-ca&sslrootcert=${pem}`,
      { ca: 'a certificate', checkServerIdentity: expect.any(Function) },
    ],
    [`?sslmode=verify-full&sslrootcert=${pem}`, { ca: 'a certificate' }],
    ['?sslmode=verify-full', {}],
    ['?sslmode=verify-full&sslrootcert=system', {}],
    [`?sslmode=verify-full&sslcert=${pem}&sslkey=${pem}`, { cert: 'a certificate', key: 'a certificate' }],
  ])('%s', (query, ssl) => {
    const connection = connectionTo(url(`${query}${query === '' ? '?' : '&'}application_name=x`));
    expect(connection.ssl).toEqual(ssl);
    // The rest of the URL is as it was.
    expect(connection.connectionString).toBe(url('?application_name=x'));
    expect(connection.keepAlive).toBe(true);
  });

  it('tells which URL checks nobody', () => {
    expect(isUnverified(url('?sslmode=require'))).toBe(true);
    expect(isUnverified(url('?sslmode=verify-full'))).toBe(false);
    expect(isUnverified(url(''))).toBe(false);
  });

  test.each([
    ['?sslmode=prefer', /DATABASE_URL: sslmode=prefer .* verify-full/],
    [`?sslrootcert=${pem}`, /without sslmode/],
    ['?sslmode=verify-ca', /needs sslrootcert/],
    ['?sslmode=verify-full&sslrootcert=/nowhere/ca.pem', /sslrootcert names the file \/nowhere\/ca.pem/],
  ])('%s is refused with the remedy', (query, message) => {
    expect(() => connectionTo(url(query))).toThrow(message);
  });
});

describe('a first connection that fails is explained', () => {
  const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });
  test.each([
    [coded('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed'), 'CONFIG', /not trusted here.*Add sslrootcert=/],
    [
      coded('ERR_TLS_CERT_ALTNAME_INVALID', "IP: 1.2.3.4 is not in the cert's list"),
      'CONFIG',
      /another name/,
    ],
    [coded('CERT_HAS_EXPIRED', 'certificate has expired'), 'CONFIG', /not valid now/],
    [new Error('The server does not support SSL connections'), 'CONFIG', /offers no TLS/],
    [
      coded('28000', 'no pg_hba.conf entry for host "x", no encryption'),
      'CONFIG',
      /encrypted connections only/,
    ],
    [coded('28P01', 'password authentication failed'), 'CONFIG', /lets nobody in.*pg_hba/],
    [coded('53300', 'too many clients'), 'UNAVAILABLE', /DATABASE_POOL_SIZE/],
    [coded('ECONNREFUSED', ''), 'UNAVAILABLE', /ECONNREFUSED. Check DATABASE_URL/],
  ])('%s', (error, code, message) => {
    const explained = explainRefusal(error, 'DATABASE_URL');
    expect(explained.code).toBe(code);
    expect(explained.message).toMatch(message);
  });
});

test('PostgreSQL older than 15 is refused by name', () => {
  expect(() => checkServerVersion(140_012)).toThrow('PostgreSQL 15 or newer is needed; this is 14');
  expect(() => checkServerVersion(90_624)).toThrow('this is 9');
  expect(() => checkServerVersion(Number.NaN)).toThrow('unknown version');
  expect(() => checkServerVersion(150_000)).not.toThrow();
  expect(() => checkServerVersion(190_000)).not.toThrow();
});

describe('the connections of a process', () => {
  it('are shared out, and never more than were given', () => {
    expect(poolSizes(DEFAULT_POOL_SIZE)).toEqual({ general: 12, engine: 8, orm: 6 });
    for (let total = MIN_POOL_SIZE; total <= 200; total++) {
      const { general, engine, orm } = poolSizes(total);
      expect(general + engine + orm).toBe(total);
      expect(Math.min(general, engine)).toBeGreaterThanOrEqual(4);
      expect(orm).toBeGreaterThanOrEqual(2);
    }
  });

  const limits = { maxConnections: 100, reserved: 3, roleLimit: -1, databaseLimit: -1 };
  it('are compared with what PostgreSQL allows', () => {
    expect(roomFor(26, 0, limits)).toEqual({ wanted: 27, allowed: 97, nodes: 1 });
    expect(roomFor(26, 3, limits).problem).toMatch(/4 processes like this one may open 108 .* allows 97/);
    expect(roomFor(26, 0, { ...limits, roleLimit: 20 }).problem).toMatch(/DATABASE_POOL_SIZE to 19/);
    expect(roomFor(26, 0, { ...limits, databaseLimit: 27 }).problem).toBeUndefined();
  });
});
