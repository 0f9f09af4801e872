import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { NotFound } from '../errors.js';
import { plainPath } from '../ops/log.js';

/** How a node is, which every one of them says. */
const OPS = /^\/((api\/)?health(\/|$)|metrics$|api\/version$)/;
const EVENTS = /^\/events\//;

/**
 * Nodes without the role `api` serve health and metrics, and with `intake` the events of buckets; everything else is an
 * honest 404 that says where to go.
 */
export function limitToRoles(server: FastifyInstance, { ROLES: roles }: Pick<Config, 'ROLES'>): void {
  if (roles.includes('api')) return;
  server.addHook('onRequest', async (request) => {
    const path = plainPath(request.url);
    if (OPS.test(path) || (roles.includes('intake') && EVENTS.test(path))) return;
    throw new NotFound(
      `This node has the roles ${roles.join(', ')} and serves only its health and metrics. Ask one with the role api.`,
    );
  });
}
