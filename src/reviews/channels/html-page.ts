import { escapeHtml } from '../../outbound/safe-text.js';
import { PAGE_CSS } from './page-style.js';

/** Headers of every page: not kept, not framed, not indexed, and nothing runs or loads but its own style. */
export const pageHeaders = (nonce: string): Readonly<Record<string, string>> => ({
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // Not `no-referrer`: under it browsers post a form with `Origin: null`. The address holds no secret by now.
  'referrer-policy': 'same-origin',
  'x-robots-tag': 'noindex, nofollow, noarchive',
  'x-frame-options': 'DENY',
  'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
});

/** A page that only says something. */
export const messagePage = (nonce: string, title: string, text: string, inboxUrl: string): string =>
  frame(
    nonce,
    title,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>
<p><a href="${escapeHtml(inboxUrl)}">Sign in and open the inbox</a></p>`,
  );

/** A whole page around an already escaped body. */
export const frame = (nonce: string, title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Sallyport</title>
<style nonce="${nonce}">${PAGE_CSS}</style></head>
<body><main>${body}</main></body></html>
`;
