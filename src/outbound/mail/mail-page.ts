import { defanged, escapeHtml } from '../safe-text.js';

/*
 * What our mails look like: one card, readable in light and dark, nothing loaded from elsewhere. Mail readers know little
 * of style sheets, so that every colour stands inline and the classes only turn it dark.
 */

export const INK = '#1c2430';
export const MUTED = '#5b6776';
export const LINE = '#dfe4ea';
export const TONE_INKS = { good: '#15703f', warn: '#8f4a00', bad: '#a8322a' } as const;

/** A stranger's text: escaped, and its dots set apart so that mail readers see no address in it. */
export const literal = (text: string): string =>
  escapeHtml(text).replaceAll('.', '<span>.</span>').replaceAll('://', '<span>:</span>//');

/** A whole mail around an already escaped body and foot. */
export const mailPage = (title: string, body: string, foot: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(defanged(title))}</title>
<style>
@media (prefers-color-scheme: dark) {
  .bg { background: #12161c !important; }
  .card { background: #1b212a !important; border-color: #313a47 !important; }
  .ink, .ink td, .ink th { color: #e8ecf1 !important; }
  .muted { color: #a3afbf !important; }
  .line { border-color: #313a47 !important; }
  .good { color: #4ade80 !important; }
  .warn { color: #f5b14c !important; }
  .bad { color: #ff8088 !important; }
  .code { background: #262e3a !important; color: #fff !important; }
}
</style></head>
<body class="bg" style="margin:0;padding:0;background:#f2f4f7">
<table role="presentation" class="bg" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f4f7"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card ink" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;border:1px solid ${LINE};border-radius:10px;color:${INK};font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"><tr><td style="padding:28px 28px 8px">
${body}
</td></tr><tr><td class="line" style="padding:14px 28px 24px;border-top:1px solid ${LINE}">
<p class="muted" style="margin:0;color:${MUTED};font-size:12px;line-height:1.6;overflow-wrap:anywhere;word-break:break-word">${foot}</p>
</td></tr></table></td></tr></table></body></html>
`;
