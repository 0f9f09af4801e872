import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { publicUrl, type Config } from '../../config.js';
import { messagePage, pageHeaders } from './html-page.js';

/*
 * What the pages behind mailed links have in common. A link's token leaves the address at once: it goes into a cookie
 * that only this page gets, and the browser moves on to an address without it.
 */

// Long enough to read and think; the link in the mail opens the page again.
const COOKIE_SECONDS = 3600;

/** Nobody keeps, tells or lists the address. */
export const UNSEEN = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
} as const;

/** Answers with a page. @param render gets the nonce that the page's style must carry. */
export async function sendPage(
  reply: FastifyReply,
  status: number,
  render: (nonce: string) => string,
): Promise<void> {
  const nonce = randomBytes(16).toString('base64url');
  await reply.status(status).headers(pageHeaders(nonce)).send(render(nonce));
}

/** Answers with a page that only says something, and leads to the inbox. */
export const sayPage = (
  reply: FastifyReply,
  config: Config,
  status: number,
  { title, text }: { readonly title: string; readonly text: string },
): Promise<void> =>
  sendPage(reply, status, (nonce) => messagePage(nonce, title, text, `${publicUrl(config)}/reviews`));

/** Moves on to the page without the token. */
export async function hideToken(
  reply: FastifyReply,
  config: Config,
  { cookie, token, path }: { readonly cookie: string; readonly token: string; readonly path: string },
): Promise<void> {
  await reply
    .setCookie(cookie, token, {
      path,
      httpOnly: true,
      // Strict would not be sent when somebody comes from a web mail reader; Lax is never sent with a foreign POST.
      sameSite: 'lax',
      secure: publicUrl(config).startsWith('https:'),
      maxAge: COOKIE_SECONDS,
    })
    .headers(UNSEEN)
    .redirect(path, 303);
}

/** For whoever comes without the cookie. */
export const openAgain = (reply: FastifyReply, config: Config): Promise<void> =>
  sayPage(reply, config, 403, {
    title: 'Open the link in the mail again',
    text: 'This page is shown for an hour after the link was opened in the same browser, and it needs a cookie for that.',
  });
