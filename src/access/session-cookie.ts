import type { FastifyReply, FastifyRequest } from 'fastify';
import { publicUrl, type Config } from '../config.js';
import { clientOf } from '../http/client.js';
import { SESSION_COOKIE } from './access.guard.js';
import type { OpenedSession } from './access.service.js';

/** Whether a cookie may ask for TLS: who has come without it would never send it back. */
export const isSecure = (request: FastifyRequest, config: Config): boolean =>
  publicUrl(config).startsWith('https:') || clientOf(request, config.TRUST_PROXY).https;

/** Logs the browser in. */
export function setSession(
  request: FastifyRequest,
  reply: FastifyReply,
  config: Config,
  { token, maxAgeSeconds }: OpenedSession,
): void {
  void reply.setCookie(SESSION_COOKIE, token, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure(request, config),
    maxAge: maxAgeSeconds,
  });
}
