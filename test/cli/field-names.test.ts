import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';

/** What the commands look up before they ask for anything. */
const LOOKED_UP = ['/api/v1/buckets/e/b', '/api/v1/endpoints/e', '/api/v1/triggers'];

describe('a field that the service refuses', () => {
  let refused: { path: string; message: string }[] = [];
  let env: Record<string, string>;
  const server = createServer((request, response) => {
    const isLookup = request.method === 'GET' && LOOKED_UP.includes(request.url ?? '');
    const detail = refused.map(({ path, message }) => `${path}: ${message}`).join('; ');
    const [status, body] = isLookup
      ? [200, { endpointId: 'e', bucket: 'b', items: [], version: 1 }]
      : [400, { detail, code: 'INVALID_INPUT', errors: refused }];
    response
      .writeHead(status, { 'content-type': 'application/json', 'sallyport-api': 'v1' })
      .end(JSON.stringify(body));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    env = { SALLYPORT_URL: `http://127.0.0.1:${port}`, SALLYPORT_API_KEY: 'a:b' };
  });
  afterAll(() => server.close());

  const said = async (line: string): Promise<string> => {
    const lines: string[] = [];
    const output = {
      out: (text: string) => void lines.push(text),
      note: () => undefined,
      style: { colour: false },
    };
    const failed: unknown = await run(line.split(' '), env, output).catch((error: unknown) => error);
    return failed instanceof Error ? failed.message : lines.join('\n');
  };

  test.each([
    ['bucket-policy b --endpoint e', 'scanners', '--scanner'],
    ['bucket-policy b --endpoint e', 'breakGlass', '--break-glass'],
    ['connect b --endpoint e', 'kmsKeyArns[1]', '--kms-key'],
    ['connect b --endpoint e --terraform', 'account', '--account'],
    ['bucket add b --endpoint e', 'endpointId', '--endpoint'],
    ['bucket add b --endpoint e', 'bucket', '<BUCKET>'],
    ['bucket set b --endpoint e --priority 1', 'quotas.maxRunningBytes', '--max-running-bytes'],
    ['bucket set b --endpoint e --required x', 'required[0]', '--required'],
    ['endpoint add e', 'credentials', '--default-credentials'],
    ['endpoint add e', 'credentials.roleArn', '--role-arn'],
    ['endpoint add e', 'credentials.accessKeyId', '--keys'],
    ['endpoint add e', 'id', '<ID>'],
    ['trigger set r --effect deny', 'minSizeBytes', '--min-size'],
    ['trigger set r --effect deny', 'shares[0].workflow', '--share (workflow)'],
    ['trigger set r --effect deny', 'bucket', '--bucket'],
    ['trigger test s3://b/k', 'contentType', '--type'],
    ['trigger test s3://b/k', 'key', '<S3-URL>'],
    ['schedule add s --kind k --cron c', 'payload.name', '--payload (name)'],
    ['schedule add s --kind k --cron c', 'catchUpWithinSeconds', '--catch-up-within'],
    ['backfill s3://b', 'uploadedAfter', '--since'],
    ['backfill s3://b', 'prefix', '<S3_URL>'],
    ['rescan', 'verdicts[0]', '--verdicts'],
    ['queue redrive --all', 'newWorkflowName', '--new-workflow'],
    ['queue requeue x', 'scanId', '<SCAN>'],
    ['objects list', 'to', '--to'],
    ['report create', 'from', '--from'],
    ['scan s3://b/k', 'versionId', '--version-id'],
    ['doctor', 'waitSeconds', '--wait'],
    ['workflow start w', 'name', '<NAME>'],
    ['status', 'anything', 'anything'],
  ])('of "%s" is told by what was written: %s by %s', async (line, path, option) => {
    refused = [{ path, message: 'must be another' }];
    expect(await said(line)).toContain(`${option}: must be another`);
  });

  test('is told by its option also where the message of another speaks of it', async () => {
    refused = [{ path: 'uploadedBefore', message: 'must be later than uploadedAfter' }];
    expect(await said('backfill s3://b')).toBe('--until: must be later than --since');
    refused = [{ path: 'from', message: 'is needed when `to` is given' }];
    expect(await said('report create')).toBe('--from: is needed when --to is given');
  });

  test('and all of them are, when there are several', async () => {
    refused = [
      { path: 'minSizeBytes', message: 'must be $& more' },
      { path: 'unheardOf', message: 'is nothing' },
      { path: 'tags', message: 'must be fewer' },
    ];
    expect(await said('trigger set r --effect deny')).toBe(
      '--min-size: must be $& more; unheardOf: is nothing; --tag: must be fewer',
    );
  });
});
