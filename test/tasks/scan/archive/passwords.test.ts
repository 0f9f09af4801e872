import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { tar, zip } from '../../../support/archives.js';
import { aesZip } from './locked-zip.js';
import { walkedIn } from './walked.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-passwords-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const walked = (content: Buffer, passwords: readonly string[] = ['wrong', 'pass w\u00f6rd', 'other']) =>
  walkedIn(directory, content, { passwords: () => passwords });

const text = 'the content that is looked for';
const password = 'pass w\u00f6rd';

describe('a member whose password is known is looked into', () => {
  it.each([
    ['deflated', zip([{ name: 'b.txt', content: text, password }])],
    ['stored', zip([{ name: 'b.txt', content: text, password, stored: true }])],
    ['AE-1, 128 bits', aesZip([{ name: 'b.txt', content: text, password, version: 1, bits: 128 }])],
    ['AE-1, 192 bits', aesZip([{ name: 'b.txt', content: text, password, version: 1, bits: 192 }])],
    ['AE-2, 256 bits', aesZip([{ name: 'b.txt', content: text, password }])],
  ])('%s', async (_, content) => {
    expect(await walked(content)).toMatchObject({ notes: [], members: { 'a!b.txt': text } });
  });

  it('large, empty, and with an archive in it', async () => {
    const large = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * i) >> 9));
    const inner = zip([{ name: 'deep.txt', content: text, password }]);
    for (const content of [
      zip([
        { name: 'large', content: large, password },
        { name: 'empty', content: '', password },
        { name: 'n.zip', content: inner, password },
      ]),
      aesZip([
        { name: 'large', content: large, password },
        { name: 'empty', content: '', password },
        { name: 'n.zip', content: inner, password },
      ]),
    ]) {
      const found = await walked(gzipSync(await tar({ 'l.zip': content })));
      expect(found.notes).toEqual([]);
      expect(found.members['a!content!l.zip!n.zip!deep.txt']).toBe(text);
      expect(found.members['a!content!l.zip!large']).toBe(large.subarray(0, 1024).toString('latin1'));
      expect(found.members['a!content!l.zip!empty']).toBe('');
    }
  });

  it('in a charset of before', async () => {
    const content = aesZip([
      { name: 'b.txt', content: text, password: Buffer.from('w\u00f6rd').toString('utf8') },
    ]);
    expect((await walked(content, ['w\u00f6rd'])).reasons).toEqual([]);
  });

  it('of what Info-ZIP writes', async () => {
    writeFileSync(join(directory, 'one.txt'), text.repeat(100));
    const args = ['-q', '-P', 'pw', '-', 'one.txt'];
    const { stdout } = spawnSync('zip', args, { cwd: directory });
    if (stdout === null || stdout.length === 0) return;
    const found = await walked(stdout, ['no', 'pw']);
    expect(found.notes).toEqual([]);
    expect(found.members['a!one.txt']).toContain(text);
  });
});

describe('otherwise it is encrypted, by its path and without any password', () => {
  it.each([
    ['traditional', zip([{ name: 'b.txt', content: text, password: 'unknown' }])],
    ['AES', aesZip([{ name: 'b.txt', content: text, password: 'unknown' }])],
    ['AES whose code is wrong', aesZip([{ name: 'b.txt', content: text, password, damage: true }])],
  ])('%s', async (_, content) => {
    const { notes, members } = await walked(content);
    expect(notes).toEqual([{ path: 'a!b.txt', reason: 'encrypted', detail: 'a member with a password' }]);
    expect(members).toEqual({});
  });

  it('two passwords in one archive; the members of a third are said', async () => {
    const { notes, members } = await walked(
      zip([
        { name: '1', content: text, password: 'other' },
        { name: '2', content: text, password },
        { name: '3', content: text, password: 'unknown' },
        { name: '4', content: text },
      ]),
    );
    expect(notes).toMatchObject([{ path: 'a!3', reason: 'encrypted' }]);
    expect(Object.keys(members)).toEqual(['a!1', 'a!2', 'a!4']);
  });

  it('damage behind a password that fitted before', async () => {
    const { reasons } = await walked(
      aesZip([
        { name: '1', content: text, password },
        { name: '2', content: text, password, damage: true },
      ]),
    );
    expect(reasons).toEqual(['corrupt']);
  });

  it('no wrong password of many shows anything', async () => {
    const many = Array.from({ length: 900 }, (_, n) => `wrong ${n}`);
    const { members, reasons } = await walked(zip([{ name: 'b.txt', content: text, password }]), many);
    expect(reasons).toEqual(['encrypted']);
    expect(members).toEqual({});
  });

  it('tries so many passwords and no more, whatever the number of members', async () => {
    const members = Array.from({ length: 2000 }, (_, n) => ({
      name: `${n}`,
      content: 'x',
      password: 'unknown',
    }));
    const { notes } = await walked(zip(members));
    expect(notes.at(-1)).toMatchObject({ reason: 'encrypted', detail: 'and 1950 more' });
  });
});

it('passwords are asked for once, and only when an encrypted member is met', async () => {
  let asked = 0;
  const passwords = () => {
    asked += 1;
    return [password];
  };
  await walkedIn(directory, zip([{ name: 'b.txt', content: text }]), { passwords });
  expect(asked).toBe(0);
  const locked = { content: text, password };
  await walkedIn(
    directory,
    zip([
      { name: '1', ...locked },
      { name: '2', ...locked },
    ]),
    { passwords },
  );
  expect(asked).toBe(1);
});
