import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseNetwork } from '../../../../src/outbound/egress/addresses.js';
import { Egress, type EgressRequest } from '../../../../src/outbound/egress/egress.js';

/** What came to the provider. */
export interface Asked {
  readonly host: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** A provider on this machine, and the way to it through the real egress guard: https becomes http, and its host is here. */
export async function fakeProvider(answer: (asked: Asked, response: ServerResponse) => void) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const one = { host: request.headers.host, url: request.url, headers: request.headers };
    asked.push(one);
    answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const guard = new Egress({
    allowed: [parseNetwork('127.0.0.0/8')],
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  return {
    asked,
    egress: {
      fetch: (wanted: EgressRequest) => {
        const url = new URL(wanted.url);
        const here = `http://${url.host}:${port}${url.pathname}${url.search}`;
        return guard.fetch({ ...wanted, url: here });
      },
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
