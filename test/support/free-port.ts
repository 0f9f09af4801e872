import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below Linux's ephemeral ports (32768 on), any of which an outgoing connection takes while its server is down.
const LOWEST = 20_000;
const HIGHEST = 32_767;
const TRIES = 100;
// A port is listened on some seconds after it was looked for: workers that run beside each other look in different places.
const LANES = 8;
const LANE = Number(process.env['VITEST_POOL_ID'] ?? 0) % LANES;
const WIDTH = Math.floor((HIGHEST + 1 - LOWEST) / LANES);
const given = new Set<number>();

/** A port of 127.0.0.1 on which nobody listens now and that no outgoing connection is given later. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = LOWEST + LANE * WIDTH + randomInt(WIDTH);
    if (given.has(port)) continue;
    try {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
      given.add(port);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === TRIES) throw error;
    }
  }
}
