import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { available, pythonSdk, shellWith } from './toolchain.js';

/*
 * The two example scanners of the documentation, as they stand there, asked by the definition that stands beside them.
 */

const EXAMPLES = fileURLToPath(new URL('../../docs/examples/scanner/', import.meta.url));
const SIGNATURE = 'a text that this test calls malware';
const WORKFLOW = 'scan_upload_with_outside';

interface Shown {
  readonly id: string;
  readonly verdict: string;
  readonly reason: string;
  readonly findings: readonly { readonly ruleId: string; readonly source: string }[];
  readonly verdicts: readonly { readonly notCovered: readonly { readonly detail?: string }[] }[];
}

let folder: string;
let service: ServiceProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-outside-'));
  chmodSync(folder, 0o711);
  service = await ServiceProcess.on(join(folder, 'home'));
  await service.start();
  const { version } = await service.api<{ version: number }>('/api/v1/buckets/embedded/uploads');
  const body = { version, required: ['secrets'] };
  await service.api('/api/v1/buckets/embedded/uploads', { method: 'PATCH', body });
  const definition = JSON.parse(readFileSync(join(EXAMPLES, `${WORKFLOW}.json`), 'utf8')) as Definition;
  await service.api('/api/metadata/workflow', { method: 'PUT', body: [definition, impatient(definition)] });
  for (const [prefix, workflow] of [
    ['outside/', WORKFLOW],
    ['impatient/', `${WORKFLOW}_soon`],
  ])
    await service.api('/api/v1/triggers', {
      method: 'POST',
      body: { name: prefix?.slice(0, -1), prefix, workflow },
    });
}, 90_000);
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

interface Definition {
  readonly name: string;
}

/** The same, with a scanner that has three seconds. */
const impatient = (definition: Definition): Definition =>
  JSON.parse(
    JSON.stringify({ ...definition, name: `${WORKFLOW}_soon` })
      .replaceAll('"scan_outside"', '"scan_outside_soon"')
      .replace('"pollTimeoutSeconds":600', '"pollTimeoutSeconds":3')
      .replace('"retryCount":1', '"retryCount":0'),
  ) as Definition;

async function verdictOn(key: string, body: string): Promise<Shown> {
  const s3 = service.s3();
  await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
  s3.destroy();
  const find = async () => {
    const { items } = await service.api<{ items: Shown[] }>(
      `/api/v1/objects?bucket=uploads&key=${encodeURIComponent(key)}`,
    );
    const [object] = items;
    return object === undefined || object.verdict === 'pending' ? undefined : object;
  };
  let found: Shown | undefined;
  await eventually(async () => (found = await find()) !== undefined, {
    timeoutMs: 40_000,
    what: `a verdict on ${key}`,
  });
  return service.api<Shown>(`/api/v1/objects/${found?.id ?? ''}`);
}

function startScanner(command: string, args: readonly string[], cwd: string): ChildProcess {
  const { keyId, keySecret } = service.credentials.apiKey;
  const child = spawn(command, args, {
    cwd,
    // A group of its own, so that what it starts ends with it.
    detached: true,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      SIGNATURE,
      SALLYPORT_URL: service.url,
      SALLYPORT_API_KEY: `${keyId}:${keySecret}`,
      CONDUCTOR_SERVER_URL: `${service.url}/api`,
      CONDUCTOR_AUTH_KEY: keyId,
      CONDUCTOR_AUTH_SECRET: keySecret,
    },
  });
  return child;
}

function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function judges(name: string): Promise<void> {
  const ruleId = `${name === 'shell' ? 'Shell' : 'Python'}.Signature`;
  const bad = await verdictOn(`outside/${name}-bad.txt`, `${'x'.repeat(70_000)}${SIGNATURE} and more`);
  expect(bad).toMatchObject({ verdict: 'infected', findings: [{ ruleId, source: 'outside' }] });
  expect(await verdictOn(`outside/${name}-good.txt`, 'nothing to see')).toMatchObject({
    verdict: 'clean (secrets)',
    findings: [],
  });
  expect(await verdictOn(`outside/${name}-empty.txt`, '')).toMatchObject({ verdict: 'clean (secrets)' });
}

describe('a scanner outside', () => {
  test('of twenty lines of shell decides on what is uploaded', async (context) => {
    const shell = await available(context, 'curl and jq', () => shellWith('curl', 'jq', 'sha256sum'));
    const lines = readFileSync(join(EXAMPLES, 'scanner.sh'), 'utf8').trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('#')).length).toBeLessThanOrEqual(20);
    const scanner = startScanner(shell.command, [join(EXAMPLES, 'scanner.sh')], folder);
    try {
      await judges('shell');
    } finally {
      end(scanner);
    }
  }, 120_000);

  test('by Conductor’s Python SDK does the same', async (context) => {
    const sdk = await available(context, 'Python 3 with venv, and PyPI', () => pythonSdk('2.0.0'));
    copyFileSync(join(EXAMPLES, 'scanner.py'), join(sdk.folder, 'scanner.py'));
    const scanner = startScanner(sdk.command, [join(sdk.folder, 'scanner.py')], sdk.folder);
    try {
      await judges('python');
    } finally {
      end(scanner);
    }
  }, 240_000);

  test('that nobody runs leaves the object incomplete, and says who did not answer', async () => {
    const { verdict, reason, verdicts } = await verdictOn('impatient/a.txt', 'nothing to see');
    expect([verdict, reason]).toEqual(['incomplete', 'engine_error']);
    expect(verdicts[0]?.notCovered.map(({ detail }) => detail)).toContain('outside gave no answer');
  }, 60_000);

  test('is asked by a definition that is the shipped one but for that', () => {
    const shipped = JSON.parse(
      readFileSync(new URL('../../workflows/scan_upload.json', import.meta.url), 'utf8'),
    ) as Record<string, unknown>;
    const text = readFileSync(join(EXAMPLES, `${WORKFLOW}.json`), 'utf8');
    const OURS = new Set(['offer', 'outside', 'taken']);
    const without = JSON.parse(text, (name, value: unknown) => {
      if (name === 'others') return undefined;
      if (!Array.isArray(value)) return value;
      return value.filter(
        (one) => !OURS.has((one as { taskReferenceName?: string }).taskReferenceName ?? ''),
      );
    }) as Record<string, unknown>;
    const { name, description } = shipped;
    expect({ ...without, name, description }).toEqual(shipped);
  });
});
