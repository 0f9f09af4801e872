import { describe, expect, it, test } from 'vitest';
import { readConfig } from '../../src/config.js';
import { cameByHttps, clientAddress, parseProxy } from '../../src/http/client.js';

const trusted = ['10.0.0.7', '172.16.0.0/12', 'fd00::/8'].map(parseProxy);

describe('the address of a client', () => {
  it.each<[string | undefined, string | undefined, string | undefined]>([
    // Nobody's word is taken who is no proxy of ours.
    ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['10.0.0.8', '203.0.113.9', '10.0.0.8'],
    ['10.0.0.7', undefined, '10.0.0.7'],
    ['10.0.0.7', '203.0.113.9', '203.0.113.9'],
    ['::ffff:10.0.0.7', '203.0.113.9', '203.0.113.9'],
    ['::ffff:198.51.100.1', undefined, '198.51.100.1'],
    // What the client wrote itself stands further left.
    ['10.0.0.7', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.7', '1.1.1.1, 203.0.113.9, 172.16.4.4', '203.0.113.9'],
    ['fd00::1', '2001:db8::1', '2001:db8::1'],
    ['10.0.0.7', '203.0.113.9, nonsense', '10.0.0.7'],
    ['10.0.0.7', '', '10.0.0.7'],
    [undefined, '203.0.113.9', undefined],
  ])('that %s forwards for %s is %s', (peer, forwarded, address) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(address);
  });

  it('is the peer itself where no proxy is trusted', () => {
    expect(clientAddress('127.0.0.1', '203.0.113.9', [])).toBe('127.0.0.1');
  });

  it('takes no forever', () => {
    const long = Array.from({ length: 5_000 }, () => '10.0.0.7').join(',');
    expect(clientAddress('10.0.0.7', long, trusted)).toBe('10.0.0.7');
  });
});

test.each<[string, boolean, string | undefined, boolean]>([
  ['198.51.100.1', true, undefined, true],
  ['198.51.100.1', false, 'https', false],
  ['10.0.0.7', false, 'https', true],
  ['10.0.0.7', false, 'HTTPS', true],
  ['10.0.0.7', false, 'https, http', false],
  ['10.0.0.7', false, 'http', false],
  ['10.0.0.7', false, undefined, false],
])('from %s, encrypted %s, with X-Forwarded-Proto %s: https is %s', (address, encrypted, proto, https) => {
  expect(cameByHttps({ address, encrypted }, proto, trusted)).toBe(https);
});

test('TRUST_PROXY takes addresses and networks, trusts nobody when unset, and names what is neither', () => {
  expect(readConfig({}).TRUST_PROXY).toEqual([]);
  expect(readConfig({ TRUST_PROXY: '10.0.0.7, 10.2.0.0/16,::1' }).TRUST_PROXY).toHaveLength(3);
  for (const wrong of ['true', '10.0.0.0/99', 'proxy.example.com'])
    expect(() => readConfig({ TRUST_PROXY: wrong })).toThrow(/^TRUST_PROXY: .*addresses and networks/);
});
