import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { run } from '../../src/cli/run.js';
import { registryNode, type RegistryNode } from '../s3/registry/registry-app.js';
import { testDatabase } from '../support/database.js';

describe('buckets and endpoints on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport cli-'));
  let node: RegistryNode;
  let url: string;
  beforeAll(async () => {
    const db = await testDatabase();
    await db.truncate();
    node = await registryNode(db, { S3_BUCKETS: 'inbox', S3_ALLOW_PRIVATE_ENDPOINTS: 'true' });
    url = await node.server.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

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
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test('an endpoint with keys from a file, and a bucket on it, are registered and listed', async () => {
    const keys = file('keys', 'AKIDEXAMPLE:a-secret-of-the-file\n');
    const added = await type('endpoint', 'add', 'minio', '--url', 'http://127.0.0.1:9000', '--keys', keys);
    expect(added.code).toBe(0);
    expect(added.said).not.toContain('a-secret');
    const words = file('words', 'one\ntwo\n');
    const options = '--endpoint minio --action-mode observe --required secrets --max-running 3'.split(' ');
    const bucket = await type('bucket', 'add', 's3://drop', ...options, '--archive-passwords', words);
    expect(bucket).toMatchObject({ code: 0 });
    expect(bucket.said).toMatch(/archive passwords +2/);
    const list = await type('bucket', 'list');
    expect(list.said).toMatch(/drop +minio +observe +secrets/);
    expect(list.said).toMatch(/inbox +s3 +tag +secrets,malware .*enabled/);
    expect((await type('endpoint', 'list')).said).toMatch(/minio +http:\/\/127.0.0.1:9000 .*keys …MPLE/);
  });

  test('a bucket is changed and unset by its name alone while there is one', async () => {
    expect((await type('bucket', 'set', 'inbox', '--priority', '9', '--reviewers', 'security')).code).toBe(0);
    expect(node.registry.byName('inbox')).toMatchObject({ priority: 9, reviewers: 'security' });
    await type('bucket', 'set', 'inbox', '--clear', 'priority,reviewers', '--enabled', 'off');
    expect(node.registry.find('s3', 'inbox')).toMatchObject({ priority: undefined, enabled: false });
    const shown = JSON.parse((await type('bucket', 'show', 'inbox', '--json')).said) as object;
    expect(shown).toMatchObject({ bucket: 'inbox', version: 3, enabled: false });
  });

  test('and by its endpoint where several have one', async () => {
    await type(
      'endpoint',
      'add',
      'far',
      '--region',
      'eu-west-1',
      '--url',
      'http://127.0.0.1:9001',
      '--keys',
      file('k', 'A:B'),
    );
    await type('bucket', 'add', 'twice', '--endpoint', 's3');
    await type('bucket', 'add', 'twice', '--endpoint', 'far');
    const unclear = await type('bucket', 'remove', 'twice');
    expect(unclear.code).toBe(2);
    expect(unclear.said).toMatch(/--endpoint: far, s3/);
    expect((await type('bucket', 'remove', 'twice', '--endpoint', 'far')).code).toBe(0);
    expect(node.registry.named('twice').map(({ endpointId }) => endpointId)).toEqual(['s3']);
    expect((await type('endpoint', 'remove', 'far')).code).toBe(0);
  });

  test.each([
    [['bucket', 'add', 'mine'], /--endpoint/],
    [['bucket', 'set', 'inbox'], /nothing to change/],
    [['bucket', 'set', 'inbox', '--clear', 'bucket'], /cannot be unset/],
    [['bucket', 'set', 'inbox', '--enabled', 'maybe'], /on or off/],
    [['bucket', 'show', 'nowhere'], /bucket list/],
    [['endpoint', 'add', 'x', '--external-id', 'e'], /--role-arn/],
    [['endpoint', 'add', 'x', '--keys', '/nonexistent'], /cannot be read/],
    [['endpoint', 'add', 'x', '--url', 'http://169.254.169.254'], /metadata/],
    [['endpoint', 'set', 's3', '--region', 'eu-west-1'], /configuration/],
  ])('%j is refused with the remedy', async (args, message) => {
    const { code, said } = await type(...args);
    expect(code).toBe(2);
    expect(said).toMatch(message);
  });
});
