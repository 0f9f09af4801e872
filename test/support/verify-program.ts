import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const PROGRAM = fileURLToPath(new URL('../../src/audit/export/verify.mjs', import.meta.url));

/** Runs `verify.mjs` as `node verify.mjs …` would, in a thread of its own: hundreds of runs take seconds. */
export async function verifyProgram(...argv: readonly string[]): Promise<{ code: number; text: string }> {
  const worker = new Worker(PROGRAM, { argv: [...argv], stdout: true, stderr: true, env: {} });
  let text = '';
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const code = await new Promise<number>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
  return { code, text };
}
