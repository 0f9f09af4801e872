import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { csrfToken } from '../../../src/reviews/channels/mail/link.js';

/** The answer to somebody who follows or confirms a link. */
export interface Answered {
  readonly status: number;
  readonly body: string;
}

const tokenOf = (link: string): string =>
  new URL(link, 'http://here.example').searchParams.get('token') ?? '';

/** Opens a link as a browser does: to the address without the token, with the cookie. */
export async function openLink(
  app: NestFastifyApplication,
  link: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answered> {
  const { pathname, search } = new URL(link, 'http://here.example');
  const first = await app.inject({ method: 'GET', url: `${pathname}${search}`, headers });
  if (first.statusCode !== 303) return { status: first.statusCode, body: first.body };
  const cookies = Object.fromEntries(first.cookies.map(({ name, value }) => [name, value]));
  const url = String(first.headers.location);
  const { statusCode: status, body } = await app.inject({ method: 'GET', url, headers, cookies });
  return { status, body };
}

/** Clicks on the page behind a link, whether or not it shows a button. */
export async function confirmLink(
  app: NestFastifyApplication,
  link: string,
  headers: Readonly<Record<string, string>>,
  csrf = csrfToken(tokenOf(link)),
): Promise<Answered> {
  const { statusCode: status, body } = await app.inject({
    method: 'POST',
    url: new URL(link, 'http://here.example').pathname,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    cookies: { sallyport_slack_link: tokenOf(link) },
    payload: new URLSearchParams({ csrf }).toString(),
  });
  return { status, body };
}
