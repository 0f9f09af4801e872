import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { nodeFlags } from './node-flags.mjs';
import { root } from './place.mjs';
import { say } from './say.mjs';

// npm passes the terminal's Ctrl-C on although the terminal already sent it to everybody: one press arrives twice.
const ONE_PRESS_MS = 500;
const ORPHAN_CHECK_MS = 1_000;

/**
 * Runs the service in the foreground and resolves with the exit code to end with.
 *
 * The first Ctrl-C (or SIGTERM) lets it stop in order; a second one ends it at once, which loses nothing that was
 * acknowledged.
 */
export function serve(launch, args, program = join(root, 'dist', 'main.js')) {
  const added = {
    SALLYPORT_LAUNCH: JSON.stringify(launch),
    // Node 20 is supported on purpose; the SDK's advice at every start is not for the operator.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
  const child = spawn(
    process.execPath,
    [...nodeFlags(), '--import', new URL('follow-parent.mjs', import.meta.url).href, program, ...args],
    // A group of its own: the terminal's Ctrl-C reaches us alone, and we pass it on once.
    {
      cwd: root,
      env: { ...process.env, ...added },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
    },
  );
  const stopWatching = passSignalsTo(child);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(`The service could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => {
      stopWatching();
      if (signal === 'SIGKILL')
        say('The service was killed. Nothing that was acknowledged is lost: npm start goes on where it was.');
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function passSignalsTo(child) {
  let firstAt;
  const stop = (signal) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      child.kill(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
    } else if (performance.now() - firstAt > ONE_PRESS_MS) {
      say('Ending at once.');
      child.kill('SIGKILL');
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, stop);
  const parent = process.ppid;
  // npm that was killed cannot pass anything on any more; without it nobody could stop us by the usual means.
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent && firstAt === undefined)
      stop('SIGTERM');
  }, ORPHAN_CHECK_MS);
  return () => {
    clearInterval(watch);
    for (const signal of signals) process.removeListener(signal, stop);
  };
}
