import { rmSync } from 'node:fs';
import { ScriptPool, type ScriptPoolOptions } from '../../src/engine/scripts/script-pool.js';
import { ScriptRunner, type ScriptRequest } from '../../src/engine/scripts/script-runner.js';
import type { ScriptResult } from '../../src/engine/model/command.js';

let compiled: Promise<URL> | undefined;

/** The sandbox's program for threads, compiled from the sources once per test process. */
async function compile(): Promise<URL> {
  // The compiler takes a second to load, which most tests need not wait for.
  const { compileSources } = await import('./compile-sources.js');
  const made = compileSources(['src/engine/scripts'], 'src/engine/scripts/worker-entry.ts');
  process.once('exit', () => rmSync(made.directory, { recursive: true, force: true }));
  return made.entry;
}

/** A pool that runs the sandbox from the sources. Close it in the end. */
export const scriptPool = async (options: ScriptPoolOptions = {}): Promise<ScriptPool> =>
  new ScriptPool({ entry: await (compiled ??= compile()), ...options });

/** Before tests that are to wait for scripts alone: loading the compiler takes seconds on a machine that is busy. */
export const prepareScripts = async (): Promise<void> => {
  await (compiled ??= compile());
};

/** A pool that is made with the first script. */
export class LazyScripts extends ScriptRunner {
  private pool: Promise<ScriptPool> | undefined;

  async evaluate(request: ScriptRequest): Promise<ScriptResult> {
    return (await (this.pool ??= scriptPool())).evaluate(request);
  }

  async close(): Promise<void> {
    await (await this.pool)?.close();
  }
}
