import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { run } from '../../src/cli/run.js';
import { headOf } from '../intake/http-app.js';
import { triggersApp } from '../triggers/triggers-app.js';

const app = await triggersApp({
  head: () => Promise.resolve(headOf({ sizeBytes: 77 })),
  peek: () => Promise.resolve(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
  readTags: () => Promise.resolve({ team: 'red' }),
});
const folder = mkdtempSync(join(tmpdir(), 'sallyport cli-'));
let url: string;
beforeAll(async () => (url = await app.listen()));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => app.reset('scan_zip', 'clean_up'));

const type = async (...args: string[]) => {
  const lines: string[] = [];
  const output = {
    out: (line: string) => void lines.push(line),
    note: (line: string) => void lines.push(line),
    style: { colour: false },
  };
  try {
    const code = await run(args, { SALLYPORT_URL: url, SALLYPORT_API_KEY: 'cli:secret' }, output);
    return { code, said: lines.join('\n') };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { code: 2, said: error.message };
  }
};
const words = (line: string): string[] => line.split(' ');

describe('trigger rules on the command line', () => {
  test('a rule is made, changed in parts, unset, shown, listed and removed', async () => {
    const made = await type(
      ...words(
        'trigger set zip --type application/zip,image/* --tag team=red --workflow scan_zip --version 1',
      ),
      ...words('--share scan_upload:1=10 --position 5 --priority 60 --input'),
      '{"type": "${event.contentType}"}',
    );
    expect(made).toMatchObject({ code: 0 });
    expect((await type(...words('trigger set zip --prefix in/ --clear tag,shares'))).code).toBe(0);
    const { body } = await app.call('GET', '/api/v1/triggers/zip');
    expect(body).toMatchObject({
      prefix: 'in/',
      contentTypes: ['application/zip', 'image/*'],
      priority: 60,
      position: 5,
      input: { type: '${event.contentType}' },
    });
    expect(body).not.toHaveProperty('tags');
    expect(body).not.toHaveProperty('shares');
    expect((await type('trigger', 'list')).said).toMatch(
      /5 +zip +allow +prefix="in\/".* scan_zip v1 +api +enabled/,
    );
    expect((await type('trigger', 'show', 'zip')).said).toMatch(/workflow +scan_zip/);
    expect((await type('trigger', 'disable', 'zip')).said).toMatch(/state +disabled/);
    expect((await type('trigger', 'remove', 'zip')).code).toBe(0);
    expect((await type('trigger', 'show', 'zip')).code).toBe(2);
  });

  test('a rule that denies stands first, in the list and by itself, as the page says it', async () => {
    await type(...words('trigger set no_images --effect deny --type image/* --position 7'));
    expect((await type('trigger', 'list')).said).toMatch(/first \(7\) +no_images +deny .* enabled/);
    expect((await type('trigger', 'show', 'no_images')).said).toMatch(/position +first \(7\)/);
    const exported = JSON.parse((await type('trigger', 'export')).said) as { rules: object[] };
    expect(exported.rules).toContainEqual(expect.objectContaining({ name: 'no_images', position: 7 }));
  });

  test('a test says what would become of an object, and of every rule why', async () => {
    await type(...words('trigger set no_images --effect deny --type image/*'));
    const denied = await type('trigger', 'test', 's3://uploads/a b?.txt');
    expect(denied.code).toBe(1);
    expect(denied.said).toContain('It is not scanned: no_images.');
    expect(denied.said).toContain('a b?.txt');
    expect(denied.said).toMatch(/holds +every_upload: Its conditions hold, but no_images goes before it/);
    const other = await type(
      ...words('trigger test s3://uploads/a --size 5 --type application/zip --tag team=blue --kind restored'),
    );
    expect(other.code).toBe(0);
    expect(other.said).toContain(
      'It starts scan_upload, the newest version, with priority 50, by the rule every_upload.',
    );
    const json = await type('trigger', 'test', 's3://uploads/a', '--json');
    expect(JSON.parse(json.said)).toMatchObject({ decision: { kind: 'skip', rule: 'no_images' } });
  });

  test('what is exported can be applied, and a wrong file changes nothing', async () => {
    await type(...words('trigger set zip --type application/zip --workflow scan_zip'));
    const path = join(folder, 'rules.json');
    writeFileSync(path, (await type('trigger', 'export')).said);
    expect((await type('trigger', 'apply', path, '--prune')).said).toBe('Nothing had to be changed.');
    writeFileSync(path, JSON.stringify({ rules: [{ name: 'x', workflow: 'nobody' }] }));
    const wrong = await type('trigger', 'apply', path);
    expect(wrong.code).toBe(2);
    expect(wrong.said).toContain('rules[0].workflow');
    writeFileSync(path, JSON.stringify({ rules: [{ name: 'only', workflow: 'scan_zip' }] }));
    expect((await type('trigger', 'apply', path, '--prune')).said.split('\n').sort()).toEqual([
      'created  only',
      'removed  every_upload',
      'removed  zip',
    ]);
  });

  test.each([
    ['trigger set zip', 'nothing to change is named'],
    ['trigger set zip --tag red', '--tag: "red" cannot be used'],
    ['trigger set zip --share half', '--share: "half" cannot be used'],
    ['trigger set zip --trust-tags yes', '--trust-tags: "yes" cannot be used'],
    [
      'trigger set zip --clear effect',
      '--clear: "effect" cannot be unset. It can be: description, bucket, prefix, suffix, min-size',
    ],
    ['trigger set zip --effect deny --tag a=b', '--trust-tags: must be true'],
    ['trigger test uploads/a', 'names no object'],
    ['trigger apply /nonexistent', 'cannot be read'],
  ])('%s is refused in one sentence', async (line, sentence) => {
    const { code, said } = await type(...words(line));
    expect(code).toBe(2);
    expect(said).toContain(sentence);
  });
});

describe('schedules on the command line', () => {
  const add = () =>
    type(
      ...words('schedule add nightly --kind workflow --time-zone Europe/Berlin --cron'),
      '30 2 * * *',
      '--payload',
      '{"name": "clean_up"}',
    );

  test('one is made, changed, paused, resumed, run, listed and removed', async () => {
    expect((await add()).said).toMatch(/next +2026-11-24T01:30/);
    const changed = await type(...words('schedule set nightly --catch-up all --cron'), '0 3 * * *');
    expect(changed.said).toMatch(/catch-up +all, within 86400 s/);
    expect(changed.said).toMatch(/next +2026-11-24T02:00/);
    expect((await type('schedule', 'pause', 'nightly')).said).toMatch(/state +paused/);
    expect((await type('schedule', 'list')).said).toMatch(
      /nightly +workflow +0 3 \* \* \* +Europe\/Berlin +paused/,
    );
    expect((await type('schedule', 'resume', 'nightly')).said).toMatch(/state +enabled/);
    expect((await type('schedule', 'run', 'nightly')).code).toBe(0);
    expect((await type('schedule', 'firings', 'nightly')).said).toMatch(/waiting +0 .*user:alice/);
    expect((await type('schedule', 'remove', 'nightly')).code).toBe(0);
  });

  test('it is shown when a cron would be due', async () => {
    const { said } = await type('schedule', 'times', '0 12 1 * *', '--count', '2');
    expect(said).toBe('2026-12-01T12:00:00.000Z\n2027-01-01T12:00:00.000Z');
  });

  test.each([
    ['schedule add x --kind workflow', 'schedule add: --cron is missing'],
    ['schedule set x', 'nothing to change is named'],
    ['schedule show x', 'There is no schedule x'],
  ])('%s is refused in one sentence', async (line, sentence) => {
    const { code, said } = await type(...words(line));
    expect(code).toBe(2);
    expect(said).toContain(sentence);
  });
});
