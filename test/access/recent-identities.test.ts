import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/access/principal.js';
import { RecentIdentities } from '../../src/access/recent-identities.js';
import { Unauthorized } from '../../src/errors.js';

const principal: Principal = { kind: 'apikey', id: 'k', name: 'k', roles: ['worker'], method: 'apikey' };
const known = () => Promise.resolve(principal);
const silent = () => new Promise<Principal>(() => undefined);

function make() {
  const time = { now: 0 };
  return { time, recent: new RecentIdentities(5, () => time.now) };
}

describe('identities of the last minute', () => {
  it('stand in while nobody can be asked, for a minute since they were last checked', async () => {
    const { recent, time } = make();
    await recent.identify('a', known);
    time.now = 59_999;
    expect(await recent.identify('a', silent)).toBe(principal);
    expect(await recent.identify('a', () => Promise.reject(new Error('away')))).toBe(principal);
    time.now = 60_000;
    await expect(recent.identify('a', silent)).rejects.toMatchObject({ status: 503 });
    await expect(recent.identify('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });

  it('are forgotten once they are refused', async () => {
    const { recent } = make();
    await recent.identify('a', known);
    const refuse = () => Promise.reject(new Unauthorized('revoked'));
    await expect(recent.identify('a', refuse)).rejects.toThrow('revoked');
    await expect(recent.identify('a', silent)).rejects.toMatchObject({ status: 503 });
  });

  it('say nothing about other credentials', async () => {
    const { recent } = make();
    await recent.identify('a', known);
    await expect(recent.identify('b', silent)).rejects.toMatchObject({ status: 503 });
  });
});
