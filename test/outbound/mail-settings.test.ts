import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { dkimOf } from '../../src/outbound/mail/dkim.js';

describe('the settings of mail', () => {
  it.each([
    [{ DKIM_KEY_FILE: '/k' }, 'DKIM_SELECTOR: required with DKIM_KEY_FILE'],
    [{ MAIL_IN_LISTEN: '127.0.0.1:2525' }, 'MAIL_IN_ADDRESS: required with MAIL_IN_LISTEN'],
    [{ MAIL_IN_LISTEN: 'port' }, 'MAIL_IN_LISTEN: must be an address and a port'],
    [{ MAIL_IN_ADDRESS: 'a+b@example.com' }, 'MAIL_IN_ADDRESS: must be an address without a plus sign'],
  ])('%j are refused', (environment, message) => {
    expect(() => readConfig(environment)).toThrow(message);
  });

  it('refuse a key that cannot sign, and quote nothing of it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-dkim-'));
    const path = join(directory, 'weak.pem');
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    writeFileSync(path, weak.export({ type: 'pkcs8', format: 'pem' }));
    const config = readConfig({ DKIM_KEY_FILE: path, DKIM_SELECTOR: 's1' });
    expect(() => dkimOf(config)).toThrow('DKIM_KEY_FILE: must be an RSA key of 2048 bits or more');
    writeFileSync(path, 'no key');
    expect(() => dkimOf(config)).toThrow(/^DKIM_KEY_FILE: cannot be read/);
    rmSync(directory, { recursive: true });
    expect(() => dkimOf(config)).toThrow('DKIM_KEY_FILE: cannot be read (ENOENT)');
  });
});
