import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandError } from '../../../src/cli/command-error.js';
import { run } from '../../../src/cli/run.js';
import { testDatabase } from '../../support/database.js';
import { LyingS3, refusal } from '../../support/lying-s3.js';
import { registryNode, type RegistryNode } from './registry-app.js';

// What the configured endpoint asks for when it is called.
process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';

let s3: LyingS3;
let node: RegistryNode;
beforeAll(async () => {
  const db = await testDatabase();
  await db.truncate();
  s3 = await LyingS3.start();
  node = await registryNode(db, { S3_ENDPOINT: s3.url, S3_FORCE_PATH_STYLE: 'true' });
});
afterAll(() => s3.close());

/** The server has these buckets, and refuses to tell of those beginning with `secret`. */
const serverHas = (...names: string[]) =>
  s3.lie(({ method, path }) => {
    const name = path.split('/')[1] ?? '';
    if (name.startsWith('secret')) return refusal(403, 'AccessDenied');
    return method === 'HEAD' && names.includes(name) ? { status: 200 } : refusal(404, 'NoSuchBucket');
  });
const add = async (bucket: string, more: object = {}) => {
  const body = { endpointId: 's3', bucket, ...more };
  return node.call('POST', '/api/v1/buckets', body);
};

it('a bucket that is there is registered without a word', async () => {
  serverHas('drop', 'held');
  const made = await add('drop', { actionMode: 'quarantine', quarantineBucket: 'held' });
  expect(made.status).toBe(201);
  expect(made.body).not.toHaveProperty('warnings');
});

it('a bucket that does not exist is registered with a warning, and so is a quarantine that does not', async () => {
  serverHas('present');
  const typo = await add('presnet');
  expect(typo.status).toBe(201);
  expect(typo.body['warnings']).toEqual([expect.stringMatching(/no bucket presnet on s3 yet.*create it/)]);
  const made = await add('present', { actionMode: 'quarantine', quarantineBucket: 'hold' });
  expect(made.body['warnings']).toEqual([expect.stringMatching(/no bucket hold on s3 yet/)]);
  // The registry itself keeps no warnings: the doctor looks anew.
  expect((await node.call('GET', '/api/v1/buckets/s3/presnet')).body).not.toHaveProperty('warnings');
});

it('a change of the quarantine is looked at, another change is not', async () => {
  serverHas('change', 'held');
  await add('change');
  const place = '/api/v1/buckets/s3/change';
  const moved = await node.call('PATCH', place, { version: 1, quarantineBucket: 'nowhere' });
  expect(moved).toMatchObject({ status: 200, body: { warnings: [expect.stringContaining('nowhere')] } });
  serverHas();
  const raised = await node.call('PATCH', place, { version: 2, priority: 9 });
  expect(raised.body).not.toHaveProperty('warnings');
  expect(s3.seen).toEqual([]);
});

it('a bucket that may not be looked at says what S3 said', async () => {
  serverHas();
  const { status, body } = await add('secret-drop');
  expect(status).toBe(201);
  expect(body['warnings']).toEqual([expect.stringMatching(/cannot be looked at \(.*s3:ListBucket/)]);
});

it('the command line prints the warning', async () => {
  serverHas();
  const url = await node.server.listen({ host: '127.0.0.1', port: 0 });
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const output = { out: say, note: say, style: { colour: false } };
  const code = await run(
    ['bucket', 'add', 'typed-wrong', '--endpoint', 's3'],
    { SALLYPORT_URL: url, SALLYPORT_API_KEY: 'cli:secret' },
    output,
  ).catch((error: unknown) => (error instanceof CommandError ? error.message : error));
  expect(code).toBe(0);
  expect(lines.join('\n')).toMatch(/Warning: There is no bucket typed-wrong on s3 yet/);
});
