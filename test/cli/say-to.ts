import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { beforeAll } from 'vitest';
import { run } from '../../src/cli/run.js';

/** A command's words on a service of the test: what it printed, what it noted and its exit code. */
export function sayTo(server: FastifyInstance, command: string) {
  let url: string;
  beforeAll(async () => {
    if (!server.server.listening) await server.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  });
  return async (...args: string[]) => {
    const lines: string[] = [];
    const notes: string[] = [];
    const code = await run(
      [command, ...args],
      { SALLYPORT_URL: url, SALLYPORT_API_KEY: 'a:b' },
      {
        out: (line) => void lines.push(line),
        note: (line) => void notes.push(line),
        style: { colour: false },
      },
    );
    return { code, text: lines.join('\n'), notes: notes.join('\n') };
  };
}
