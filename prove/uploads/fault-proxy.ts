import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FaultProxy {
  readonly url: string;
  /** How often each fault was made. */
  readonly faults: ReadonlyMap<Fault, number>;
  /** Paths (`/bucket/key`, encoded as they came) that were refused with 403 at least once. */
  readonly denied: ReadonlySet<string>;
  close(): Promise<void>;
}

export type Fault = '503' | '403' | 'cut-before' | 'cut-in-answer' | 'slow';

// Of a hundred requests.
const SHARES: readonly (readonly [Fault, number])[] = [
  ['503', 5],
  ['403', 1],
  ['cut-before', 2],
  ['cut-in-answer', 2],
  ['slow', 2],
];
const SLOW_PIECES = 8;
const SLOW_PIECE_MS = 40;

/** An S3 server that is busy, refuses, hangs up and dribbles, in front of one that does none of it. */
export async function startFaultProxy(target: string, random: () => number): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const faults = new Map<Fault, number>();
  const denied = new Set<string>();
  const server = createServer((incoming, answer) => {
    const fault = draw(random());
    if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1);
    if (fault === '403') denied.add(new URL(incoming.url ?? '/', target).pathname);
    // Whoever hangs up on us is answered no more.
    incoming.on('error', () => answer.destroy());
    if (fault === '503') return refuse(incoming, answer, 503, 'SlowDown', 'Please reduce your request rate.');
    if (fault === '403') return refuse(incoming, answer, 403, 'AccessDenied', 'Access Denied');
    if (fault === 'cut-before') return void incoming.socket.destroy();
    const passed = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (reply) => pass(reply, answer, fault),
    );
    passed.on('error', () => answer.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    denied,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function draw(at: number): Fault | undefined {
  let upTo = 0;
  for (const [fault, share] of SHARES) {
    upTo += share / 100;
    if (at < upTo) return fault;
  }
  return undefined;
}

function refuse(
  incoming: IncomingMessage,
  answer: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  incoming.resume();
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  answer.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
  answer.end(incoming.method === 'HEAD' ? undefined : body);
}

function pass(reply: IncomingMessage, answer: ServerResponse, fault: Fault | undefined): void {
  answer.writeHead(reply.statusCode ?? 502, reply.headers);
  reply.on('error', () => answer.destroy());
  if (fault === undefined) return void reply.pipe(answer);
  const parts: Buffer[] = [];
  // The objects here are small.
  reply.on('data', (part: Buffer) => parts.push(part));
  reply.on('end', () => {
    const body = Buffer.concat(parts);
    if (fault === 'slow') void dribble(answer, body);
    else if (body.length === 0) answer.end();
    else answer.write(body.subarray(0, Math.floor(body.length / 2)), () => answer.destroy());
  });
}

async function dribble(answer: ServerResponse, body: Buffer): Promise<void> {
  const piece = Math.max(1, Math.ceil(body.length / SLOW_PIECES));
  for (let at = 0; at < body.length && !answer.destroyed; at += piece) {
    answer.write(body.subarray(at, at + piece));
    await new Promise((resolve) => setTimeout(resolve, SLOW_PIECE_MS));
  }
  answer.end();
}
