import { readFile } from 'node:fs/promises';
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { Order, Report } from './messages.js';
import { Sandbox } from './sandbox.js';

/** Evaluates one script after the other in a thread of its own. */
async function work(port: MessagePort): Promise<void> {
  // The host's time zone shines through into QuickJS. Scripts see UTC, so that every node comes to the same result.
  Reflect.set(Date.prototype, 'getTimezoneOffset', () => 0);
  const location = import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
  const sandbox = new Sandbox(await WebAssembly.compile(await readFile(new URL(location))));
  const report = (message: Report): void => port.postMessage(message);
  port.on('message', (order: Order) => {
    void sandbox.evaluate(order).then((result) => report({ kind: 'result', result }));
  });
  report({ kind: 'ready' });
}

if (parentPort !== null) await work(parentPort);
