import { defanged, escapeHtml } from '../../../outbound/safe-text.js';
import type { Review } from '../../review.js';
import { headlineOf, minuteOf, named, nameOf } from '../question.js';

// Gmail cuts a mail off at about 102 kB; the inbox shows the rest.
const MAX_LISTED = 100;

/** The mail about many reviews that wait: what is due first. It links to the inbox and holds no code. */
export function renderDigest(
  reviews: readonly Review[],
  baseUrl: string,
): { subject: string; text: string; html: string } {
  const sorted = [...reviews].sort(
    (a, b) => (a.dueAt ?? Infinity) - (b.dueAt ?? Infinity) || a.createdAt - b.createdAt,
  );
  const listed = sorted.slice(0, MAX_LISTED).map((review) => ({
    headline: defanged(headlineOf(review)),
    name: defanged(nameOf(review, 120)),
    due: review.dueAt === undefined ? '' : `due ${minuteOf(review.dueAt)}`,
    url: `${baseUrl}/reviews/${review.id}`,
  }));
  const more = sorted.length - listed.length;
  const inbox = `${baseUrl}/reviews`;
  const text = [
    `${reviews.length} reviews wait for you.`,
    '',
    ...listed.flatMap(({ headline, name, due, url }) => [
      `- ${named(headline, name)}${due === '' ? '' : ` (${due})`}`,
      `  ${url}`,
    ]),
    ...(more > 0 ? ['', `and ${more} more, in the inbox.`] : []),
    '',
    `Sign in and decide in the inbox: ${inbox}`,
    'We never ask for your password by mail.',
    '',
  ].join('\n');
  const rows = listed.map(
    ({ headline, name, due, url }) =>
      `<tr><td style="padding:6px 0;border-top:1px solid #dfe4ea"><a href="${escapeHtml(url)}">${escapeHtml(headline)}</a><br><span style="color:#5b6776;word-break:break-all">${escapeHtml(name)}</span></td><td style="padding:6px 0 6px 14px;border-top:1px solid #dfe4ea;white-space:nowrap" valign="top">${escapeHtml(due)}</td></tr>`,
  );
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Reviews wait for you</title></head>
<body style="margin:0;padding:24px 12px;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<h1 style="font-size:20px">${reviews.length} reviews wait for you</h1>
<table width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;border-collapse:collapse;font-size:14px">${rows.join('\n')}</table>
${more > 0 ? `<p>and ${more} more, in the inbox.</p>` : ''}
<p><a href="${escapeHtml(inbox)}">Sign in and decide in the inbox</a></p>
<p style="color:#5b6776;font-size:12px">We never ask for your password by mail.</p>
</body></html>
`;
  return { subject: `[Sallyport] ${reviews.length} reviews wait for you`, text, html };
}
