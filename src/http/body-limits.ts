import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Overloaded } from '../errors.js';
import { Permits } from '../permits.js';

const MEBIBYTE = 1024 * 1024;
/**
 * Conductor's largest payload is 10 MB. A report of a task that is somewhat larger still comes in, and fails its task
 * with the reason; as a refused request a worker would repeat it for ever.
 */
export const MAX_BODY_BYTES = 16 * MEBIBYTE;
/** Four times SQS's largest message. */
const MAX_EVENT_BYTES = MEBIBYTE;
// Reading JSON costs time: who has proved nothing gets little of it. A login, a form of the mail page.
const MAX_UNKNOWN_BYTES = 64 * 1024;

/**
 * Large bodies that are in this process at once. What JSON makes of its text takes up to twenty times as much memory, and
 * nothing else counts it before it is queued.
 */
const MAX_LARGE_BYTES = 3 * MAX_BODY_BYTES;
const MAX_WAITING = 100;
const WAIT_MS = 5_000;

/** Routes that are open without a login and read a body; each proves its callers in its own way, after reading. */
const OPEN_ROUTES: readonly (readonly [RegExp, number])[] = [
  [/^\/events\/(s3|sns)(\/|$)/, MAX_EVENT_BYTES],
  // A click carries its message with it; the largest view may have 250 kB.
  [/^\/slack\/(interactions|commands|events)$/, MAX_EVENT_BYTES],
  [/^\/(api\/v1\/session|api\/token|api\/v1\/slack\/|r\/|q\/)/, MAX_UNKNOWN_BYTES],
];

/** Small limits for what is open to strangers. Before the first route. */
export function limitOpenRoutes(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    const limit = OPEN_ROUTES.find(([pattern]) => pattern.test(route.url))?.[1];
    if (limit !== undefined) route.bodyLimit = limit;
  });
}

/**
 * Everywhere else a large body is read only for somebody who has logged in, and when there is room for it: it waits for
 * the answers of others, 5 s at most. Before the first route.
 */
export function readLargeBodiesFor(
  server: FastifyInstance,
  identify: (request: FastifyRequest) => Promise<unknown>,
): void {
  const room = new Permits(MAX_LARGE_BYTES);
  server.addHook('preParsing', async (request, reply) => {
    if (request.routeOptions.bodyLimit < MAX_BODY_BYTES) return;
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    const bytes = encoding === undefined ? Number(length ?? 0) : MAX_BODY_BYTES;
    if (bytes <= MAX_UNKNOWN_BYTES) return;
    await identify(request);
    // Is refused by what comes next, unread.
    if (bytes > MAX_BODY_BYTES) return;
    const release = await enter(room, bytes);
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
  });
}

/** @throws Overloaded */
async function enter(room: Permits, bytes: number): Promise<() => void> {
  const answer = new Overloaded('Too many large requests are under way; try again a little later.', 5, 503);
  if (room.waiting >= MAX_WAITING) throw answer;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(answer), WAIT_MS);
  try {
    return await room.take(bytes, late.signal);
  } finally {
    clearTimeout(timer);
  }
}
