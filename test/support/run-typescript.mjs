// Runs a TypeScript program in a process of its own: node test/support/run-typescript.mjs FILE [ARGUMENTS].
// For tests that kill a process or change its user; Node 20 does not read TypeScript itself.
import { runnerImport } from 'vite';

const [, , file, ...args] = process.argv;
process.argv = [process.argv[0], file, ...args];
await runnerImport(file, { logLevel: 'error' });
