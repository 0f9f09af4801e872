import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/engine/model/json.js';
import { newMailToken } from '../../../src/reviews/channels/mail/inbound/addresses.js';
import { MailListener } from '../../../src/reviews/channels/mail/inbound/mail-listener.js';
import { eventually } from '../../support/eventually.js';
import { startSmtp, type FakeSmtp } from '../../support/smtp.js';
import { reviewsApp } from '../app.js';
import { person, reviewsStage, type ReviewsStage } from '../stage.js';

describe('mail that comes in', () => {
  let stage: ReviewsStage;
  let smtp: FakeSmtp;
  let app: NestFastifyApplication;
  let openReview: (input?: JsonObject) => Promise<string>;
  const start = async (settings: Record<string, string> = {}): Promise<void> => {
    const built = await reviewsApp(
      stage,
      {
        MAIL_FROM: 'Sallyport <sallyport@example.com>',
        MAIL_IN_LISTEN: '127.0.0.1:0',
        MAIL_IN_ADDRESS: 'reviews@in.example.com',
        MAIL_IN_AUTHSERV_ID: 'mx.example.com',
        ALERT_TO: 'operators@example.com',
        ...settings,
      },
      { smtpUrl: () => smtp.url },
    );
    app = built.app;
    openReview = async (input = {}) => {
      const task = stage.engine.add({
        title: 'Release?',
        scanId: '0d2f5f0e-0000-4000-8000-0000000000aa',
        ...input,
      });
      await built.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
      const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review WHERE task_id = $1', [
        task.taskId,
      ]);
      return row?.id ?? '';
    };
  };
  beforeEach(async () => {
    stage = await reviewsStage();
    smtp = await startSmtp();
  });
  afterEach(async () => {
    await app.close();
    await smtp.close();
    await stage.close();
  });

  const mailTo = (address: string) =>
    eventually(() => smtp.mails.find((mail) => JSON.stringify(mail.to).includes(address)), {
      what: `mail to ${address}`,
    });
  const answers = () => smtp.mails.filter(({ subject }) => subject === '[Sallyport] Your reply');
  /** Brings a mail as our mail server does. @returns the code of the answer, 250 when it was taken. */
  const bring = async (
    to: string,
    text: string,
    more: {
      from?: string;
      results?: string;
      id?: string;
      headers?: Record<string, string>;
      raw?: string;
    } = {},
  ): Promise<number> => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: app.get(MailListener, { strict: false }).port ?? 0,
      ignoreTLS: true,
    });
    try {
      await transport.sendMail({
        envelope: { from: 'x@example.com', to: [to] },
        ...(more.raw === undefined
          ? {
              from: more.from ?? 'Alice <alice@example.com>',
              to,
              subject: 'Re: question',
              text,
              ...(more.id === undefined ? {} : { messageId: more.id }),
              headers: {
                'Authentication-Results':
                  more.results ?? 'mx.example.com; dmarc=pass header.from=example.com',
                ...more.headers,
              },
            }
          : { raw: more.raw }),
      });
      return 250;
    } catch (error) {
      return (error as { responseCode?: number }).responseCode ?? 0;
    } finally {
      transport.close();
    }
  };
  const replyAddress = async (who = 'alice@example.com'): Promise<string> =>
    (await mailTo(who)).replyTo?.value[0]?.address ?? '';

  it('decides once by a reply of the person whom the mail was for, and answers them', async () => {
    await start();
    const id = await openReview();
    expect((await mailTo('alice@example.com')).text).toContain('Or reply. Write one of these words');
    const to = await replyAddress();
    expect(await bring(to, 'reject\nnot ours', { id: '<one@example.com>' })).toBe(250);
    expect(await bring(to, 'reject\nnot ours', { id: '<one@example.com>' })).toBe(250);
    const review = await stage.reviews.get(id);
    expect(review).toMatchObject({
      state: 'COMPLETED',
      decision: {
        outcome: 'reject',
        by: { id: 'alice' },
        via: 'mail',
        method: 'mail-reply',
        reason: 'not ours',
      },
    });
    await eventually(() => answers().length === 1);
    expect(answers()[0]?.text).toContain('Your choice “Reject” is recorded.');
    expect(answers()[0]?.headers.get('auto-submitted')).toBe('auto-generated');
  });

  it('lets nothing through by a reply that grants, unless the setting says so', async () => {
    await start();
    const id = await openReview();
    expect(await bring(await replyAddress(), 'approve\nfine')).toBe(250);
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
    await eventually(() => answers().some(({ text }) => text?.includes('is not chosen by a reply') === true));
  });

  it('lets a reply grant where the setting says so, and binds it to what the mail showed', async () => {
    await start({ MAIL_REPLIES: 'decide' });
    const id = await openReview();
    const [alice, bob] = [await replyAddress(), await replyAddress('bob@example.com')];
    await stage.db.query(`UPDATE review SET subject_digest = 'another' WHERE id = $1`, [id]);
    expect(await bring(alice, 'approve\nfine')).toBe(250);
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
    await eventually(() => answers().some(({ text }) => text?.includes('is not what stands now') === true));
    await stage.db.query(
      `UPDATE review SET subject_digest = (SELECT subject_digest FROM review_link LIMIT 1) WHERE id = $1`,
      [id],
    );
    expect(await bring(bob, 'approve\nfine', { from: 'bob@example.com' })).toBe(250);
    expect((await stage.reviews.get(id)).decision).toMatchObject({ outcome: 'approve', by: { id: 'bob' } });
  });

  it('refuses whoever is not proved to be the person, machines and strangers, and changes nothing', async () => {
    await start();
    const id = await openReview();
    const to = await replyAddress();
    expect(await bring(to, 'reject', { results: 'mx.example.com; dmarc=fail' })).toBe(550);
    expect(await bring(to, 'reject', { from: 'bob@example.com' })).toBe(550);
    expect(await bring(to, 'reject', { headers: { 'Auto-Submitted': 'auto-replied' } })).toBe(250);
    expect(await bring('reviews@in.example.com', 'reject')).toBe(550);
    expect(await bring(`reviews+r.${newMailToken()}@in.example.com`, 'reject')).toBe(550);
    expect(await bring(to, 'x'.repeat(2 * 1024 * 1024))).toBe(552);
    expect(await stage.reviews.get(id)).toMatchObject({ state: 'OPEN', votes: [] });
    const kinds = await stage.db.query<{ kind: string }>('SELECT kind FROM review_event ORDER BY id');
    expect(kinds.map(({ kind }) => kind)).toEqual(['opened', 'auto_replied']);
    expect(answers()).toEqual([]);
    stage.clock.advance(73 * 3_600_000);
    expect(await bring(to, 'reject')).toBe(550);
  });

  it('tells who was first, takes anything else as a comment, and stops answering after twenty', async () => {
    await start();
    const id = await openReview();
    const to = await replyAddress();
    for (let n = 0; n < 22; n++) expect(await bring(to, `what is this? ${n}`)).toBe(250);
    const comments = await stage.db.query(`SELECT data FROM review_event WHERE kind = 'commented'`);
    expect(comments).toHaveLength(20);
    await stage.reviews.act(id, { kind: 'decide', outcome: 'reject', reason: 'no' }, person('alice'));
    expect(await bring(await replyAddress('bob@example.com'), 'reject', { from: 'bob@example.com' })).toBe(
      250,
    );
    await eventually(() => answers().some(({ text }) => text?.includes('Alice already chose') === true));
    await eventually(() => answers().length === 21);
  });

  const bounceOf = (address: string, status = '5.1.1'): string =>
    [
      'From: MAILER-DAEMON@mx.example.com',
      'Subject: Undelivered',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'Sorry.',
      '--b',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.example.com',
      '',
      `Final-Recipient: rfc822; ${address}`,
      'Action: failed',
      `Status: ${status}`,
      'Diagnostic-Code: smtp; 550 5.1.1 no such user',
      '',
      '--b--',
      '',
    ].join('\r\n');
  const bounceAddress = async (who: string): Promise<string> =>
    smtp.returnPaths[smtp.mails.indexOf(await mailTo(who))] ?? '';

  it('by a bounce suspends the address, tells the operators and gives what only that person had to the others', async () => {
    await start();
    const id = await openReview({ assign: { to: ['user:Alice', 'user:Bob'], strategy: 'round_robin' } });
    const holder = (await stage.reviews.get(id)).claim?.by.id ?? '';
    const other = holder === 'alice' ? 'bob' : 'alice';
    const copied = (await replyAddress(`${holder}@example.com`)).replace('+r.', '+b.');
    expect(await bring(copied, '', { raw: bounceOf(`${holder}@example.com`) })).toBe(550);
    const to = await bounceAddress(`${holder}@example.com`);
    expect(await bring(to, '', { raw: bounceOf(`${holder}@example.com`) })).toBe(250);
    expect(await bring(to, '', { raw: bounceOf(`${holder}@example.com`) })).toBe(250);
    expect(await stage.reviews.get(id)).toMatchObject({ state: 'OPEN', claim: undefined });
    await mailTo(`${other}@example.com`);
    expect((await mailTo('operators@example.com')).text).toContain(`${holder}[@]example[.]com`);
    const headers = { host: '127.0.0.1:8080', 'x-test-user': 'op', 'x-test-roles': 'operator' };
    const listed = await app.inject({ url: '/api/v1/mail/suspensions', headers });
    expect(listed.json()).toMatchObject({ items: [{ email: `${holder}@example.com`, status: '5.1.1' }] });

    const mails = smtp.mails.length;
    const next = await openReview();
    await eventually(async () => {
      const [row] = await stage.db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM outbox WHERE kind = 'review.mail' AND state = 'sent' AND payload->>'reviewId' = $1`,
        [next],
      );
      return row?.n === 2;
    });
    expect(smtp.mails.slice(mails).map((mail) => JSON.stringify(mail.to))).toEqual([
      expect.stringContaining(`${other}@example.com`),
    ]);
    const resumed = await app.inject({
      method: 'DELETE',
      url: `/api/v1/mail/suspensions/${encodeURIComponent(`${holder}@example.com`)}`,
      headers: { ...headers, origin: 'http://127.0.0.1:8080' },
    });
    expect(resumed.statusCode).toBe(204);
    const unreadable = await app.inject({
      method: 'DELETE',
      url: '/api/v1/mail/suspensions/%00',
      headers: { ...headers, origin: 'http://127.0.0.1:8080' },
    });
    expect(unreadable.statusCode).toBe(400);
  });

  it.each([
    ['a full mailbox', 'alice@example.com', '5.2.2'],
    ['a dead address that they forward to', 'old@example.net', '5.1.1'],
  ])('by a bounce for %s is told in the timeline, and mail goes on', async (_, recipient, status) => {
    await start();
    await openReview();
    expect(
      await bring(await bounceAddress('alice@example.com'), '', {
        raw: bounceOf(recipient, status),
      }),
    ).toBe(250);
    const [event] = await stage.db.query<{ data: object }>(
      `SELECT data FROM review_event WHERE kind = 'mail_bounced'`,
    );
    expect(event?.data).toMatchObject({ status, suspended: false, to: { id: 'alice' } });
    expect(await stage.db.query('SELECT 1 FROM mail_suspension')).toEqual([]);
  });

  it('suspends an address that the mail server refuses outright', async () => {
    await start();
    smtp.refuseRecipient = (address) =>
      address.startsWith('alice') ? { code: 550, text: '5.1.1 no such user' } : undefined;
    await openReview();
    await eventually(async () => (await stage.db.query('SELECT 1 FROM mail_suspension')).length === 1);
  });

  it('signs what leaves with the key of the domain', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-dkim-'));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(directory, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await start({ DKIM_KEY_FILE: join(directory, 'dkim.pem'), DKIM_SELECTOR: 's1' });
    rmSync(directory, { recursive: true });
    await openReview();
    const mail = await mailTo('alice@example.com');
    const signature = mail.headerLines.find(({ key }) => key === 'dkim-signature')?.line ?? '';
    expect(signature).toMatch(/d=example\.com;/);
    expect(signature).toMatch(/s=s1;/);
  });
});
