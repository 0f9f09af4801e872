import { LINE, literal, mailPage, MUTED, TONE_INKS } from '../../outbound/mail/mail-page.js';
import { defanged, escapeHtml, visible } from '../../outbound/safe-text.js';
import type { ReportData, ReportMeta } from '../data/report-data.js';
import { COVERAGE_GROUPS } from './charts/charts.js';
import type { Tone } from './document.js';
import { equationsOf, equationText, type Equation } from './equation.js';
import { summaryOf, type KeyNumber, type Need, type Summary } from './summary.js';
import { minute, percent, periodWord, whole } from './words.js';

// Gmail cuts a mail off at about 102 kB; the report has what is left out here.
const NEEDS_IN_MAIL = 12;
const EQUATIONS_IN_MAIL = 6;
const MAX_SHOWN = 240;
const MAX_SENTENCE = 500;

/** Text of strangers of bounded length, in a form that no mail reader turns into a link. */
const said = (text: string, max = MAX_SHOWN): string => defanged(visible(text, max));
const inert = (text: string, max = MAX_SHOWN): string => literal(visible(text, max));

/** The mail that says whether the period was all right, and leads to the report. */
export function reportMail(
  data: ReportData,
  meta: ReportMeta,
): { readonly subject: string; readonly text: string; readonly html: string } {
  const summary = summaryOf(data);
  const link = `${meta.url}/reports/${encodeURIComponent(data.reportId.toWellFormed())}`;
  const musts = summary.needs.filter(({ mustBeDone }) => mustBeDone).length;
  const state =
    musts > 0 ? `${whole(musts)} ${musts === 1 ? 'thing needs' : 'things need'} somebody` : 'all right';
  const subject = `[Sallyport] Audit report ${said(data.period.label, 60)}: ${state}${data.period.complete ? '' : ' (so far)'}`;
  return { subject, text: textOf(data, summary, link), html: htmlOf(data, summary, link, subject) };
}

/** The one of the uploads, and what does not add up before what does. */
const equationsShown = (data: ReportData): Equation[] =>
  equationsOf(data)
    .sort((one, other) => Number(one.holds) - Number(other.holds))
    .slice(0, EQUATIONS_IN_MAIL);

const periodText = ({ period }: ReportData): string =>
  `${minute(period.from)} to ${minute(period.to)} UTC, days of ${period.timeZone}`;

/** What became of the uploads, with the share of each. */
function groupsOf({ coverage: { groups } }: ReportData) {
  const total = COVERAGE_GROUPS.reduce((sum, [group]) => sum + groups[group], 0);
  return COVERAGE_GROUPS.map(([group, words]) => ({
    group,
    words,
    many: groups[group],
    share: total === 0 ? 0 : groups[group] / total,
    percentage: percent(groups[group], total),
  }));
}

function textOf(data: ReportData, summary: Summary, link: string): string {
  const { needs, numbers, sentences } = summary;
  const more = needs.length - NEEDS_IN_MAIL;
  const lines = [
    `Audit report ${said(data.period.label)}${data.organisation === '' ? '' : `, ${said(data.organisation)}`}`,
    said(periodText(data)),
    '',
    ...sentences.map((sentence) => said(sentence, MAX_SENTENCE)),
    '',
    ...numbers.map(({ value, label, note }) => `${value} ${label} (${said(note)})`),
    '',
    'Uploads by what became of them:',
    ...groupsOf(data).map(({ words, many, percentage }) => `- ${whole(many)} ${words} (${percentage})`),
    '',
    ...equationsShown(data).flatMap((equation) => [
      `${said(equation.title)}: ${said(equationText(equation), MAX_SENTENCE)}`,
      `  ${equation.holds ? 'ok' : 'NOT ok'}: ${equation.result}`,
    ]),
    '',
    ...(needs.length === 0 ? [] : ['What needs somebody:']),
    ...needs
      .slice(0, NEEDS_IN_MAIL)
      .map(({ what, mustBeDone }) => `- ${mustBeDone ? 'must be done: ' : ''}${said(what)}`),
    ...(more > 0 ? [`and ${whole(more)} more, in the report.`] : []),
    ...(needs.length === 0 ? [] : ['']),
    `Sign in and read the report: ${link}`,
    'We never ask for your password by mail.',
    '',
  ];
  return lines.join('\n');
}

const coloured = (tone: Tone): string =>
  tone === 'soft'
    ? `class="muted" style="color:${MUTED}"`
    : `class="${tone}" style="color:${TONE_INKS[tone]}"`;

function htmlOf(data: ReportData, summary: Summary, link: string, title: string): string {
  const { sentences, numbers, needs, isAllRight } = summary;
  const [tone, mark] = isAllRight ? (['good', '✓'] as const) : (['bad', '×'] as const);
  return mailPage(
    title,
    `<p class="muted" style="margin:0 0 4px;color:${MUTED};font-size:13px">Sallyport &middot; ${inert(periodText(data))}</p>
<h1 style="margin:0 0 12px;font-size:22px;line-height:1.3">Audit report ${inert(data.period.label)}${data.organisation === '' ? '' : `, ${inert(data.organisation)}`}</h1>
<p style="margin:0 0 16px;padding:2px 0 2px 12px;border-left:4px solid ${TONE_INKS[tone]};overflow-wrap:anywhere"><strong><span ${coloured(tone)}>${mark}</span> ${inert(sentences[0], MAX_SENTENCE)}</strong><br>${inert(sentences[1], MAX_SENTENCE)}</p>
${numbersTable(numbers)}
${groupsTable(data)}
${equationsShown(data).map(equationLine).join('\n')}
${needsList(needs)}
<p style="margin:24px 0 12px"><a href="${escapeHtml(link)}" style="display:inline-block;padding:12px 22px;border-radius:8px;background:#20508f;color:#ffffff;font-weight:600;text-decoration:none">Read the report</a></p>`,
    `The address of the report: ${escapeHtml(link)}<br>Times are UTC. The figures are of the ${periodWord(data.kind)}, as of ${minute(data.asOf)}.<br>We never ask for your password by mail.`,
  );
}

const numbersTable = (numbers: readonly KeyNumber[]): string =>
  `<table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;font-size:14px">${numbers
    .map(
      ({ value, label, note, tone }) =>
        `<tr><td class="line" align="right" valign="top" style="padding:6px 12px 6px 0;border-top:1px solid ${LINE};font-size:20px;font-weight:700;line-height:1.2;white-space:nowrap">${tone === 'soft' ? value : `<span ${coloured(tone)}>${value}</span>`}</td><th class="line" scope="row" width="100%" align="left" valign="top" style="padding:6px 0;border-top:1px solid ${LINE};font-weight:600">${label}<br><span class="muted" style="color:${MUTED};font-weight:400">${inert(note)}</span></th></tr>`,
    )
    .join('')}</table>`;

const BAR_INKS = {
  clean: '#15703f',
  found: '#c0392b',
  notWhole: '#b8690b',
  notScanned: '#7b8794',
  pending: '#0f766e',
};

/** Bars of table cells: a mail reader draws nothing else. */
function groupsTable(data: ReportData): string {
  const rows = groupsOf(data).map(({ group, words, many, share, percentage }) => {
    const bar =
      many === 0
        ? ''
        : `<table role="presentation" width="${Math.max(1, Math.round(share * 100))}%" cellpadding="0" cellspacing="0"><tr><td height="10" style="height:10px;background:${BAR_INKS[group]};border-radius:3px;font-size:0;line-height:0">&nbsp;</td></tr></table>`;
    return `<tr><th scope="row" align="left" style="padding:2px 12px 2px 0;font-weight:400;white-space:nowrap">${words}</th><td align="right" style="padding:2px 12px 2px 0;white-space:nowrap">${whole(many)}</td><td align="right" style="padding:2px 12px 2px 0;white-space:nowrap">${percentage}</td><td width="60%" style="padding:2px 0">${bar}</td></tr>`;
  });
  return `<h2 style="font-size:15px;margin:22px 0 6px">Uploads by what became of them</h2><table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;font-size:13px">${rows.join('')}</table>`;
}

const equationLine = (equation: Equation): string =>
  `<p style="margin:8px 0 0;font-size:13px;overflow-wrap:anywhere"><span class="muted" style="color:${MUTED}">${inert(equation.title)}</span><br>${inert(equationText(equation), MAX_SENTENCE)} <strong ${coloured(equation.holds ? 'good' : 'bad')}>${equation.holds ? '✓' : '×'} ${inert(equation.result)}</strong></p>`;

function needsList(needs: readonly Need[]): string {
  if (needs.length === 0) return '';
  const more = needs.length - NEEDS_IN_MAIL;
  const rows = needs
    .slice(0, NEEDS_IN_MAIL)
    .map(
      ({ what, mustBeDone }) =>
        `<p class="line" style="margin:0;padding:6px 0;border-top:1px solid ${LINE};font-size:14px;overflow-wrap:anywhere">${mustBeDone ? `<strong ${coloured('bad')}>must be done</strong> ` : ''}${inert(what)}</p>`,
    );
  return `<h2 style="font-size:15px;margin:22px 0 6px">What needs somebody</h2>${rows.join('\n')}${
    more > 0
      ? `<p class="muted" style="margin:6px 0 0;color:${MUTED}">and ${whole(more)} more, in the report</p>`
      : ''
  }`;
}
