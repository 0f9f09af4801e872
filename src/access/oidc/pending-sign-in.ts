import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import { ConfigError } from '../../errors.js';
import type { Keyring } from '../keyring.js';
import { openText, sealText } from '../sealing.js';
import { isSecure } from '../session-cookie.js';

/** People who log in there may have to find their phone first. */
export const SIGN_IN_MINUTES = 15;

const COOKIE = 'sallyport_sign_in';
const PATH = '/api/v1/session/oidc';

const Pending = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** With whom, and as whom, it was begun: settings may change meanwhile. */
  issuer: z.string(),
  clientId: z.string(),
  returnTo: z.string(),
  expiresAt: z.number(),
});

/**
 * A sign-in on its way: what the answer of the provider must fit. It travels sealed in the browser that began it, so that
 * any node can finish it, and nobody else's browser.
 */
export type PendingSignIn = z.infer<typeof Pending>;

export function keepPending(
  request: FastifyRequest,
  reply: FastifyReply,
  { config, keyring }: { config: Config; keyring: Keyring },
  pending: PendingSignIn,
): void {
  void reply.setCookie(COOKIE, sealText(keyring.for('signin'), JSON.stringify(pending), COOKIE), {
    path: PATH,
    httpOnly: true,
    // The provider sends the browser back from its own site.
    sameSite: 'lax',
    secure: isSecure(request, config),
    maxAge: SIGN_IN_MINUTES * 60,
  });
}

/** `undefined` when this browser began none, or too long ago. */
export function pendingOf(
  request: FastifyRequest,
  { keyring, clock }: { keyring: Keyring; clock: Clock },
): PendingSignIn | undefined {
  const sealed = request.cookies[COOKIE];
  if (sealed === undefined) return undefined;
  const text = opened(keyring, sealed);
  const parsed = text === undefined ? undefined : Pending.safeParse(JSON.parse(text));
  return parsed?.success === true && parsed.data.expiresAt > clock.now() ? parsed.data : undefined;
}

export const forgetPending = (reply: FastifyReply): void => void reply.clearCookie(COOKIE, { path: PATH });

function opened(keyring: Keyring, sealed: string): string | undefined {
  try {
    return openText(keyring, sealed, COOKIE);
  } catch (error) {
    // The browser's word, not ours: whoever changed it, or kept it over a change of keys, begins again.
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
