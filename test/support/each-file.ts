import { afterAll, vi } from 'vitest';
import { leaveDatabases } from './database.js';

// Runs around every test file. The files of one worker share a process, so what one of them sets ends with it.
const environment = { ...process.env };

afterAll(async () => {
  vi.useRealTimers();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  await leaveDatabases();
});
