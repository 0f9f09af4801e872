import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Ignored by git. Kept from run to run, because what is in it takes the network and most of the time.
const CACHE = fileURLToPath(new URL('../../build/interop', import.meta.url));
const INSTALL_MS = 100_000;

/** A SDK that is installed, and how to run a program with it: the command's arguments come before the program's. */
export interface Sdk {
  readonly command: string;
  readonly folder: string;
}

/** The Python SDK in an environment of its own. Rejects when Python or the package index is not there. */
export async function pythonSdk(version: string): Promise<Sdk> {
  return await installed(`python-${version}`, async (folder) => {
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS });
    await run(
      join(folder, 'bin', 'pip'),
      ['install', '--quiet', '--disable-pip-version-check', `conductor-python==${version}`],
      { timeout: INSTALL_MS },
    );
    return join(folder, 'bin', 'python');
  });
}

/** The JavaScript SDK in a folder of its own: the packages it would like beside it are not ours, nor needed. */
export async function javascriptSdk(version: string): Promise<Sdk> {
  return await installed(`javascript-${version}`, async (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    await run(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--legacy-peer-deps',
        '--loglevel=error',
        `@io-orkes/conductor-javascript@${version}`,
      ],
      { cwd: folder, timeout: INSTALL_MS },
    );
    return process.execPath;
  });
}

async function installed(name: string, install: (folder: string) => Promise<string>): Promise<Sdk> {
  const folder = join(CACHE, name);
  const mark = join(folder, 'command.txt');
  if (!existsSync(mark)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(mark, await install(folder));
  }
  return { command: readFileSync(mark, 'utf8'), folder };
}
