import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identified } from '../../../src/access/oidc/claims.js';
import { givenBy } from '../../../src/access/oidc/group-map.js';
import { returnPath } from '../../../src/access/oidc/return-path.js';
import { readConfig } from '../../../src/config.js';

const OIDC = { OIDC_ISSUER: 'https://login.example.com/realms/a', OIDC_CLIENT_ID: 'sallyport' };

describe('the settings of the identity provider', () => {
  it.each<[Record<string, string>, RegExp]>([
    [{ OIDC_ISSUER: 'https://login.example.com' }, /^OIDC_CLIENT_ID: required/],
    [{ OIDC_CLIENT_ID: 'sallyport' }, /^OIDC_ISSUER: required/],
    [{ ...OIDC, OIDC_ISSUER: 'http://login.example.com' }, /^OIDC_ISSUER: must be https/],
    [
      { ...OIDC, OIDC_ISSUER: 'https://a.example.com/.well-known/openid-configuration' },
      /^OIDC_ISSUER: must be the issuer itself/,
    ],
    [{ ...OIDC, OIDC_CLIENT_SECRET: 'a', OIDC_CLIENT_SECRET_FILE: '/b' }, /not both/],
    [{ ...OIDC, OIDC_SCOPES: 'email' }, /^OIDC_SCOPES: must hold openid/],
    [{ ...OIDC, OIDC_NEW_ROLES: 'viewer,admin' }, /^OIDC_NEW_ROLES: must not hold admin/],
    [{ ...OIDC, OIDC_NEW_ROLES: 'reader' }, /^OIDC_NEW_ROLES.*must be one of/],
    [{ ...OIDC, OIDC_GROUPS: '{' }, /^OIDC_GROUPS: must be JSON/],
    [{ ...OIDC, OIDC_GROUPS: '{"a":{"roles":["boss"]}}' }, /^OIDC_GROUPS: a\.roles\.0: must be one of/],
    [{ ...OIDC, OIDC_GROUPS: '{"a":{"group":["b"]}}' }, /^OIDC_GROUPS: a: .*group/],
    [{ ...OIDC, OIDC_ALLOWED_NETWORKS: 'here' }, /^OIDC_ALLOWED_NETWORKS: must be a comma list/],
  ])('name the variable and the remedy: %o', (settings, message) => {
    expect(() => readConfig(settings)).toThrow(message);
  });

  it('take http on loopback, for trying out', () => {
    for (const issuer of ['http://127.0.0.1:8081', 'http://[::1]:8081/a', 'http://localhost:1'])
      expect(readConfig({ ...OIDC, OIDC_ISSUER: issuer }).OIDC_ISSUER).toBe(issuer);
  });

  it('ask for what they name, and give new people the role viewer alone', () => {
    expect(readConfig(OIDC)).toMatchObject({
      OIDC_SCOPES: ['openid', 'profile', 'email'],
      OIDC_UNKNOWN: 'refuse',
      OIDC_NEW_ROLES: ['viewer'],
      OIDC_GROUPS: {},
    });
  });
});

describe('what the provider’s groups give', () => {
  const { OIDC_GROUPS: map } = readConfig({
    ...OIDC,
    OIDC_GROUPS: JSON.stringify({
      'CN=Sec Ops,OU=x': { groups: ['Night shift'], roles: ['analyst'] },
      leads: { groups: ['Night shift', 'Leads'] },
    }),
  });

  it('is all that the map says of each, once', () => {
    expect(givenBy(map, ['leads', 'CN=Sec Ops,OU=x', 'else'])).toEqual({
      groups: ['Night shift', 'Leads'],
      roles: ['analyst'],
    });
  });

  it('is nothing for names that every object has', () => {
    expect(givenBy(map, ['constructor', '__proto__', 'toString'])).toEqual({ groups: [], roles: [] });
  });
});

describe('the claims of somebody', () => {
  const NAMES = {
    login: 'preferred_username',
    email: 'email',
    emailVerified: 'email_verified',
    groups: 'realm_access.roles',
  };
  const of = (claims: Record<string, unknown>, names: Partial<typeof NAMES> = {}) =>
    identified('https://a', { sub: 's', preferred_username: 'anna', ...claims }, { ...NAMES, ...names });

  it('are found by their name before they are by a path', () => {
    const claims = { realm_access: { roles: ['a', 'b'] } };
    expect(of(claims).groups).toEqual(['a', 'b']);
    expect(of({ ...claims, 'realm_access.roles': ['c'] }).groups).toEqual(['c']);
    expect(
      of({ 'https://example.com/groups': ['d'] }, { groups: 'https://example.com/groups' }).groups,
    ).toEqual(['d']);
  });

  it('tell one group as text, and leave out what is none', () => {
    expect(of({ groups: 'one' }, { groups: 'groups' }).groups).toEqual(['one']);
    expect(of({ groups: ['a', 1, null, '', 'a', {}] }, { groups: 'groups' }).groups).toEqual(['a']);
    expect(of({}).groups).toEqual([]);
  });

  it('vouch for an address with true alone', () => {
    expect(of({ email: 'a@b.example', email_verified: true }).email).toBe('a@b.example');
    for (const said of [false, undefined, 1, 'yes', {}])
      expect(of({ email: 'a@b.example', email_verified: said })).toMatchObject({
        email: null,
        unverifiedEmail: 'a@b.example',
      });
  });

  it.each([{ sub: undefined }, { sub: '' }, { sub: 7 }, { sub: 'a\u0000' }, { sub: 'x'.repeat(256) }])(
    'without a subject are nobody: %j',
    (claims) => expect(() => of(claims)).toThrow('names nobody'),
  );

  it('are never trusted to be of any form', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (claims, groups) => {
        const found = of({ ...claims, sub: 's', preferred_username: 'anna', groups }, { groups: 'groups' });
        expect(found.login).toBe('anna');
        expect(found.groups.every((group) => typeof group === 'string')).toBe(true);
      }),
    );
  });
});

describe('the page after a sign-in', () => {
  it.each([
    ['/reviews/5?view=mine#votes', '/reviews/5?view=mine#votes'],
    [undefined, '/'],
    ['', '/'],
    ['https://evil.example', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/.//evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['/a/..//evil.example', '/'],
    ['/api/v1/session/oidc/start', '/'],
    ['/./api/token', '/'],
    [`/${'a'.repeat(3000)}`, '/'],
    ['javascript:alert(1)', '/'],
  ])('for %j is %j', (wanted, path) => expect(returnPath(wanted)).toBe(path));

  it('is on this site, whatever is asked for', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '//',
      '@',
      ':',
      '\t',
      '\n',
      '%2f',
      'evil.example',
      'http',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 8 }), (pieces) => {
        const path = returnPath(pieces.join(''));
        expect(new URL(path, 'https://here.example').origin).toBe('https://here.example');
        expect(path).toMatch(/^\/(?!\/)/);
      }),
    );
  });
});
