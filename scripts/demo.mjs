// npm run demo, and npm run demo:NAME: shows the built service at work.
import { join } from 'node:path';
import { refuseOldNode } from './launch/node-version.mjs';
import { root } from './launch/place.mjs';
import { complain } from './launch/say.mjs';

refuseOldNode();

const { prepare } = await import('./launch/prepare.mjs');

// The AWS SDK's note about next year's Node is for us, not for whoever looks.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (!warning.message.includes('NodeVersionSupportWarning'))
    console.error(`${warning.name}: ${warning.message}`);
});

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
