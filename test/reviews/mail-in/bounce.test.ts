import { describe, expect, it } from 'vitest';
import { isDeadAddress, readDeliveryStatus } from '../../../src/reviews/channels/mail/inbound/bounce.js';

describe('a report on delivery', () => {
  it('names the address that is dead, and tells it from a full mailbox and from mail that is not wanted', () => {
    const report = (status: string) =>
      readDeliveryStatus(
        Buffer.from(
          `Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; a@example.com\r\nAction: failed\r\nStatus: ${status}\r\nDiagnostic-Code: smtp; 550\r\n  no such user\r\n`,
        ),
      );
    expect(report('5.1.1')).toEqual({
      recipient: 'a@example.com',
      action: 'failed',
      status: '5.1.1',
      diagnostic: 'smtp; 550 no such user',
    });
    expect(report('nonsense')).toBeUndefined();
    expect(['5.1.1', '5.2.1'].every(isDeadAddress)).toBe(true);
    expect(['4.1.1', '5.2.2', '5.7.1', '5.0.0', ''].some(isDeadAddress)).toBe(false);
  });
});
