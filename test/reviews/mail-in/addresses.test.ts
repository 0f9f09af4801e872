import { describe, expect, it } from 'vitest';
import {
  inboundAddresses,
  newMailToken,
  readInboundAddress,
  replyToken,
} from '../../../src/reviews/channels/mail/inbound/addresses.js';

describe('a mail’s own addresses', () => {
  const config = { MAIL_IN_ADDRESS: 'reviews@in.example.com', MAIL_IN_LISTEN: '127.0.0.1:2525' };

  it('are read back whatever a server did to their case', () => {
    const token = newMailToken();
    const made = inboundAddresses(config, token);
    expect(readInboundAddress(config.MAIL_IN_ADDRESS, made?.replyTo.toUpperCase() ?? '')).toEqual({
      kind: 'reply',
      token: replyToken(token),
    });
    expect(readInboundAddress(config.MAIL_IN_ADDRESS, made?.returnPath ?? '')).toEqual({
      kind: 'bounce',
      token: replyToken(token),
    });
    // Whoever reads where an answer goes to cannot send a bounce.
    expect(made?.replyTo).not.toContain(token);
    // RFC 5321 4.5.3.1.1: 64 octets before the at sign.
    expect(made?.replyTo.indexOf('@')).toBeLessThanOrEqual(64);
  });

  it.each([
    'reviews@in.example.com',
    'reviews+r.@in.example.com',
    'reviews+x.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@in.example.com',
    'other+r.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@in.example.com',
    'reviews+r.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com',
    '@',
    '',
  ])('are not %j', (given) => {
    expect(readInboundAddress(config.MAIL_IN_ADDRESS, given)).toBeUndefined();
  });
});
