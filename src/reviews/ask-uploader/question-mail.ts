import { defanged, escapeHtml, visible, visibleLines } from '../../outbound/safe-text.js';
import { minuteOf } from '../channels/question.js';
import type { Review } from '../review.js';
import type { UploaderQuestion } from './sql/questions.js';

/** What of the object a stranger to the reviews is shown: its name, and nothing of what was found in it. */
export function objectText({ subject, title }: Pick<Review, 'subject' | 'title'>): string {
  const { object } = subject;
  return visible(object === undefined ? title : `${object.ref.bucket}/${object.ref.key}`, 300);
}

/** The mail that asks an uploader. */
export function questionMail(
  question: UploaderQuestion,
  review: Pick<Review, 'subject' | 'title'>,
  { linkUrl, code }: { readonly linkUrl: string; readonly code: string },
): { subject: string; text: string; html: string } {
  const spaced = code.replace(/(\d{4})(?=\d)/g, '$1 ');
  const object = defanged(objectText(review));
  const asker = defanged(visible(question.askedByName, 100));
  const lines = visibleLines(question.question);
  const until = minuteOf(question.answerBy);
  const foot = `The link is for ${question.email} and works until ${until}. Do not forward this mail.`;
  return {
    subject: `[Sallyport] A question about your upload: ${defanged(visible(objectText(review), 80))}`,
    text: [
      `${asker} looks at an upload that is taken for yours, and asks:`,
      '',
      ...lines.map((line) => `> ${defanged(line)}`),
      '',
      `Object: ${object}`,
      '',
      'Open the page and answer. Opening it changes nothing:',
      linkUrl,
      '',
      `Your code for the answer: ${spaced}`,
      '',
      foot,
      'If you did not upload it, say so there. We never ask for your password by mail, nor for a secret.',
      '',
    ].join('\n'),
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>A question about your upload</title></head>
<body style="margin:0;padding:24px 12px;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<h1 style="font-size:20px">A question about your upload</h1>
<p>${escapeHtml(asker)} looks at an upload that is taken for yours, and asks:</p>
<blockquote style="margin:0 0 16px;padding-left:10px;border-left:3px solid #41526b">${lines.map((line) => escapeHtml(defanged(line))).join('<br>')}</blockquote>
<p style="word-break:break-all">Object: <code>${escapeHtml(object)}</code></p>
<p><a href="${escapeHtml(linkUrl)}">Read and answer</a></p>
<p>Your code for the answer: <strong>${spaced}</strong></p>
<p style="color:#5b6776;font-size:12px">${escapeHtml(foot)}<br>If you did not upload it, say so there. We never ask for your password by mail, nor for a secret.</p>
</body></html>
`,
  };
}
