import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { available, javascriptSdk, pythonSdk, type Sdk } from './toolchain.js';

/*
 * Unmodified workers of Conductor's SDKs against the real service, with its guard on: they exchange the key for a
 * token, register definitions, start workflows, poll and report as they do with Conductor.
 */

const run = promisify(execFile);

const WORKFLOWS = 200;
const PROGRAM_MS = 150_000;

interface Printed {
  readonly ids: readonly string[];
  readonly executed: { readonly status: string; readonly output: Record<string, unknown> };
}

interface ShownWorkflow {
  readonly status: string;
  readonly input: { readonly number: number };
  readonly output: Record<string, unknown>;
  readonly tasks: readonly {
    readonly status: string;
    readonly outputData: Record<string, unknown>;
    readonly workerId?: string;
  }[];
}

let folder: string;
let service: ServiceProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-interop-'));
  chmodSync(folder, 0o711);
  service = await ServiceProcess.on(join(folder, 'home'));
  await service.start();
}, 60_000);

afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

describe(`workers take ${WORKFLOWS} workflows from the service and complete them`, () => {
  test(
    'Python SDK',
    async (context) => {
      const sdk = await available(context, 'Python 3 with venv, and PyPI', () => pythonSdk('2.0.0'));
      await checkAll(await runProgram(sdk, 'workers.py'));
    },
    PROGRAM_MS + 110_000,
  );

  test(
    'JavaScript SDK',
    async (context) => {
      const sdk = await available(context, 'npm and its registry', () => javascriptSdk('4.0.0'));
      await checkAll(await runProgram(sdk, 'workers.mjs'));
    },
    PROGRAM_MS + 110_000,
  );
});

/** Runs the program beside its SDK, where its imports are found. */
async function runProgram(sdk: Sdk, name: string): Promise<Printed> {
  const program = join(sdk.folder, basename(name));
  copyFileSync(fileURLToPath(new URL(`programs/${name}`, import.meta.url)), program);
  const { keyId, keySecret } = service.credentials.apiKey;
  const { stdout } = await run(sdk.command, [program, String(WORKFLOWS)], {
    cwd: sdk.folder,
    timeout: PROGRAM_MS,
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      CONDUCTOR_SERVER_URL: `${service.url}/api`,
      CONDUCTOR_AUTH_KEY: keyId,
      CONDUCTOR_AUTH_SECRET: keySecret,
    },
  });
  // The SDKs log to the same stream; what the program says comes last.
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Printed;
}

async function checkAll({ ids, executed }: Printed): Promise<void> {
  expect(new Set(ids).size).toBe(WORKFLOWS);
  expect(executed).toEqual({ status: 'COMPLETED', output: { text: 'twice is 42' } });
  const numbers: number[] = [];
  for (const id of ids) {
    const { status, input, output, tasks } = await service.api<ShownWorkflow>(`/api/workflow/${id}`);
    const doubled = input.number * 2;
    numbers.push(input.number);
    expect({ status, output }).toEqual({ status: 'COMPLETED', output: { text: `twice is ${doubled}` } });
    expect(tasks.map((task) => [task.status, task.outputData, task.workerId !== undefined])).toEqual([
      ['COMPLETED', { doubled }, true],
      ['COMPLETED', { text: `twice is ${doubled}` }, true],
    ]);
  }
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: WORKFLOWS }, (_, index) => index));
}
