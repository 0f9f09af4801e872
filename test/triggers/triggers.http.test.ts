import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { StorageError } from '../../src/s3/storage-error.js';
import { RulesFile } from '../../src/triggers/rules-file.js';
import { TriggerRules } from '../../src/triggers/trigger-rules.js';
import { headOf } from '../intake/http-app.js';
import { TESTER } from '../support/engine.js';
import { triggersApp } from './triggers-app.js';

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
let exists: boolean;
const app = await triggersApp({
  head: () =>
    exists
      ? Promise.resolve(headOf({ sizeBytes: 77 }))
      : Promise.reject(new StorageError('gone', 'NoSuchKey', 'there is none')),
  peek: () => Promise.resolve(png),
  readTags: () => Promise.resolve({ team: 'red' }),
});
const { call, audited, test, database, definitions } = app;
const TRIGGERS = '/api/v1/triggers';
const zip = { name: 'zip', contentTypes: ['application/zip'], workflow: 'scan_zip', version: 1 };
const events = async () => (await audited()).filter(({ action }) => action.startsWith('trigger.'));
const names = async () =>
  ((await call('GET', TRIGGERS)).body['items'] as { name: string }[]).map(({ name }) => name);

beforeEach(async () => {
  exists = true;
  await app.reset('scan_zip');
});

describe('a rule', () => {
  it('is made, read, changed and removed, with an audit event for each', async () => {
    const made = await call('POST', TRIGGERS, { ...zip, input: { type: '${event.contentType}' } });
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...zip,
        effect: 'allow',
        position: 50,
        origin: 'api',
        ruleVersion: 1,
        updatedBy: 'user:alice',
        problems: [],
      },
    });
    expect(await names()).toEqual(['zip', 'every_upload']);
    const changed = await call('PUT', `${TRIGGERS}/zip`, {
      workflow: 'scan_zip',
      prefix: 'in/',
      ruleVersion: 1,
    });
    expect(changed).toMatchObject({ status: 200, body: { prefix: 'in/', ruleVersion: 2 } });
    expect(changed.body).not.toHaveProperty('contentTypes');
    expect((await call('POST', `${TRIGGERS}/zip/disable`)).body).toMatchObject({ enabled: false });
    expect((await call('POST', `${TRIGGERS}/zip/enable`)).body).toMatchObject({ enabled: true });
    expect((await call('DELETE', `${TRIGGERS}/zip`)).status).toBe(204);
    expect((await call('GET', `${TRIGGERS}/zip`)).status).toBe(404);
    expect((await events()).map(({ actor, action, subject }) => [actor, action, subject])).toEqual(
      ['created', 'changed', 'disabled', 'enabled', 'deleted'].map((verb) => [
        'user:alice',
        `trigger.${verb}`,
        'trigger:zip',
      ]),
    );
    expect((await events())[1]?.data).toMatchObject({ prefix: { from: null, to: 'in/' } });
  });

  it('that was changed meanwhile is not overwritten', async () => {
    await call('POST', TRIGGERS, zip);
    const first = { workflow: 'scan_zip', ruleVersion: 1 };
    expect((await call('PUT', `${TRIGGERS}/zip`, first)).status).toBe(200);
    const second = await call('PUT', `${TRIGGERS}/zip`, { ...first, priority: 3 });
    expect(second).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect((await call('DELETE', `${TRIGGERS}/zip?version=1`)).status).toBe(409);
    expect((await call('POST', TRIGGERS, zip)).status).toBe(409);
  });

  it.each([
    [{ ...zip, workflow: undefined }, 'workflow: must name'],
    [{ ...zip, workflow: 'nobody', version: undefined }, 'workflow: No such workflow found by name: nobody'],
    [{ ...zip, version: 7 }, 'version: No such workflow found by name: scan_zip version 7'],
    [{ ...zip, shares: [{ workflow: 'scan_zip', version: 9, percent: 5 }] }, 'shares[0].version: No such'],
    [
      {
        ...zip,
        shares: [
          { workflow: 'scan_zip', percent: 60 },
          { workflow: 'scan_upload', percent: 50 },
        ],
      },
      'shares: must be 100',
    ],
    [{ name: 'no', effect: 'deny', tags: { a: 'b' } }, 'trustTags: must be true'],
    [{ name: 'no', effect: 'deny', workflow: 'scan_zip' }, 'workflow: belongs to an allowing rule'],
    [{ ...zip, minSizeBytes: 5, maxSizeBytes: 4 }, 'maxSizeBytes: must not be smaller'],
    [{ ...zip, contentTypes: ['Image/*'] }, 'contentTypes[0]: must be a media type'],
    [{ ...zip, contentTypes: ['*/*'] }, 'contentTypes[0]: must be a media type'],
    [{ ...zip, tags: {} }, 'tags: must be 1 to 10'],
    [{ ...zip, eventKinds: ['deleted'] }, 'eventKinds[0]:'],
    [{ ...zip, input: { a: ['${event.nonsense}'] } }, 'input.a[0]: ${event.nonsense} is not known'],
    [{ ...zip, input: { scanId: 'x' } }, 'input.scanId: is what every scan gets'],
    [{ ...zip, input: { a: 'x'.repeat(20_000) } }, 'input: must be 16 KB'],
    [{ ...zip, name: 'Zip!' }, 'name: must begin'],
    [{ ...zip, priority: 100 }, 'priority:'],
    [{ ...zip, colour: 'red' }, 'colour'],
  ])('%j is refused, naming the field', async (rule, message) => {
    const { status, body } = await call('POST', TRIGGERS, rule);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(message);
    expect(await names()).toEqual(['every_upload']);
  });

  it('whose workflow is registered no more is shown with what is wrong', async () => {
    await call('POST', TRIGGERS, zip);
    await definitions.deleteWorkflow('scan_zip', 1, TESTER);
    const { body } = await call('GET', `${TRIGGERS}/zip`);
    expect(body['problems']).toEqual([expect.stringMatching(/scan_zip version 1/)]);
  });

  it('that denies by content is hidden from a version that would take it for a rule about everything', async () => {
    await call('POST', TRIGGERS, { name: 'no_png', effect: 'deny', contentTypes: ['image/png'] });
    await call('POST', TRIGGERS, { name: 'no_logs', effect: 'deny', prefix: 'logs/' });
    expect(
      await test.query('SELECT name, enabled, active FROM trigger_rule WHERE effect = $1 ORDER BY name', [
        'deny',
      ]),
    ).toEqual([
      { name: 'no_logs', enabled: true, active: true },
      { name: 'no_png', enabled: false, active: true },
    ]);
  });

  it('holds from the next upload on, and is read with one statement', async () => {
    const rules = new TriggerRules();
    const statements: string[] = [];
    const counted = {
      query: <Row>(text: string, values?: readonly unknown[]) => {
        statements.push(text);
        return database.query<Row>(text, values);
      },
    };
    const upload = { bucket: 'uploads', key: 'logs/a', kind: 'created' };
    expect((await rules.match(counted))(upload)).toMatchObject({ rule: 'every_upload' });
    await call('POST', TRIGGERS, { name: 'no_logs', effect: 'deny', prefix: 'logs/' });
    expect((await rules.match(counted))(upload)).toEqual({ kind: 'skip', rule: 'no_logs' });
    await call('POST', `${TRIGGERS}/no_logs/disable`);
    expect((await rules.match(counted))(upload)).toMatchObject({ rule: 'every_upload' });
    expect(statements).toHaveLength(3);
  });
});

describe('a set of rules', () => {
  const set = (...rules: unknown[]) => ({ rules });
  const deny = { name: 'no_logs', effect: 'deny', prefix: 'logs/' };

  it('is applied whole, and once more changes nothing', async () => {
    await call('POST', TRIGGERS, { name: 'old', workflow: 'scan_zip' });
    const first = await call('POST', `${TRIGGERS}/apply`, set(zip, deny));
    expect(first).toMatchObject({
      status: 200,
      body: { created: ['zip', 'no_logs'], changed: [], deleted: [] },
    });
    const before = (await events()).length;
    expect((await call('POST', `${TRIGGERS}/apply`, set(zip, deny))).body).toEqual({
      created: [],
      changed: [],
      deleted: [],
    });
    expect(await events()).toHaveLength(before);
    const pruned = await call('POST', `${TRIGGERS}/apply`, { ...set(zip), prune: true });
    expect(pruned.body).toMatchObject({ deleted: ['no_logs', 'old', 'every_upload'] });
    expect(await names()).toEqual(['zip']);
  });

  it('of which one is wrong changes nothing', async () => {
    const wrong = await call('POST', `${TRIGGERS}/apply`, set(deny, { ...zip, workflow: 'nobody' }));
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.body)).toContain('rules[1].version: No such workflow');
    const twice = await call('POST', `${TRIGGERS}/apply`, set(deny, deny));
    expect(JSON.stringify(twice.body)).toContain('rules[1].name: no_logs is the name of a rule before it');
    expect(await names()).toEqual(['every_upload']);
  });

  it('that is exported and applied is the same', async () => {
    await call('POST', TRIGGERS, {
      ...zip,
      tags: { team: 'red' },
      shares: [{ workflow: 'scan_upload', percent: 5 }],
    });
    const { body } = await call('GET', TRIGGERS);
    const exported = (body['items'] as Record<string, unknown>[]).map(
      ({ origin: _o, ruleVersion: _r, updatedAt: _a, updatedBy: _b, problems: _p, ...spec }) => spec,
    );
    expect((await call('POST', `${TRIGGERS}/apply`, { rules: exported, prune: true })).body).toEqual({
      created: [],
      changed: [],
      deleted: [],
    });
  });
});

describe('a test of the rules', () => {
  beforeEach(async () => {
    await call('POST', TRIGGERS, zip);
    await call('POST', TRIGGERS, {
      name: 'no_images',
      effect: 'deny',
      contentTypes: ['image/*'],
      minSizeBytes: 50,
    });
  });

  it('takes the facts of an object that is there from the object', async () => {
    const { status, body } = await call('POST', `${TRIGGERS}/test`, { bucket: 'uploads', key: 'a.txt' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      upload: { contentType: 'image/png', sizeBytes: 77, tags: { team: 'red' } },
      decision: { kind: 'skip', rule: 'no_images' },
      notes: [],
    });
    expect(
      (body['rules'] as { rule: string; outcome: string }[]).map(({ rule, outcome }) => [rule, outcome]),
    ).toEqual([
      ['no_images', 'wins'],
      ['zip', 'fails'],
      ['every_upload', 'holds'],
    ]);
  });

  it('believes what is said over what the object says', async () => {
    const said = { bucket: 'uploads', key: 'a', contentType: 'application/zip', sizeBytes: 1, tags: {} };
    exists = false;
    const { body } = await call('POST', `${TRIGGERS}/test`, said);
    expect(body).toMatchObject({
      decision: { kind: 'start', rule: 'zip', workflow: 'scan_zip', version: 1, priority: 50 },
      notes: [],
    });
  });

  it('of an object that is not there says what it does not know', async () => {
    exists = false;
    const { body } = await call('POST', `${TRIGGERS}/test`, { bucket: 'uploads', key: 'a' });
    expect(body).toMatchObject({ decision: { kind: 'start', rule: 'zip' } });
    expect(JSON.stringify(body['notes'])).toContain('there is none');
    expect(JSON.stringify(body['rules'])).toContain('is not known: in doubt, it is scanned');
  });

  it('of a bucket that nobody registered is refused', async () => {
    const { status, body } = await call('POST', `${TRIGGERS}/test`, { bucket: 'other', key: 'a' });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('bucket: other is not a registered bucket');
  });
});

describe('a file of rules', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));
  const fileOf = async (content: unknown) => {
    const folder = await mkdtemp(join(tmpdir(), 'rules-'));
    folders.push(folder);
    const path = join(folder, 'rules.json');
    const write = (next: unknown) => writeFile(path, typeof next === 'string' ? next : JSON.stringify(next));
    await write(content);
    const log = pino({ level: 'silent' });
    const file = new RulesFile({ path, triggers: app.triggers, clock: app.clock, log });
    return { file, write };
  };

  it('is applied at the start and when it changes, and its rules are read-only over REST', async () => {
    const { file, write } = await fileOf({ rules: [zip, { name: 'every_upload', workflow: 'scan_zip' }] });
    await file.look();
    expect(await names()).toEqual(['every_upload', 'zip']);
    expect((await call('GET', `${TRIGGERS}/zip`)).body).toMatchObject({
      origin: 'file',
      updatedBy: 'system:triggers-file',
    });
    const count = (await events()).length;
    await file.look();
    expect(await events()).toHaveLength(count);
    for (const refused of [
      await call('PUT', `${TRIGGERS}/zip`, { workflow: 'scan_zip', ruleVersion: 1 }),
      await call('DELETE', `${TRIGGERS}/zip`),
      await call('POST', `${TRIGGERS}/zip/disable`),
    ]) {
      expect(refused).toMatchObject({ status: 409 });
      expect(JSON.stringify(refused.body)).toContain('TRIGGERS_FILE keeps rule zip');
    }
    await call('POST', TRIGGERS, { name: 'mine', workflow: 'scan_zip' });
    await write({ rules: [{ ...zip, priority: 9 }] });
    await file.look();
    expect(await names()).toEqual(['mine', 'zip']);
    expect(file.check()).toMatchObject([{ healthy: true }]);
    expect(file.check()[0]).not.toHaveProperty('degraded');
  });

  it('that cannot be applied changes nothing, says what is wrong, and is tried again', async () => {
    const { file, write } = await fileOf('{"rules": [');
    await file.start();
    await file.stop();
    expect(file.check()).toMatchObject([{ degraded: true }]);
    await write({ rules: [{ name: 'x', workflow: 'later' }] });
    await expect(file.look()).rejects.toThrow('rules[0].workflow: No such workflow found by name: later');
    // The same trouble is not told each time.
    await file.look();
    expect(file.check()[0]?.detail).toContain('later');
    expect(await names()).toEqual(['every_upload']);
    await app.reset('later');
    await file.look();
    expect(await names()).toEqual(['x', 'every_upload']);
  });

  it('takes no rule that somebody made over REST', async () => {
    await call('POST', TRIGGERS, zip);
    const { file } = await fileOf({ rules: [zip] });
    await expect(file.look()).rejects.toThrow('rules[0].name: zip was made over REST');
  });

  it('that is no more leaves its rules to people, when they say so', async () => {
    const { file } = await fileOf({ rules: [zip] });
    await file.look();
    expect((await call('POST', `${TRIGGERS}/release-file`)).status).toBe(200);
    expect((await call('POST', `${TRIGGERS}/zip/disable`)).body).toMatchObject({
      enabled: false,
      origin: 'api',
    });
  });
});
