import type { FastifyInstance } from 'fastify';

/** What opens an object by itself: the path of a grant with its token, as `contentPath` makes it. */
const GRANT = /\/api\/v1\/content\/[\da-f-]{36}\.[\w-]{43}/g;
const MARK = '/api/v1/content/';

/** Where a worker gets its task: the only answers that may hold such an address. */
const HANDED_OUT = new Set(['/api/tasks/poll/:type', '/api/tasks/poll/batch/:type', '/api/tasks/update-v2']);

export const withoutBearerAddresses = (text: string): string => text.replaceAll(GRANT, `${MARK}***`);

/**
 * Takes addresses that open something by themselves out of every answer but the one that hands the task to its worker: a
 * definition may put them under any name, a worker may repeat them in its output, its error or its log.
 */
export function hideBearerAddresses(server: FastifyInstance): void {
  server.addHook('onSend', async (request, _reply, payload) => {
    if (typeof payload !== 'string' || !payload.includes(MARK)) return payload;
    return HANDED_OUT.has(request.routeOptions.url ?? '') ? payload : withoutBearerAddresses(payload);
  });
}
