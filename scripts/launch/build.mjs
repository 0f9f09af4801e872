import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { filesBelow, hashOf, isFresh, markFresh, markStale, server, web } from './outputs.mjs';
import { refuseFullDisk, refuseReadOnly, root } from './place.mjs';
import { run, tail } from './run.mjs';
import { Refusal, step } from './say.mjs';

const require = createRequire(import.meta.url);
const hasWeb = () => existsSync(join(root, 'web', 'index.html'));

/** Whether there is nothing to build. */
export const isBuilt = () => isFresh(server) && (!hasWeb() || isFresh(web));

/** Builds what is stale of the service and the web page, side by side. */
export function build() {
  refuseReadOnly('Building');
  refuseFullDisk(100, 'Building');
  return step('Building', 'Built', async () => {
    const results = await Promise.allSettled([
      isFresh(server) ? undefined : buildServer(),
      !hasWeb() || isFresh(web) ? undefined : buildWeb(),
    ]);
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
}

async function buildServer() {
  const hash = hashOf(server);
  markStale(server);
  const { code, output } = await run(
    process.execPath,
    [tool('typescript', 'bin/tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: root,
    },
  );
  if (code !== 0) throw new Refusal(`The service does not compile:\n${tail(output)}`);
  copyAssets();
  removeOrphans();
  markFresh(server, hash);
}

async function buildWeb() {
  const hash = hashOf(web);
  markStale(web);
  const { code, output } = await run(
    process.execPath,
    [tool('vite', 'bin/vite.js'), 'build', '--logLevel', 'warn'],
    {
      cwd: join(root, 'web'),
    },
  );
  if (code !== 0) throw new Refusal(`The web page does not build:\n${tail(output)}`);
  markFresh(web, hash);
}

/** What the code reads at run time and the compiler does not carry over: rules, statements, templates. */
function copyAssets() {
  for (const file of filesBelow(join(root, 'src'))) {
    if (['.ts', '.tsx', '.md'].includes(extname(file))) continue;
    const target = join(root, 'dist', relative(join(root, 'src'), file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

/** Removes output whose source is gone: migrations are found by looking into their folder, and would run again. */
function removeOrphans() {
  for (const file of filesBelow(join(root, 'dist'))) {
    const inside = relative(join(root, 'dist'), file);
    if (inside.startsWith('.')) continue;
    const source = inside.replace(/\.(js|js\.map|d\.ts)$/, '.ts');
    const exists = existsSync(join(root, 'src', source)) || existsSync(join(root, 'src', inside));
    if (!exists && !existsSync(join(root, 'src', `${source}x`))) rmSync(file);
  }
}

/** The path of a tool's program inside its package, found as Node finds packages. */
function tool(name, program) {
  return join(dirname(require.resolve(`${name}/package.json`)), program);
}
