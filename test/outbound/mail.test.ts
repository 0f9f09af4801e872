import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { MailHandler } from '../../src/outbound/mail/mail.handler.js';
import { MailTransport } from '../../src/outbound/mail/mail-transport.js';
import { Mailer } from '../../src/outbound/mail/mailer.js';
import type { OutboxDelivery } from '../../src/outbound/outbox.js';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';

class Given extends MailTransport {
  url: string | undefined;
  smtpUrl(): string | undefined {
    return this.url;
  }
}

describe('mail', () => {
  let smtp: FakeSmtp;
  let transport: Given;
  let mailer: Mailer;
  let handler: MailHandler;

  beforeEach(async () => {
    smtp = await startSmtp();
    transport = new Given();
    transport.url = smtp.url;
    mailer = new Mailer(readConfig({ MAIL_FROM: 'Sallyport <scan@example.com>' }), transport);
    handler = new MailHandler(mailer);
  });
  afterEach(async () => {
    mailer.onApplicationShutdown();
    await smtp.close();
  });

  const mail = (payload: Record<string, unknown> = {}): OutboxDelivery => ({
    id: '1',
    kind: 'mail',
    key: 'k',
    attempt: 1,
    ambiguous: false,
    enqueuedAt: 0,
    payload: {
      to: ['audit@example.com'],
      subject: 'The week',
      text: 'All quiet.',
      html: '<p>All quiet.</p>',
      messageId: 'report-47',
      ...payload,
    },
  });

  it('goes out with both parts, stable ids and headers that keep robots quiet', async () => {
    expect(await handler.deliver(mail({ inReplyTo: 'report-46' }))).toMatchObject({ kind: 'sent' });
    const [got] = smtp.mails;
    expect(got).toMatchObject({
      subject: 'The week',
      text: expect.stringContaining('All quiet.') as string,
      messageId: '<report-47@example.com>',
      inReplyTo: '<report-46@example.com>',
      references: '<report-46@example.com>',
    });
    expect(got?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(got?.from?.text).toBe('"Sallyport" <scan@example.com>');
  });

  it('carries attachments', async () => {
    const contentBase64 = Buffer.from('a,b\n1,2\n').toString('base64');
    await handler.deliver(
      mail({ attachments: [{ filename: 'week.csv', contentType: 'text/csv', contentBase64 }] }),
    );
    expect(smtp.mails[0]?.attachments[0]).toMatchObject({ filename: 'week.csv', contentType: 'text/csv' });
    expect(smtp.mails[0]?.attachments[0]?.content.toString()).toBe('a,b\n1,2\n');
  });

  it('is given up when the server refuses the address for good, and tried again when only for now', async () => {
    smtp.refuseRecipient = () => 550;
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'giveUp' });
    smtp.refuseRecipient = () => 450;
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'retry', ambiguous: false });
    smtp.refuseRecipient = () => undefined;
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'sent' });
  });

  it('whose answer was lost may have arrived; sent again it has the same Message-ID', async () => {
    let lost = true;
    smtp.onMessage = () => {
      const answer = lost ? 'lose' : 'accept';
      lost = false;
      return answer;
    };
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'retry', ambiguous: true });
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'sent' });
    expect(smtp.mails.map(({ messageId }) => messageId)).toEqual([
      '<report-47@example.com>',
      '<report-47@example.com>',
    ]);
  });

  it('waits for a mail server that is not there (yet)', async () => {
    transport.url = undefined;
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'retry' });
    transport.url = 'smtp://127.0.0.1:9';
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'retry', ambiguous: false });
    transport.url = smtp.url;
    expect(await handler.deliver(mail())).toMatchObject({ kind: 'sent' });
  });

  it('lets no line break of a subject become a header', async () => {
    await handler.deliver(mail({ subject: 'a\r\nBcc: victim@example.com' }));
    expect(smtp.mails[0]?.bcc).toBeUndefined();
    expect(smtp.mails[0]?.headers.has('bcc')).toBe(false);
  });

  it('gives up what is no mail', async () => {
    expect(await handler.deliver(mail({ to: [] }))).toMatchObject({ kind: 'giveUp' });
    expect(await handler.deliver(mail({ messageId: 'a b\r\n' }))).toMatchObject({ kind: 'giveUp' });
  });
});
