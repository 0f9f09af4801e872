import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { disbelieve } from '../../../src/reviews/channels/slack/inbound/verify-request.js';

const SECRET = 'the app’s secret of this test';
const NOW = 1_795_000_000;
const BODY = Buffer.from('payload=%7B%22type%22%3A%22block_actions%22%7D');

const signed = (timestamp: string, body = BODY, secret = SECRET): string =>
  `v0=${createHmac('sha256', secret)
    .update(`v0:${timestamp}:${body.toString('latin1')}`, 'latin1')
    .digest('hex')}`;

const request = (more: { timestamp?: unknown; signature?: unknown; rawBody?: Buffer } = {}) => {
  const timestamp = 'timestamp' in more ? more.timestamp : String(NOW);
  return { timestamp, signature: signed(String(timestamp)), rawBody: BODY, ...more };
};

describe('a request that says it comes from Slack', () => {
  it('is believed when it is signed with the secret, or with one of several', () => {
    expect(disbelieve(request(), [SECRET], NOW)).toBeUndefined();
    expect(disbelieve(request(), ['the old one', SECRET], NOW)).toBeUndefined();
    expect(disbelieve(request(), [SECRET, 'the old one'], NOW)).toBeUndefined();
  });

  it('is believed up to five minutes from now, in both directions', () => {
    for (const seconds of [-300, -299, 0, 299, 300])
      expect(disbelieve(request({ timestamp: String(NOW + seconds) }), [SECRET], NOW)).toBeUndefined();
    for (const seconds of [-301, 301, 3600, -86_400])
      expect(disbelieve(request({ timestamp: String(NOW + seconds) }), [SECRET], NOW)).toBe('timestamp');
  });

  it.each([
    ['', 'timestamp'],
    ['-1', 'timestamp'],
    [`${NOW}.5`, 'timestamp'],
    [` ${NOW}`, 'timestamp'],
    ['1e9', 'timestamp'],
    ['0x6AFD0000', 'timestamp'],
    ['1'.repeat(13), 'timestamp'],
    [`${NOW}\n`, 'timestamp'],
    [undefined, 'no_signature'],
    [[String(NOW)], 'no_signature'],
  ])('is not believed with the timestamp %j', (timestamp, why) => {
    expect(disbelieve(request({ timestamp }), [SECRET], NOW)).toBe(why);
  });

  it.each([
    [undefined, 'no_signature'],
    [[signed(String(NOW))], 'no_signature'],
    ['', 'signature'],
    ['v0=', 'signature'],
    [signed(String(NOW)).slice(0, -1), 'signature'],
    [`${signed(String(NOW))}0`, 'signature'],
    [signed(String(NOW)).toUpperCase(), 'signature'],
    [signed(String(NOW)).replace('v0=', 'v1='), 'signature'],
    [`v0=${'g'.repeat(64)}`, 'signature'],
    [`v0=${'0'.repeat(64)}`, 'signature'],
    [signed(String(NOW), BODY, 'another secret'), 'signature'],
    [signed(String(NOW - 1)), 'signature'],
  ])('is not believed with the signature %j', (signature, why) => {
    expect(disbelieve(request({ signature }), [SECRET], NOW)).toBe(why);
  });

  it('is not believed without a secret, nor with one that is empty', () => {
    expect(disbelieve(request(), [], NOW)).toBe('no_secret');
    const unkeyed = { ...request(), signature: signed(String(NOW), BODY, '') };
    expect(disbelieve(unkeyed, [''], NOW)).toBe('no_secret');
    expect(disbelieve(unkeyed, ['', SECRET], NOW)).toBe('signature');
  });

  it('is believed with its own bytes and no others, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (bytes, at) => {
        const rawBody = Buffer.from(bytes);
        const signature = signed(String(NOW), rawBody);
        expect(disbelieve(request({ rawBody, signature }), [SECRET], NOW)).toBeUndefined();
        const other = Buffer.from(rawBody);
        const place = at % other.length;
        other[place] = (other[place] ?? 0) ^ 1;
        expect(disbelieve(request({ rawBody: other, signature }), [SECRET], NOW)).toBe('signature');
      }),
    );
  });

  it('is judged without a throw, whatever its headers hold', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (signature, timestamp) => {
        expect(disbelieve({ signature, timestamp, rawBody: BODY }, [SECRET], NOW)).toBeDefined();
      }),
    );
  });
});
