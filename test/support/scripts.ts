import { rmSync } from 'node:fs';
import { ScriptPool, type ScriptPoolOptions } from '../../src/engine/scripts/script-pool.js';
import { compileSources } from './compile-sources.js';

let compiled: ReturnType<typeof compileSources> | undefined;

/** The sandbox's program for threads, compiled from the sources once per test process. */
function entry(): URL {
  if (compiled === undefined) {
    const made = (compiled = compileSources(['src/engine/scripts'], 'src/engine/scripts/worker-entry.ts'));
    process.once('exit', () => rmSync(made.directory, { recursive: true, force: true }));
  }
  return compiled.entry;
}

/** A pool that runs the sandbox from the sources. Close it in the end. */
export const scriptPool = (options: ScriptPoolOptions = {}): ScriptPool =>
  new ScriptPool({ entry: entry(), ...options });
