import type { FastifyInstance, FastifyRequest } from 'fastify';

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

/** Routes that are open without a login and read a body; each proves its callers in its own way, after reading. */
const OPEN_ROUTES: readonly (readonly [RegExp, number])[] = [
  [/^\/events\/s3(\/|$)/, MAX_EVENT_BYTES],
  [/^\/(api\/v1\/session|api\/token|api\/v1\/slack\/|r\/)/, MAX_UNKNOWN_BYTES],
];

/** Small limits for what is open to strangers. Before the first route. */
export function limitOpenRoutes(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    const limit = OPEN_ROUTES.find(([pattern]) => pattern.test(route.url))?.[1];
    if (limit !== undefined) route.bodyLimit = limit;
  });
}

/** Everywhere else a large body is read only for somebody who has logged in. Before the first route. */
export function readLargeBodiesFor(
  server: FastifyInstance,
  identify: (request: FastifyRequest) => Promise<unknown>,
): void {
  server.addHook('preParsing', async (request) => {
    if (request.routeOptions.bodyLimit < MAX_BODY_BYTES) return;
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (encoding !== undefined || Number(length ?? 0) > MAX_UNKNOWN_BYTES) await identify(request);
  });
}
