import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { refuseFullDisk, refuseReadOnly, root } from './place.mjs';
import { run, tail } from './run.mjs';
import { Refusal, step } from './say.mjs';

const NEEDED_MEGABYTES = 900;
const OFFLINE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|network/i;

/**
 * Whether node_modules holds exactly what package-lock.json asks for on this platform.
 *
 * npm writes what it installed into node_modules/.package-lock.json as its last act, so a broken-off installation
 * has none. Looking costs milliseconds and no network: that is what lets a later start work offline.
 */
export function isInstalled(directory = root, { withoutDev = false } = {}) {
  const wanted = packagesOf(join(directory, 'package-lock.json'));
  const found = packagesOf(join(directory, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || !isForThisPlatform(entry)) return true;
    if (withoutDev && entry.dev === true) return true;
    const there = found[path];
    // What only an optional package of another platform needs is optional too, and says nothing of platforms itself.
    if (there === undefined)
      return entry.optional === true && entry.os === undefined && entry.cpu === undefined;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

/** Installs what the lock file asks for, and leaves what was there in place when that fails. */
export function install() {
  refuseReadOnly('Installing packages');
  refuseFullDisk(NEEDED_MEGABYTES, 'Installing packages');
  return step('Installing packages (npm ci)', 'Installed', async () => {
    const before = ['node_modules', 'web/node_modules'].filter((folder) => existsSync(join(root, folder)));
    for (const folder of before) move(join(root, folder), aside(folder));
    const { command, args } = npm();
    const { NODE_ENV: _, ...env } = process.env;
    const options = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
    const result = await run(command, [...args, 'ci', ...options, '--loglevel=error'], { cwd: root, env });
    if (result.code === 0) {
      for (const folder of before) rmSync(aside(folder), { recursive: true, force: true });
      return;
    }
    for (const folder of before) move(aside(folder), join(root, folder));
    throw explain(result);
  });
}

// `npm ci` begins by deleting node_modules. Offline that would take away what still works.
const aside = (folder) => join(root, 'build', `${folder.replace('/', '-')}.before`);

function move(from, to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}

function explain({ output, missing }) {
  if (missing) {
    return new Refusal(
      'npm was not found. It comes with Node: install Node from https://nodejs.org, and try again.',
    );
  }
  if (/ENOSPC/.test(output)) {
    return new Refusal('The disk is full. Free about 1 GB and run the same command again.');
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return new Refusal(`npm may not write somewhere. Its own words:\n${tail(output, 12)}`);
  }
  if (OFFLINE.test(output)) {
    return new Refusal(
      'The packages are not all here yet, and the npm registry cannot be reached. ' +
        `Connect this machine to it once; later starts work offline. npm's own words:\n${tail(output, 8)}`,
    );
  }
  return new Refusal(`npm ci failed:\n${tail(output)}`);
}

/** The npm that started us; else the one beside this Node; else the one on the PATH. */
export function npm() {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  for (const script of [process.env.npm_execpath, beside]) {
    if (script?.endsWith('npm-cli.js') && existsSync(script))
      return { command: process.execPath, args: [script] };
  }
  return { command: 'npm', args: [] };
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined; // Missing or cut off: then what is wanted or there is not known, and we install.
  }
}

function isForThisPlatform({ os, cpu, libc }) {
  return allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, libcHere());
}

/** npm's rule: a list of names, any of which may be negated with an exclamation mark. */
function allows(list, value) {
  if (list === undefined || value === undefined) return true;
  if (list.includes(`!${value}`)) return false;
  const named = list.filter((name) => !name.startsWith('!'));
  return named.length === 0 || named.includes(value);
}

let libc;
function libcHere() {
  if (process.platform !== 'linux') return undefined;
  libc ??= JSON.stringify(process.report.getReport()).includes('"glibcVersionRuntime"') ? 'glibc' : 'musl';
  return libc;
}
