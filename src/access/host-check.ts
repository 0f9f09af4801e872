import type { FastifyInstance } from 'fastify';
import { publicUrl, type Config } from '../config.js';
import { Forbidden } from '../errors.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses requests for other names (DNS rebinding) and writes from other sites (cross-site request forgery).
 *
 * `Host` must be loopback, HOST, PUBLIC_URL's or in ALLOWED_HOSTS. A browser's write must come from our own origin;
 * clients that are no browsers send neither Origin nor Sec-Fetch-Site and are held by their credentials alone.
 */
export function checkHosts(server: FastifyInstance, config: Config): void {
  const allowed = new Set(
    [...LOOPBACK_NAMES, config.HOST, new URL(publicUrl(config)).hostname, ...config.ALLOWED_HOSTS].map(
      (name) => name.toLowerCase(),
    ),
  );
  server.addHook('onRequest', async (request) => {
    const host = hostName(request.headers.host);
    if (host === undefined || !allowed.has(host)) {
      throw new Forbidden(
        `Host "${request.headers.host ?? ''}" is not served here. Add it to ALLOWED_HOSTS or set PUBLIC_URL.`,
      );
    }
    if (SAFE_METHODS.has(request.method)) return;
    const { origin } = request.headers;
    const site = request.headers['sec-fetch-site'];
    if (origin !== undefined && !isOwnOrigin(origin, request.headers.host, config)) {
      throw new Forbidden(`Origin ${origin} may not write here.`);
    }
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      throw new Forbidden('Requests from other sites may not write here.');
  });
}

function isOwnOrigin(origin: string, host: string | undefined, config: Config): boolean {
  return (
    origin === `http://${host}` ||
    origin === `https://${host}` ||
    origin === new URL(publicUrl(config)).origin
  );
}

function hostName(header: string | undefined): string | undefined {
  if (header === undefined || !/^[A-Za-z0-9.\-:[\]_]+$/.test(header)) return undefined;
  return header.toLowerCase().replace(/:\d+$/, '');
}
