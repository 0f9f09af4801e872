// npm run demo:NAME: shows something that is hard to believe, with the built service, and ends by itself.
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
  const { module } = await runnerImport(join(root, 'demo', `${name}.ts`), {
    logLevel: 'error',
    configFile: false,
  });
  process.exitCode = (await module.demo(args)) ? 0 : 1;
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
