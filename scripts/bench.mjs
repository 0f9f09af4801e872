// npm run bench:NAME [-- --json]: a measurement from bench/, against the built service.
import { join } from 'node:path';
import { refuseOldNode } from './launch/node-version.mjs';
import { root } from './launch/place.mjs';
import { complain } from './launch/say.mjs';

refuseOldNode();

const { prepare } = await import('./launch/prepare.mjs');

const [name, ...args] = process.argv.slice(2);

try {
  await prepare();
  // Only now is it certain to be installed.
  const { runnerImport } = await import('vite');
  const { module } = await runnerImport(join(root, 'bench', `${name}.ts`), {
    logLevel: 'error',
    configFile: false,
  });
  process.exitCode = (await module.bench(args)) ? 0 : 1;
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
