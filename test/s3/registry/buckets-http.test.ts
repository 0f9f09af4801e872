import { beforeEach, describe, expect, test } from 'vitest';
import { openText } from '../../../src/access/sealing.js';
import { passwordsOf } from '../../../src/s3/registry/registered.js';
import { testDatabase } from '../../support/database.js';
import { registryNode, type RegistryNode } from './registry-app.js';

const db = await testDatabase();
let node: RegistryNode;

beforeEach(async () => {
  await node?.close();
  await db.truncate();
  node = await registryNode(db, { S3_ENDPOINT: 'http://127.0.0.1:9000', S3_BUCKETS: 'inbox' });
});

const inbox = '/api/v1/buckets/s3/inbox';
const audit = () =>
  db.query<{ actor: string; action: string; subject: string; data: Record<string, unknown> }>(
    'SELECT actor, action, subject, data FROM audit_event ORDER BY id',
  );

describe('a bucket', () => {
  test('says whom its quarantine must belong to, which holds for every call there, also after it was removed', async () => {
    const drop = { endpointId: 's3', bucket: 'drop', actionMode: 'quarantine', quarantineBucket: 'held' };
    const made = await node.call('POST', '/api/v1/buckets', { ...drop, quarantineOwner: '210987654321' });
    expect(made).toMatchObject({
      status: 201,
      body: { quarantineOwner: '210987654321', expectedOwner: null },
    });
    expect(node.registry.termsOf('s3', 'held')).toEqual({ expectedOwner: '210987654321' });
    expect(node.registry.termsOf('s3', 'drop')?.expectedOwner).toBeUndefined();
    expect(node.registry.termsOf('s3', 'elsewhere')).toBeUndefined();
    expect((await node.call('DELETE', '/api/v1/buckets/s3/drop?version=1')).status).toBe(204);
    expect(node.registry.termsOf('s3', 'held')).toEqual({ expectedOwner: '210987654321' });
    const cleared = await node.call('POST', '/api/v1/buckets', drop);
    expect(cleared).toMatchObject({ status: 201, body: { quarantineOwner: null } });
    expect(node.registry.termsOf('s3', 'held')).toBeUndefined();
  });

  test('is registered, shown, changed and removed without a restart, each time at once', async () => {
    const made = await node.call('POST', '/api/v1/buckets', {
      endpointId: 's3',
      bucket: 'partner-drop',
      actionMode: 'quarantine',
      quarantineBucket: 'held',
      required: ['malware'],
      ownerGroup: 'platform',
      reviewers: 'security',
      priority: 70,
      quotas: { maxRunning: 10, maxRunningBytes: 1_000_000_000 },
      expectedOwner: '123456789012',
      requesterPays: true,
    });
    expect(made).toMatchObject({ status: 201, headers: { etag: '"1"' } });
    expect(node.registry.byName('partner-drop')).toMatchObject({
      endpointId: 's3',
      actionMode: 'quarantine',
      quarantineBucket: 'held',
      required: ['malware'],
      ownerGroup: 'platform',
      reviewers: 'security',
      priority: 70,
      quotas: { maxRunning: 10, maxRunningBytes: 1_000_000_000 },
      expectedOwner: '123456789012',
      requesterPays: true,
      enabled: true,
    });

    const place = '/api/v1/buckets/s3/partner-drop';
    const changed = await node.call(
      'PATCH',
      place,
      { priority: null, quotas: { maxRunning: 5 }, enabled: false },
      { 'if-match': '"1"' },
    );
    expect(changed).toMatchObject({
      status: 200,
      body: { priority: null, quotas: { maxRunning: 5, maxRunningBytes: null }, enabled: false, version: 2 },
    });
    expect(node.registry.byName('partner-drop')).toBeUndefined();
    expect((await node.call('GET', place)).body).toEqual(changed.body);

    expect((await node.call('DELETE', `${place}?version=2`)).status).toBe(204);
    expect((await node.call('GET', place)).status).toBe(404);
    expect((await node.call('GET', '/api/v1/buckets')).body).toMatchObject({ items: [{ bucket: 'inbox' }] });
  });

  test('that was removed still says how its scans end, and takes nothing new', async () => {
    await node.call('DELETE', `${inbox}?version=1`);
    expect(node.registry.find('s3', 'inbox')).toMatchObject({ actionMode: 'tag', enabled: false });
    expect(node.registry.list()).toEqual([]);
    const again = await node.call('POST', '/api/v1/buckets', { endpointId: 's3', bucket: 'inbox' });
    expect(again).toMatchObject({ status: 201, body: { version: 3, managedBy: 'people' } });
  });

  test('is told in the audit with what changed, by whom, in the same commit', async () => {
    await node.call('PATCH', inbox, { version: 1, actionMode: 'observe' });
    await node.call('DELETE', `${inbox}?version=2`);
    expect(await audit()).toMatchObject([
      { actor: 'system:configuration', action: 'endpoint.seeded', subject: 'endpoint:s3' },
      { actor: 'system:configuration', action: 'bucket.seeded', subject: 'bucket:s3/inbox' },
      {
        actor: 'user:erin',
        action: 'bucket.changed',
        subject: 'bucket:s3/inbox',
        data: { changed: { actionMode: { from: 'tag', to: 'observe' } } },
      },
      { actor: 'user:erin', action: 'bucket.removed', data: { actionMode: 'observe' } },
    ]);
  });

  test('keeps its archive passwords sealed: in no answer, no log, no audit and no row', async () => {
    const passwords = ['infected-2026', 'correct horse'];
    await node.call('POST', '/api/v1/buckets', {
      endpointId: 's3',
      bucket: 'zips',
      archivePasswords: passwords,
    });
    const answer = await node.call('PATCH', '/api/v1/buckets/s3/zips', { version: 1, priority: 3 });
    expect(answer.body).toMatchObject({ archivePasswordCount: 2 });
    expect(node.buckets.archivePasswords('s3', 'zips')).toEqual(passwords);
    const [row] = await db.query<{ sealed_archive_passwords: string }>(
      `SELECT * FROM bucket WHERE name = 'zips'`,
    );
    for (const told of [answer.body, row, await audit(), node.lines]) {
      expect(JSON.stringify(told)).not.toMatch(/infected-2026|correct horse/);
    }
    // What is sealed for one bucket opens for no other.
    expect(() =>
      openText(node.keyring, row?.sealed_archive_passwords ?? '', passwordsOf('s3', 'other')),
    ).toThrow(/decrypt/);
    await node.call('PATCH', '/api/v1/buckets/s3/zips', { version: 2, archivePasswords: [] });
    expect(node.buckets.archivePasswords('s3', 'zips')).toEqual([]);
  });

  test.each([
    [{ endpointId: 's3', bucket: 'ab' }, 'bucket', /3 to 255/],
    [{ endpointId: 's3', bucket: 'arn:aws:s3:::inbox' }, 'bucket', /ARN/],
    [{ endpointId: 's3', bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/in' }, 'bucket', /ARN/],
    [{ endpointId: 's3', bucket: 'in-m8n2x0qexample-s3alias' }, 'bucket', /access point/],
    [{ endpointId: 's3', bucket: 'fast--euc1-az1--x-s3' }, 'bucket', /directory bucket/],
    [{ endpointId: 's3', bucket: 'a/b' }, 'bucket', /3 to 255/],
    [{ endpointId: 'nowhere', bucket: 'mine' }, 'endpointId', /one of: s3/],
    [{ endpointId: 's3', bucket: 'mine', actionMode: 'quarantine' }, 'quarantineBucket', /needed/],
    [{ endpointId: 's3', bucket: 'mine', required: [] }, 'required', /at least one/],
    [{ endpointId: 's3', bucket: 'mine', expectedOwner: '12' }, 'expectedOwner', /12 digits/],
    [{ endpointId: 's3', bucket: 'mine', quarantineOwner: 'me' }, 'quarantineOwner', /12 digits/],
    [{ endpointId: 's3', bucket: 'mine', priority: 100 }, 'priority', /99/],
    [{ endpointId: 's3', bucket: 'mine', quotas: { maxRunning: 0 } }, 'quotas.maxRunning', /1/],
    [{ endpointId: 's3', bucket: 'mine', ownerGroup: 'a\u0000b' }, 'ownerGroup', /NUL/],
    [{ endpointId: 's3', bucket: 'mine', url: 'http://x' }, 'body', /url/],
  ])('is refused as %j, with the field and the remedy', async (body, path, message) => {
    const answer = await node.call('POST', '/api/v1/buckets', body);
    expect(answer.status).toBe(400);
    const problems = JSON.stringify(answer.body);
    expect(problems).toContain(path);
    expect(problems).toMatch(message);
    expect(node.registry.list()).toHaveLength(1);
  });

  test('that two people change at the same time takes one change; the other hears who was faster', async () => {
    const answers = await Promise.all([
      node.call('PATCH', inbox, { version: 1, priority: 1 }),
      node.call('PATCH', inbox, { version: 1, priority: 2 }),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const won = answers.find(({ status }) => status === 200);
    const lost = answers.find(({ status }) => status === 409);
    expect(JSON.stringify(lost?.body)).toMatch(/user:erin.*version 2/);
    expect((await node.call('GET', inbox)).body).toMatchObject({
      priority: won?.body['priority'],
      version: 2,
    });
    expect((await audit()).filter(({ action }) => action === 'bucket.changed')).toHaveLength(1);
  });

  test('that two people register at the same time is registered once', async () => {
    const body = { endpointId: 's3', bucket: 'new-one' };
    const answers = await Promise.all([1, 2, 3].map(() => node.call('POST', '/api/v1/buckets', body)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
  });

  test('is not changed without saying which version is meant', async () => {
    expect(await node.call('PATCH', inbox, { priority: 1 })).toMatchObject({ status: 400 });
    expect(await node.call('DELETE', inbox)).toMatchObject({ status: 400 });
    expect(await node.call('PATCH', inbox, { version: 1 }, { 'if-match': '"2"' })).toMatchObject({
      status: 400,
    });
  });

  test('is found in pages, in one order', async () => {
    for (const bucket of ['zeta', 'alpha', 'mid-one'])
      await node.call('POST', '/api/v1/buckets', { endpointId: 's3', bucket });
    const names: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await node.call(
        'GET',
        `/api/v1/buckets?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      );
      names.push(...(page.body['items'] as { bucket: string }[]).map(({ bucket }) => bucket));
      cursor = page.body['nextCursor'] as string | undefined;
    } while (cursor !== undefined);
    expect(names).toEqual(['alpha', 'inbox', 'mid-one', 'zeta']);
  });
});
