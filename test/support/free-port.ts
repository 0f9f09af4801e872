import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below Linux's ephemeral ports (32768 on), any of which an outgoing connection takes while its server is down.
const LOWEST = 20_000;
const HIGHEST = 32_767;
const TRIES = 100;

/** A port of 127.0.0.1 on which nobody listens now and that no outgoing connection is given later. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    try {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === TRIES) throw error;
    }
  }
}
