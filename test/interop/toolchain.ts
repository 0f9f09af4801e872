import { execFile } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Ignored by git. Kept from run to run, because what is in it takes the network and most of the time.
const CACHE = fileURLToPath(new URL('../../build/interop', import.meta.url));
const INSTALL_MS = 100_000;
// versitygw is compiled where nobody has compiled it before: two minutes of two cores.
const COMPILE_MS = 400_000;

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
export const javascriptSdk = (version: string): Promise<Sdk> =>
  npmPackages(`javascript-${version}`, [`@io-orkes/conductor-javascript@${version}`], ['--legacy-peer-deps']);

/** secretlint's core and its recommended rules, in a folder of their own, to compare with. */
export const secretlint = (version: string): Promise<Sdk> =>
  npmPackages(`secretlint-${version}`, [
    `@secretlint/core@${version}`,
    `@secretlint/secretlint-rule-preset-recommend@${version}`,
  ]);

async function npmPackages(
  name: string,
  packages: readonly string[],
  options: readonly string[] = [],
): Promise<Sdk> {
  return await installed(name, async (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await run('npm', ['install', ...quiet, ...options, ...packages], { cwd: folder, timeout: INSTALL_MS });
    return process.execPath;
  });
}

/** The shell, and the programs that a script of it needs. Rejects with the name of the first that is not there. */
export async function shellWith(...programs: readonly string[]): Promise<Sdk> {
  for (const program of programs) await run(program, ['--version'], { timeout: 10_000 });
  return { command: 'sh', folder: CACHE };
}

/** moto's server, which stands in for S3, SQS and SNS. Rejects when Python or the package index is not there. */
export async function motoServer(version: string): Promise<Sdk> {
  return await installed(`moto-${version}`, async (folder) => {
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS });
    await run(
      join(folder, 'bin', 'pip'),
      ['install', '--quiet', '--disable-pip-version-check', `moto[server]==${version}`],
      { timeout: 3 * INSTALL_MS },
    );
    return join(folder, 'bin', 'moto_server');
  });
}

/** versitygw, built from its Go module. Rejects when Go or the module proxy is not there. */
export const versitygw = (version: string): Promise<Sdk> =>
  goProgram('versitygw', 'github.com/versity/versitygw/cmd/versitygw', version);

/** gitleaks, to compare with; built as above. */
export const gitleaks = (version: string): Promise<Sdk> =>
  goProgram('gitleaks', 'github.com/zricethezav/gitleaks/v8', version);

async function goProgram(name: string, module: string, version: string): Promise<Sdk> {
  return await installed(`${name}-${version}`, async (folder) => {
    await run('go', ['install', '-trimpath', `${module}@v${version}`], {
      timeout: COMPILE_MS,
      maxBuffer: 16 * 1024 * 1024,
      // `auto` lets an older Go fetch the one that the module asks for from the module proxy.
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto' },
    });
    return join(folder, name);
  });
}

/** In CI everything must be there: rejects. Elsewhere it says what is missing, for the tests that are then left out. */
export async function toolOr(needs: string, install: () => Promise<Sdk>): Promise<Sdk | { missing: string }> {
  try {
    return await install();
  } catch (error) {
    const missing = `${needs} are needed: ${(error as Error).message}`;
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error });
    return { missing };
  }
}

/** The same within a test, which is skipped with the reason. */
export async function available(
  context: { skip(note?: string): never },
  needs: string,
  install: () => Promise<Sdk>,
): Promise<Sdk> {
  const tool = await toolOr(needs, install);
  return 'missing' in tool ? context.skip(tool.missing) : tool;
}

async function installed(name: string, install: (folder: string) => Promise<string>): Promise<Sdk> {
  const folder = join(CACHE, name);
  const mark = join(folder, 'command.txt');
  mkdirSync(CACHE, { recursive: true });
  // Files of tests run side by side. One install at a time: they would only take each other's processors.
  const unlock = await lock(join(CACHE, 'lock'));
  try {
    if (!existsSync(mark)) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      writeFileSync(mark, await install(folder));
    }
  } finally {
    unlock();
  }
  return { command: readFileSync(mark, 'utf8'), folder };
}

/** Waits for whoever else installs it; a process that is gone holds nothing. */
async function lock(path: string): Promise<() => void> {
  const deadline = performance.now() + 2 * COMPILE_MS;
  while (!take(path)) {
    const holder = heldBy(path);
    if (holder !== undefined && !isAlive(holder)) rmSync(path, { force: true });
    else if (performance.now() > deadline) throw new Error(`${path} is held by process ${holder}`);
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return () => rmSync(path, { force: true });
}

function take(path: string): boolean {
  try {
    // Linked in one step with what it says, so that nobody reads an empty one.
    writeFileSync(`${path}.${process.pid}`, String(process.pid));
    linkSync(`${path}.${process.pid}`, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(`${path}.${process.pid}`, { force: true });
  }
}

function heldBy(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    // Given back in this very moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
