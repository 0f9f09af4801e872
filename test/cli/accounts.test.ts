import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { streamApp, type StreamApp } from '../engine/stream/app.js';

describe('accounts on the command line', () => {
  let it: StreamApp;
  const directory = mkdtempSync(join(tmpdir(), 'cli-accounts-'));
  const file = join(directory, 'password');
  const PASSWORD = 'correct horse battery';

  beforeAll(async () => {
    it = await streamApp();
    await it.key('cli', 'admin');
    writeFileSync(file, `${PASSWORD}\nsecond line\n`);
  });
  afterAll(async () => {
    await it.close();
    rmSync(directory, { recursive: true });
  });

  const say = async (...args: string[]) => {
    const lines: string[] = [];
    const notes: string[] = [];
    const env = { SALLYPORT_URL: it.url, SALLYPORT_API_KEY: 'cli:secret' };
    const output = {
      out: (line: string) => void lines.push(line),
      note: (line: string) => void notes.push(line),
      style: { colour: false },
    };
    const code = await run(args, env, output);
    return { code, text: lines.join('\n'), notes: notes.join('\n') };
  };
  const login = async (name: string, password: string) => {
    const response = await fetch(`${it.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
    return response.status;
  };

  test('a person is made, changed, disabled and enabled by name', async () => {
    const made = await say('users', 'add', 'anna', '--roles', 'analyst', '--password-file', file);
    expect(made).toMatchObject({ code: 0 });
    expect(await login('anna', PASSWORD)).toBe(200);
    const set = await say('users', 'set', 'anna', '--display-name', 'Anna B.', '--roles', 'analyst,approver');
    expect(set.text).toMatch(/called +Anna B\.\nroles +analyst, approver/);
    expect((await say('users', 'disable', 'ANNA')).text).toMatch(/state +disabled/);
    expect(await login('anna', PASSWORD)).toBe(401);
    expect((await say('users', 'enable', 'anna')).text).toMatch(/state +enabled/);
    writeFileSync(file, 'another long sentence');
    expect((await say('users', 'password', 'anna', '--password-file', file)).code).toBe(0);
    expect(await login('anna', 'another long sentence')).toBe(200);
    expect((await say('users', 'list')).text).toMatch(/^NAME.*\nanna +Anna B\./);
    expect(JSON.parse((await say('users', 'show', 'anna', '--json')).text)).toMatchObject({ name: 'anna' });
  }, 60_000);

  test('what cannot be is told with the remedy', async () => {
    await expect(say('users', 'show', 'nobody')).rejects.toThrow(/none of this name or id/);
    const missing = say('users', 'add', 'x', '--password-file', join(directory, 'none'));
    await expect(missing).rejects.toThrow(/file that you may read/);
    await expect(say('groups', 'add', 'Old', '--roles', 'engineer')).rejects.toThrow(/author .* operator/);
    await expect(say('keys', 'disable', 'none')).rejects.toThrow(/no API key none/);
  });

  test('a group is made, joined, left and removed', async () => {
    expect((await say('groups', 'add', 'Night shift', '--roles', 'operator')).code).toBe(0);
    writeFileSync(file, PASSWORD);
    await say('users', 'add', 'ben', '--password-file', file);
    expect((await say('groups', 'join', 'night shift', 'ben')).text).toMatch(/members +ben/);
    expect((await say('groups', 'show', 'Night shift')).text).toMatch(/roles +operator/);
    expect((await say('groups', 'leave', 'Night shift', 'ben')).text).not.toContain('ben');
    expect((await say('groups', 'set', 'Night shift', '--name', 'Day shift')).text).toMatch(
      /name +Day shift/,
    );
    expect((await say('groups', 'list')).text).toContain('Day shift');
    expect((await say('groups', 'remove', 'Day shift')).text).toBe('Removed.');
  }, 60_000);

  test('a grant is given, listed by names and taken', async () => {
    await say('groups', 'add', 'Leads');
    writeFileSync(file, PASSWORD);
    await say('users', 'add', 'carla', '--password-file', file);
    const given = await say('grants', 'give', 'approver', 'quarantine', '--group', 'leads');
    expect(given.text).toMatch(/role +approver\nof +queue quarantine\nheld by +group Leads/);
    await expect(say('grants', 'give', 'owner', 'Leads', '--user', 'carla')).rejects.toThrow(/no member/);
    await say('groups', 'join', 'Leads', 'carla');
    const owner = await say('grants', 'give', 'owner', 'Leads', '--user', 'carla', '--json');
    const { id } = JSON.parse(owner.text) as { id: string };
    expect((await say('grants', 'list')).text).toMatch(/^ROLE/);
    expect((await say('grants', 'list')).text).toMatch(/approver +queue quarantine +group Leads/);
    const carlas = (await say('grants', 'list', '--user', 'carla')).text;
    expect(carlas).toMatch(/owner +group Leads +user carla/);
    expect(carlas).not.toContain('quarantine');
    expect((await say('grants', 'take', id)).text).toBe('Taken.');
    expect((await say('grants', 'list')).text).not.toContain('owner');
    await expect(say('grants', 'take', id)).rejects.toThrow(/no grant/);
    await expect(say('grants', 'give', 'approver', 'q')).rejects.toThrow(/--user, --group or --key/);
    await expect(say('grants', 'give', 'admin', 'q', '--user', 'carla')).rejects.toThrow(/approver or owner/);
  }, 60_000);

  test('a key is made, used and disabled', async () => {
    const { text, notes } = await say('keys', 'add', 'scanner', '--roles', 'viewer');
    const key = /key +(\S+)/.exec(text)?.[1] ?? '';
    expect(notes).toContain('not shown again');
    const ask = () =>
      it
        .call('GET', '/api/v1/session', `Basic ${Buffer.from(key).toString('base64')}`)
        .then(({ status }) => status);
    expect(await ask()).toBe(200);
    const [id = '', secret = ''] = key.split(':');
    expect((await say('keys', 'list')).text).toContain(id);
    expect((await say('keys', 'list')).text).not.toContain(secret);
    expect((await say('keys', 'disable', id)).text).toBe('Disabled.');
    it.clock.advance(250);
    expect(await ask()).toBe(401);
  });
});
