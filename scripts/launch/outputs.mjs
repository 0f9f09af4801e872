import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './place.mjs';

/** What is built, from which files, and the file by which its presence is told. */
export const server = {
  inputs: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
  stamp: 'dist/.stamp',
  proof: 'dist/main.js',
};
export const web = {
  // The one file of the service that the page takes in.
  inputs: ['web', 'src/intake/listing/run-answer.ts', 'package-lock.json'],
  stamp: 'web/dist/.stamp',
  proof: 'web/dist/index.html',
};

const SKIPPED = new Set(['node_modules', 'dist', '.vite']);

/** Every file below a path, or the path itself when it is a file. */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  const found = [];
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const at = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) visit(at);
      } else if (entry.isFile()) found.push(at);
    }
  };
  try {
    visit(path);
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    found.push(path);
  }
  return found.sort((one, other) => (one < other ? -1 : 1));
}

/** Whether the output was made from exactly the files that are there now. Contents count, not times: git sets those. */
export function isFresh(target, base = root) {
  const stamp = join(base, target.stamp);
  if (!existsSync(join(base, target.proof)) || !existsSync(stamp)) return false;
  return readFileSync(stamp, 'utf8') === hashOf(target, base);
}

/** Says that the output is now of these inputs. */
export function markFresh(target, hash, base = root) {
  const stamp = join(base, target.stamp);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

/** Before a build: one that breaks off must not look finished. */
export const markStale = (target, base = root) => rmSync(join(base, target.stamp), { force: true });

/** A digest over names and contents of all inputs. */
export function hashOf(target, base = root) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  for (const input of target.inputs) {
    for (const file of filesBelow(join(base, input))) {
      hash.update(`\0${relative(base, file)}\0`).update(readFileSync(file));
    }
  }
  return hash.digest('hex');
}
