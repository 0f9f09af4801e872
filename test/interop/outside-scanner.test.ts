import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { malwareEngineSuite } from '../tasks/scan/malware/malware-engine.suite.js';
import { OutsideEngine, verdictOn } from './outside-engine.js';
import { pythonSdk, shellWith, toolOr, type Sdk } from './toolchain.js';

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

// Each stream of the suite is an upload with a workflow of its own.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

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
  await service.api('/api/metadata/workflow', {
    method: 'PUT',
    body: [definition, impatient(definition, 'soon', 3), impatient(definition, 'patient', 15)],
  });
  for (const [prefix, workflow] of [
    ['outside/', WORKFLOW],
    ['impatient/', `${WORKFLOW}_soon`],
    ['engine/', `${WORKFLOW}_patient`],
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

/** The same, with a scanner that has so many seconds to take its task and no second attempt. */
const impatient = (definition: Definition, name: string, seconds: number): Definition => {
  const text = JSON.stringify({ ...definition, name: `${WORKFLOW}_${name}` })
    .replace('"pollTimeoutSeconds":300', `"pollTimeoutSeconds":${seconds}`)
    .replace('"retryCount":1', '"retryCount":0');
  // Nobody takes this one.
  return JSON.parse(
    name === 'soon' ? text.replaceAll('"scan_outside"', '"scan_nobody"') : text,
  ) as Definition;
};

async function uploaded(key: string, body: string): Promise<Shown> {
  const s3 = service.s3();
  await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
  s3.destroy();
  return verdictOn<Shown>(service, key);
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

async function judges(name: string, start: () => ChildProcess): Promise<void> {
  const scanner = start();
  try {
    const ruleId = `${name === 'shell' ? 'Shell' : 'Python'}.Signature`;
    const bad = await uploaded(`outside/${name}-bad.txt`, `${'x'.repeat(70_000)}${SIGNATURE} and more`);
    expect(bad).toMatchObject({ verdict: 'infected', findings: [{ ruleId, source: 'outside' }] });
    const good = { verdict: 'clean (secrets)', findings: [] };
    expect(await uploaded(`outside/${name}-good.txt`, 'nothing to see')).toMatchObject(good);
    expect(await uploaded(`outside/${name}-empty.txt`, '')).toMatchObject(good);
  } finally {
    end(scanner);
  }
}

const shell = await toolOr('curl and jq', () => shellWith('curl', 'jq', 'sha256sum'));
const python = await toolOr('Python 3 with venv, and PyPI', () => pythonSdk('2.0.0'));

/** The engine's suite, over uploads that a definition shows to the scanner alone of all outside. */
function standsTheSuite(name: string, signature: string, startOne: () => ChildProcess): void {
  describe('as a malware engine', () => {
    malwareEngineSuite(async () => {
      let scanner = startOne();
      const engine = new OutsideEngine(service, folder, `engine/${name}-`);
      return {
        engine,
        known: Buffer.from(SIGNATURE),
        signature,
        held: () => engine.held.size,
        breakDown: async () => end(scanner),
        mend: async () => void (scanner = startOne()),
        close: async () => {
          engine.close();
          end(scanner);
        },
      };
    });
  });
}

const whyNot = (tool: Sdk | { readonly missing: string }): string =>
  'missing' in tool ? ` (skipped: ${tool.missing})` : '';

describe.skipIf('missing' in shell)(`twenty lines of shell${whyNot(shell)}`, () => {
  const script = join(EXAMPLES, 'scanner.sh');
  const start = () => startScanner('sh', [script], folder);

  test('are twenty', () => {
    const lines = readFileSync(script, 'utf8').trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('#')).length).toBeLessThanOrEqual(20);
  });

  test('decide on what is uploaded', () => judges('shell', start));
  standsTheSuite('shell', 'Shell.Signature', start);
});

describe.skipIf('missing' in python)(`a worker of Conductor’s Python SDK${whyNot(python)}`, () => {
  const { command, folder: home } = python as Sdk;
  const start = () => {
    // Beside its SDK, where its imports are found.
    copyFileSync(join(EXAMPLES, 'scanner.py'), join(home, 'scanner.py'));
    return startScanner(command, [join(home, 'scanner.py')], home);
  };

  test('decides on what is uploaded', () => judges('python', start));
  standsTheSuite('python', 'Python.Signature', start);
});

describe('a scanner outside', () => {
  test('that nobody runs leaves the object incomplete, and says who did not answer', async () => {
    const { verdict, reason, verdicts } = await uploaded('impatient/a.txt', 'nothing to see');
    expect([verdict, reason]).toEqual(['incomplete', 'engine_error']);
    expect(verdicts[0]?.notCovered.map(({ detail }) => detail)).toContain('outside gave no answer');
  });

  test('is asked by a definition that is the shipped one but for that', () => {
    const shipped = JSON.parse(
      readFileSync(new URL('../../workflows/scan_upload.json', import.meta.url), 'utf8'),
    ) as Record<string, unknown>;
    const text = readFileSync(join(EXAMPLES, `${WORKFLOW}.json`), 'utf8');
    const OURS = new Set(['asked']);
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
