import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { available, javascriptSdk } from './toolchain.js';

const run = promisify(execFile);
const PROGRAM_MS = 60_000;

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

test(
  'a human task is found, claimed, released, filled in and completed by the human client of Conductor’s JavaScript SDK',
  async (context) => {
    const sdk = await available(context, 'npm and its registry', () => javascriptSdk('4.0.0'));
    // Beside its SDK, where its imports are found.
    const program = join(sdk.folder, 'human-tasks.mjs');
    copyFileSync(fileURLToPath(new URL('programs/human-tasks.mjs', import.meta.url)), program);
    const { keyId, keySecret } = service.credentials.apiKey;
    const { stdout } = await run(sdk.command, [program], {
      cwd: sdk.folder,
      timeout: PROGRAM_MS,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        CONDUCTOR_SERVER_URL: `${service.url}/api`,
        CONDUCTOR_AUTH_KEY: keyId,
        CONDUCTOR_AUTH_SECRET: keySecret,
      },
    });
    // The SDK logs to the same stream; what the program says comes last.
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      versions: [1, 2, 2],
      states: ['PENDING', 'PENDING', 'IN_PROGRESS', 'PENDING', 'COMPLETED'],
      template: expect.objectContaining({ name: 'interop_form', version: 1 }),
      refused: expect.stringContaining('form.amount: is needed'),
      draft: { note: 'not yet' },
      run: { status: 'COMPLETED', output: { amount: 42, outcome: 'complete' } },
    });
  },
  PROGRAM_MS + 110_000,
);
