import type { Instant } from '../../../clock.js';
import type { Review } from '../../review.js';
import type { Telling } from '../channel.js';
import { minuteOf, named, questionOf, type Question } from '../question.js';
import { tellingWords, type TellingWords } from '../telling-words.js';
import { INK, LINE, literal, mailPage, MUTED } from '../../../outbound/mail/mail-page.js';
import { defanged, escapeHtml, visible, visibleLines } from '../../../outbound/safe-text.js';

export interface MailParts {
  readonly email: string;
  readonly code: string;
  readonly expiresAt: Instant;
  readonly linkUrl: string;
  readonly inboxUrl: string;
  readonly dryRun: boolean;
  readonly telling: Telling;
  /** What can be done by answering; absent where no answer is taken. */
  readonly replyHelp?: string | undefined;
}

// Gmail cuts a mail off at about 102 kB; the page shows what is left out here.
const FINDINGS_IN_MAIL = 10;
const LINES_IN_MAIL = 50;

/** The mail that asks one person about one review. Nothing in it is loaded from elsewhere, nothing in it decides. */
export function renderMail(
  review: Review,
  parts: MailParts,
): { subject: string; text: string; html: string } {
  const question = questionOf(review, FINDINGS_IN_MAIL, parts.dryRun);
  return {
    subject: subjectOf(question.headline, visible(question.name, 80)),
    text: textOf(question, parts),
    html: htmlOf(question, parts),
  };
}

/** What is asked, and about what where the question does not say so itself. */
export const subjectOf = (headline: string, name: string): string =>
  `[Sallyport] ${defanged(named(headline, headline.includes(name) ? '' : name))}`;

/** What was said, line by line; every character can be seen. */
function saidLines({ said }: TellingWords): string[] {
  if (said === undefined) return [];
  const lines = visibleLines(said);
  const shown = lines.slice(0, LINES_IN_MAIL);
  return lines.length > shown.length ? [...shown, '…'] : shown;
}

const spaced = (code: string): string => code.replace(/(\d{4})(?=\d)/g, '$1 ');

function textOf(question: Question, parts: MailParts): string {
  const { facts, findings, outcomes, more } = question;
  const why = tellingWords(parts.telling);
  const lines = [
    `${defanged(question.headline)}. ${defanged(why.line)}`,
    ...saidLines(why).map((line) => `> ${defanged(line)}`),
    '',
    ...facts.map(({ label, value }) => `${label}: ${defanged(value)}`),
    '',
  ];
  if (findings.length > 0) {
    lines.push('What was found:');
    for (const finding of findings) {
      lines.push(`- ${finding.severity}: ${defanged(finding.title)} (${defanged(finding.ruleId)})`);
      lines.push(`  in ${defanged(finding.where)}`);
      if (finding.excerpt !== '') lines.push(`  ${defanged(finding.excerpt)}`);
    }
    if (more > 0) lines.push(`and ${more} more.`);
    lines.push('');
  }
  lines.push('What you can decide:');
  for (const { label, effect } of outcomes) lines.push(`- ${defanged(label)}: ${defanged(effect)}`);
  lines.push(
    '',
    'Open the page, read, decide. Opening it changes nothing:',
    parts.linkUrl,
    '',
    `Your code for the decision: ${spaced(parts.code)}`,
    '',
    `The link is for ${parts.email} and works until ${minuteOf(parts.expiresAt)}. Do not forward this mail.`,
    `Or sign in and decide in the inbox: ${parts.inboxUrl}`,
    ...(parts.replyHelp === undefined ? [] : [`Or reply. ${defanged(parts.replyHelp)}`]),
    'We never ask for your password by mail.',
    '',
  );
  return lines.join('\n');
}

const TONES = { primary: '#1a6b4f', danger: '#a8322a', neutral: '#41526b' } as const;

const nameLine = ({ name }: Question): string =>
  name === ''
    ? ''
    : `<p style="margin:0 0 18px;font:14px/1.5 ui-monospace,Menlo,Consolas,monospace;word-break:break-all">${literal(name)}</p>`;

function htmlOf(question: Question, parts: MailParts): string {
  const why = tellingWords(parts.telling);
  return mailPage(
    question.headline,
    `<p class="muted" style="margin:0 0 4px;color:${MUTED};font-size:13px">Sallyport &middot; ${literal(why.line)}</p>
${saidQuote(why)}<h1 style="margin:0 0 4px;font-size:22px;line-height:1.3">${literal(question.headline)}</h1>
${nameLine(question)}
${factsTable(question)}
${findingsList(question)}
<h2 style="font-size:15px;margin:22px 0 6px">What you can decide</h2>
${question.outcomes
  .map(
    ({ label, effect, tone }) =>
      `<p style="margin:0 0 6px;padding-left:10px;border-left:3px solid ${TONES[tone]}"><strong>${escapeHtml(label)}</strong><br>${escapeHtml(effect)}</p>`,
  )
  .join('\n')}
<p style="margin:24px 0 12px"><a href="${escapeHtml(parts.linkUrl)}" style="display:inline-block;padding:12px 22px;border-radius:8px;background:#20508f;color:#ffffff;font-weight:600;text-decoration:none">Read and decide</a></p>
<p style="margin:0 0 6px">Your code for the decision:</p>
<p class="code" style="display:inline-block;margin:0 0 14px;padding:8px 16px;border-radius:8px;background:#eef2f7;color:${INK};font:700 22px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px">${spaced(parts.code)}</p>`,
    `Opening the page changes nothing. The link is for ${escapeHtml(parts.email)} and works until ${minuteOf(parts.expiresAt)}: do not forward this mail.<br>The address of the page: ${escapeHtml(parts.linkUrl)}<br>Or sign in and decide in the inbox: ${escapeHtml(parts.inboxUrl)}<br>We never ask for your password by mail.`,
  );
}

/** An answer or a reason, before everything else: it is what the mail comes for. */
function saidQuote(why: TellingWords): string {
  const lines = saidLines(why);
  return lines.length === 0
    ? ''
    : `<blockquote class="line" style="margin:0 0 14px;padding:2px 0 2px 12px;border-left:3px solid ${LINE};overflow-wrap:anywhere">${lines.map(literal).join('<br>')}</blockquote>\n`;
}

const factsTable = ({ facts }: Question): string =>
  `<table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;font-size:14px">${facts
    .map(
      (fact) =>
        `<tr><th class="line" scope="row" align="left" valign="top" style="padding:5px 14px 5px 0;border-top:1px solid ${LINE};font-weight:600;white-space:nowrap">${escapeHtml(fact.label)}</th><td class="line" style="padding:5px 0;border-top:1px solid ${LINE};word-break:break-all">${literal(fact.value)}</td></tr>`,
    )
    .join('')}</table>`;

function findingsList({ findings, more }: Question): string {
  if (findings.length === 0) return '';
  const rows = findings.map(
    (finding) =>
      `<p class="line" style="margin:0;padding:7px 0;border-top:1px solid ${LINE};font-size:14px"><strong>${escapeHtml(finding.severity)}</strong> ${literal(finding.title)}<br><span class="muted" style="color:${MUTED};word-break:break-all">${literal(finding.where)}</span>${
        finding.excerpt === ''
          ? ''
          : `<br><code style="font:13px ui-monospace,Menlo,Consolas,monospace;word-break:break-all">${literal(finding.excerpt)}</code>`
      }</p>`,
  );
  return `<h2 style="font-size:15px;margin:22px 0 6px">What was found</h2>${rows.join('\n')}${
    more > 0 ? `<p class="muted" style="margin:6px 0 0;color:${MUTED}">and ${more} more, on the page</p>` : ''
  }`;
}
