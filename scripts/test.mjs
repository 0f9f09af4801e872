// npm test: installs and builds what is missing or stale, then runs the tests. npm run test:interop: those against
// third-party servers and SDKs. Further arguments go to Vitest: npm test -- test/reviews
import { refuseOldNode } from './launch/node-version.mjs';

refuseOldNode();

const fs = await import('node:fs');
const path = await import('node:path');
const { build, isBuilt } = await import('./launch/build.mjs');
const { install, isInstalled } = await import('./launch/install.mjs');
const { filesBelow } = await import('./launch/outputs.mjs');
const { root } = await import('./launch/place.mjs');
const { complain, say } = await import('./launch/say.mjs');
const { closingLine, runVitest } = await import('./launch/vitest.mjs');

const [first, ...rest] = process.argv.slice(2);
const isInterop = first === 'interop';
const args = isInterop ? rest : process.argv.slice(2);

try {
  const result = isInterop && !hasInteropTests() ? nothingToRun() : await runTests();
  console.log(closingLine(result));
  process.exitCode = result.code;
} catch (error) {
  complain(error);
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
}

async function runTests() {
  if (!isInstalled()) await install();
  if (!isBuilt()) await build();
  return runVitest(args, isInterop ? { SALLYPORT_TEST_SUITE: 'interop' } : {});
}

function nothingToRun() {
  say('There are no interop tests in test/interop yet, so none ran.');
  return { code: 0, passed: 0, failed: 0, skipped: 0 };
}

function hasInteropTests() {
  const folder = path.join(root, 'test', 'interop');
  return fs.existsSync(folder) && filesBelow(folder).some((file) => file.endsWith('.test.ts'));
}
