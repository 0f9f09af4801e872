// npm start: installs and builds what is missing or stale, then runs the service until Ctrl-C.
import { refuseOldNode } from './launch/node-version.mjs';

const startedAt = Date.now();
refuseOldNode();

// Loaded only now: an old Node must get as far as the sentence above.
const { prepare } = await import('./launch/prepare.mjs');
const { serve } = await import('./launch/serve.mjs');
const { complain } = await import('./launch/say.mjs');

try {
  const took = await prepare();
  process.exitCode = await serve({ startedAt, ...took }, process.argv.slice(2));
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
