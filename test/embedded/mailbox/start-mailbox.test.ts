import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  startMailbox,
  type EmbeddedMailbox,
  type MailboxOptions,
} from '../../../src/embedded/mailbox/start-mailbox.js';

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-mailbox-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function started(options: Partial<MailboxOptions> = {}): Promise<EmbeddedMailbox> {
  const mailbox = await startMailbox({ directory: place(), ...options });
  onTestFinished(() => mailbox.close());
  return mailbox;
}

async function send(mailbox: EmbeddedMailbox, mail: object): Promise<void> {
  const transport = createTransport(mailbox.smtpUrl);
  try {
    await transport.sendMail({ from: 'sallyport@example.com', to: 'ana@example.com', ...mail });
  } finally {
    transport.close();
  }
}

const raw = (text: string): object => ({
  envelope: { from: 'x@example.com', to: ['ana@example.com'] },
  raw: text.replaceAll('\n', '\r\n'),
});

describe('the mailbox that catches mail', () => {
  test('shows what was sent, newest first, and delivers nothing', async () => {
    let now = Date.UTC(2026, 10, 23, 9);
    const mailbox = await started({ now: () => (now += 1_000) });
    await send(mailbox, { subject: 'One', text: 'first' });
    await send(mailbox, {
      subject: 'Zwei: geprüft ✓',
      text: 'plain',
      html: '<p>rich</p>',
      to: 'ana@example.com, ben@example.com',
    });
    const [newest, oldest] = await mailbox.list();
    expect(newest).toMatchObject({
      from: 'sallyport@example.com',
      to: ['ana@example.com', 'ben@example.com'],
      subject: 'Zwei: geprüft ✓',
      date: '2026-11-23T09:00:02.000Z',
    });
    expect(oldest?.subject).toBe('One');
    expect(await mailbox.get(newest?.id ?? '')).toMatchObject({
      text: 'plain',
      html: '<p>rich</p>',
      attachments: [],
    });
  });

  test('names attachments without opening them', async () => {
    const mailbox = await started();
    await send(mailbox, {
      subject: 'Report',
      text: 'see it',
      attachments: [{ filename: 'week.html', content: '<b>47</b>' }],
    });
    const [mail] = await mailbox.list();
    expect((await mailbox.get(mail?.id ?? ''))?.attachments).toEqual([{ name: 'week.html', sizeBytes: 9 }]);
  });

  test('keeps mails over a restart, in files that nobody else can read', async () => {
    const directory = place();
    const first = await startMailbox({ directory });
    await send(first, { subject: 'Kept', text: 'still here' });
    await first.close();
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    const second = await started({ directory });
    expect((await second.list()).map(({ subject }) => subject)).toEqual(['Kept']);
  });

  test('forgets the half of a mail whose delivery was cut short', async () => {
    const directory = place();
    writeFileSync(join(directory, '001700000000000-0a0b0c0d.eml'), 'Subject: half\r\n\r\n');
    writeFileSync(join(directory, '001700000000001-0a0b0c0d.eml.part'), 'Subj');
    const mailbox = await started({ directory });
    expect(await mailbox.list()).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('keeps only the newest', async () => {
    const directory = place();
    let now = 0;
    const mailbox = await started({ directory, limit: 3, now: () => ++now });
    for (const subject of ['a', 'b', 'c', 'd', 'e']) await send(mailbox, { subject, text: '.' });
    expect((await mailbox.list()).map(({ subject }) => subject)).toEqual(['e', 'd', 'c']);
    expect(readdirSync(directory)).toHaveLength(6);
  });

  test('refuses a mail that is too long, and takes the next', async () => {
    const mailbox = await started({ maxBytes: 20_000 });
    await expect(send(mailbox, { subject: 'Long', text: 'x'.repeat(30_000) })).rejects.toMatchObject({
      responseCode: 552,
    });
    await send(mailbox, { subject: 'Short', text: 'x' });
    expect((await mailbox.list()).map(({ subject }) => subject)).toEqual(['Short']);
  });

  test('takes mails only from who knows its password', async () => {
    const mailbox = await started();
    const stranger = { ...mailbox, smtpUrl: mailbox.smtpUrl.replace(/:[^:@]+@/, ':guess@') };
    await expect(send(stranger, { subject: 'Approve this' })).rejects.toThrow(/Wrong user or password/);
    const nobody = { ...mailbox, smtpUrl: mailbox.smtpUrl.replace(/\/\/.*@/, '//') };
    await expect(send(nobody, { subject: 'Approve this' })).rejects.toThrow(/uthentication required/i);
    expect(await mailbox.list()).toEqual([]);
  });

  test('knows no mail by a path', async () => {
    const mailbox = await started();
    await send(mailbox, { subject: 'One', text: '.' });
    for (const id of ['../../etc/passwd', '', 'nothing', `${(await mailbox.list())[0]?.id}.eml`]) {
      expect(await mailbox.get(id)).toBeUndefined();
    }
  });
});

describe('a hostile mail', () => {
  test('keeps its markup in the HTML, where the page sandboxes it, and out of the rest', async () => {
    const mailbox = await started();
    await send(
      mailbox,
      raw(
        'Subject: <script>alert(1)</script>\u202egpj.exe\u0007\nContent-Type: text/html\n\n<script>alert(2)</script>',
      ),
    );
    const [mail] = await mailbox.list();
    expect(mail?.subject).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const opened = await mailbox.get(mail?.id ?? '');
    expect(opened?.text).toBe('');
    expect(opened?.html).toContain('alert(2)');
  });

  test('of thousands of nested parts is shown as it came instead of being taken apart', async () => {
    const mailbox = await started();
    const nested = Array.from(
      { length: 5_000 },
      (_, depth) => `--b${depth}\nContent-Type: multipart/mixed; boundary=b${depth + 1}\n\n`,
    );
    await send(
      mailbox,
      raw(`Subject: nested\nContent-Type: multipart/mixed; boundary=b0\n\n${nested.join('')}`),
    );
    const [mail] = await mailbox.list();
    expect((await mailbox.get(mail?.id ?? ''))?.text).toMatch(/too many parts/);
  });

  test('of random bytes is kept and can be opened', async () => {
    const mailbox = await started();
    const noise = Array.from({ length: 4_000 }, (_, index) =>
      String.fromCodePoint(32 + ((index * 7_919) % 90)),
    ).join('');
    await send(mailbox, raw(noise));
    const [mail] = await mailbox.list();
    expect(await mailbox.get(mail?.id ?? '')).toMatchObject({ id: mail?.id });
  });
});
