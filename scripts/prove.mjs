// npm run prove -- NAME [--size small] [--seed N]: a long proof from prove/, against the built service. `--help` tells its options.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { refuseOldNode } from './launch/node-version.mjs';
import { root } from './launch/place.mjs';
import { complain, say } from './launch/say.mjs';

refuseOldNode();

const { isInstalled } = await import('./launch/install.mjs');
const { prepare } = await import('./launch/prepare.mjs');

const [name, ...args] = process.argv.slice(2);
const asksForHelp = args.includes('--help') || args.includes('-h');
// What the proofs share, and no proof.
const SHARED = 'proof';
const programs = readdirSync(join(root, 'prove'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .filter((program) => program !== SHARED);

try {
  if (name === undefined || !programs.includes(name)) {
    say(
      `Which proof? npm run prove -- NAME [--size small] [--seed N], NAME being one of: ${programs.join(', ')}`,
    );
    process.exitCode = 2;
  } else {
    // Telling needs no built service.
    if (!asksForHelp || !isInstalled()) await prepare();
    // Only now is it certain to be installed.
    const { runnerImport } = await import('vite');
    const { module } = await runnerImport(join(root, 'prove', `${name}.ts`), {
      logLevel: 'error',
      configFile: false,
    });
    if (asksForHelp) {
      process.stdout.write(`npm run prove -- ${name}\n\n${module.help}\n`);
    } else {
      if (!existsSync(join(root, 'dist', 'main.js')))
        throw new Error('dist/main.js is missing although the build passed.');
      process.exitCode = (await module.prove(args)) ? 0 : 1;
    }
  }
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
