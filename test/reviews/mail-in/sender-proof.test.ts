import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.js';
import { dkimOf, holdsKey } from '../../../src/outbound/mail/dkim.js';
import {
  proveByHeader,
  proveBySignature,
  type DnsLookup,
  type HeaderLine,
} from '../../../src/reviews/channels/mail/inbound/sender-proof.js';

describe('who sent a mail', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-dkim-'));
  const keyFile = join(directory, 'dkim.pem');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const config = readConfig({
    MAIL_FROM: 'Alice <alice@example.com>',
    DKIM_KEY_FILE: keyFile,
    DKIM_SELECTOR: 's1',
  });
  const dkim = dkimOf(config);
  if (dkim === undefined) throw new Error('no key');
  rmSync(directory, { recursive: true });

  const records: Record<string, string> = {
    [dkim.recordName]: dkim.record,
    '_dmarc.example.com': 'v=DMARC1; p=reject; adkim=s',
  };
  const dns =
    (names: Record<string, string>): DnsLookup =>
    (name) =>
      names[name] === undefined
        ? Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }))
        : Promise.resolve([[names[name]]]);
  const signed = async (domain = 'example.com', more: Record<string, unknown> = {}): Promise<Buffer> => {
    const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
    const { message } = (await transport.sendMail({
      from: 'Alice <alice@example.com>',
      to: 'reviews@in.example.com',
      subject: 'Re: question',
      text: 'reject\n',
      dkim: { domainName: domain, keySelector: 's1', privateKey: dkim.privateKey },
      ...more,
    })) as { message: Buffer };
    return message;
  };
  const headersOf = (raw: Buffer): HeaderLine[] =>
    (raw.toString('latin1').split('\r\n\r\n')[0] ?? '')
      .split(/\r\n(?![ \t])/)
      .map((line) => ({ key: line.slice(0, line.indexOf(':')).toLowerCase(), line }));
  const prove = (raw: Buffer, names = records) => proveBySignature(raw, headersOf(raw), dns(names));

  it('is proved by a signature of the domain in From that covers the whole mail', async () => {
    expect(await prove(await signed())).toEqual({ kind: 'proved', address: 'alice@example.com' });
  });

  it('is not proved by what was changed, added or signed by others', async () => {
    const raw = (await signed()).toString('latin1');
    const changed = Buffer.from(raw.replace('reject', 'approve'), 'latin1');
    expect(await prove(changed)).toMatchObject({ kind: 'unproved' });
    const other = { ...records, 's1._domainkey.evil.example': dkim.record };
    expect(await prove(await signed('evil.example'), other)).toMatchObject({ kind: 'unproved' });
    const twoFrom = Buffer.from(`From: bob@example.com\r\n${raw}`, 'latin1');
    expect(await prove(twoFrom)).toEqual({ kind: 'unproved', why: 'it must have exactly one From' });
    expect(await prove(await signed('example.com', { dkim: undefined }))).toEqual({
      kind: 'unproved',
      why: 'it carries no DKIM signature',
    });
    const { privateKey: key } = dkim;
    for (const weak of [{ headerFieldNames: 'subject' }, { hashAlgo: 'sha1' }]) {
      const signedSo = await signed('example.com', {
        dkim: { domainName: 'example.com', keySelector: 's1', privateKey: key, ...weak },
      });
      expect(await prove(signedSo), JSON.stringify(weak)).toMatchObject({ kind: 'unproved' });
    }
    const many = Buffer.from(`${'DKIM-Signature: v=1\r\n'.repeat(9)}${raw}`, 'latin1');
    expect(await prove(many)).toEqual({ kind: 'unproved', why: 'it carries too many DKIM signatures' });
  });

  it('is not proved where the domain has no policy or the key is another, and is unknown without DNS', async () => {
    const raw = await signed();
    expect(await prove(raw, { [dkim.recordName]: dkim.record })).toEqual({
      kind: 'unproved',
      why: 'its domain publishes no DMARC policy',
    });
    const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const wrong = `v=DKIM1; k=rsa; p=${another.export({ type: 'spki', format: 'der' }).toString('base64')}`;
    expect(await prove(raw, { ...records, [dkim.recordName]: wrong })).toMatchObject({ kind: 'unproved' });
    const down: DnsLookup = () => Promise.reject(Object.assign(new Error('down'), { code: 'ESERVFAIL' }));
    expect(await proveBySignature(raw, headersOf(raw), down)).toEqual({ kind: 'unknown' });
  });

  it('is what our own mail server says, and not what the sender wrote below it', () => {
    const from = { key: 'from', line: 'From: "evil@example.net" <alice@example.com>' };
    const said = (value: string) => ({
      key: 'authentication-results',
      line: `Authentication-Results: ${value}`,
    });
    const pass = said('mx.example.com; spf=pass; dmarc=pass (p=reject) header.from=example.com');
    const fail = said('mx.example.com; dmarc=fail header.from=example.com');
    expect(proveByHeader([pass, from], 'mx.example.com')).toEqual({
      kind: 'proved',
      address: 'alice@example.com',
    });
    for (const headers of [
      [fail, pass, from],
      [from],
      [said('mx.evil.example; dmarc=pass header.from=example.com'), from],
      [said('mx.example.com; dmarc=pass header.from=evil.example'), from],
      [said('mx.example.com; dmarc=pass header.from="evil.example"'), from],
      [said('mx.example.com; spf=pass (dmarc=pass) smtp.mailfrom="; dmarc=pass"'), from],
      [said('mx.example.com; spf=pass smtp.mailfrom=";dmarc=pass"@evil.example; dmarc=fail'), from],
      [said('mx.example.com; spf=pass smtp.mailfrom=x;dmarc=pass; dmarc=fail'), from],
      [said('mx.example.com; dkim=fail (a (b) c; dmarc=pass)'), from],
      [pass, from, from],
      [pass, { key: 'from', line: 'From: alice@example.com, bob@example.com' }],
      [pass, { key: 'from', line: 'From: "mallory"alice@example.com' }],
      [pass, { key: 'from', line: 'From: (" ) <mallory@example.com> (") alice@example.com' }],
    ])
      expect(proveByHeader(headers, 'mx.example.com')).toMatchObject({ kind: 'unproved' });
  });

  it('is checked by the record that the doctor compares', () => {
    expect(holdsKey(dkim, dkim.record.replace('; p=', '; t=s; p='))).toBe(true);
    expect(holdsKey(dkim, 'v=DKIM1; p=')).toBe(false);
    expect(dkim.recordName).toBe('s1._domainkey.example.com');
  });
});
