import type { FastifyInstance } from 'fastify';
import { publicUrl, type Config } from '../config.js';
import { Forbidden, InvalidInput } from '../errors.js';
import { plainPath } from '../ops/log.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Conductor's polls hand out tasks on GET: a link on a foreign page must not take them from the workers. */
const TAKING_GET = /^\/api\/tasks\/poll\//;
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
    // Node keeps the first of two Host headers; a proxy in front may have judged the second.
    if (isTwofold(request.raw.rawHeaders)) throw InvalidInput.field('Host', 'must be sent once');
    const host = hostName(request.headers.host);
    if (host === undefined || !allowed.has(host)) {
      throw new Forbidden(
        `Host "${request.headers.host ?? ''}" is not served here. Add it to ALLOWED_HOSTS or set PUBLIC_URL.`,
      );
    }
    // A request line with a whole address has a host of its own, which counts (RFC 9112, 3.2.2).
    const whole = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.raw.url ?? '');
    if (whole !== null && !allowed.has(hostName(whole[1]) ?? '')) {
      throw new Forbidden(
        `"${whole[1] ?? ''}" is not served here. Add it to ALLOWED_HOSTS or set PUBLIC_URL.`,
      );
    }
    const { origin, 'sec-fetch-site': site } = request.headers;
    const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (SAFE_METHODS.has(request.method) && !TAKING_GET.test(plainPath(request.url))) return;
    if (origin !== undefined && !isOwnOrigin(origin, request.headers.host, config)) {
      throw new Forbidden(`Origin ${origin} may not write here.`);
    }
    if (isForeign) throw new Forbidden('Requests from other sites may not write here.');
  });
}

const isTwofold = (rawHeaders: readonly string[]): boolean =>
  rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length > 1;

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
