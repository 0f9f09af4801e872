import { escapeHtml, visible } from '../outbound/safe-text.js';
import { reasonWords } from '../verdicts/reason-words.js';
import { equationOf } from './arithmetic.js';
import { VERDICTS } from '../verdicts/verdict.js';
import type { ReportData } from './report-data.js';

// Longer than any object key, so that nothing of one is cut.
const MAX_SHOWN = 2000;

/** Text of strangers: every character can be seen, none is markup. */
const inert = (text: string): string => escapeHtml(visible(text, MAX_SHOWN));

const utc = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const STYLE = `
:root{color-scheme:light dark;--ink:#16202a;--soft:#526170;--line:#d8dfe4;--paper:#fff;--ground:#f4f6f7;--accent:#0f766e;--bad:#c01f2f;--good:#15803d}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf2;--soft:#98a8b5;--line:#2b3741;--paper:#12171c;--ground:#0b0f13;--accent:#2dd4bf;--bad:#ff8088;--good:#4ade80}}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.5rem 4rem;background:var(--paper)}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .6rem}
.soft{color:var(--soft)}table{width:100%;border-collapse:collapse;font-size:.93rem}
th{text-align:left;color:var(--soft);font-weight:550;border-bottom:1px solid var(--line);padding:.35rem .6rem .35rem 0}
td{border-bottom:1px solid var(--line);padding:.35rem .6rem .35rem 0;vertical-align:top;overflow-wrap:anywhere}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:inline-block;height:.7em;background:var(--accent);border-radius:3px;vertical-align:middle}
.equation{font-size:1.05rem;padding:.8rem 1rem;border:1px solid var(--line);border-radius:10px}
.ok{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}
@media print{body,main{background:#fff;color:#000}h2{break-after:avoid}tr{break-inside:avoid}}`;

/** One self-contained page: no script, no remote content; readable in light, dark and print. */
export function renderHtml(data: ReportData): string {
  const { period, coverage } = data;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit report ${inert(period.label)}</title><style>${STYLE}</style></head><body><main>
<h1>Audit report ${inert(period.label)}</h1>
<p class="soft">${utc(period.from)} to ${utc(period.to)} UTC, weeks of ${inert(period.timeZone)}${period.complete ? '' : ' — the week is not over; figures so far'}.
Made ${utc(data.generatedAt)} UTC by Sallyport ${inert(data.software)}. Report ${data.reportId}.</p>
${coverageSection(coverage)}
${reviewSection(data)}
${findingsSection(data)}
${notCleanSection(data)}
${decisionsSection(data)}
${enginesSection(data)}
</main></body></html>
`;
}

function coverageSection(coverage: ReportData['coverage']): string {
  const { groups, copies } = coverage;
  const present = VERDICTS.filter((verdict) => coverage.byVerdict[verdict] > 0);
  const check = coverage.addsUp
    ? '<span class="ok">✓ adds up</span>'
    : `<span class="no">✕ ${coverage.gap} not accounted for</span>`;
  const rows = present.map((verdict) => {
    const count = coverage.byVerdict[verdict];
    const share = coverage.accountedFor === 0 ? 0 : count / coverage.accountedFor;
    return `<tr><td>${verdict}</td><td class="n">${count}</td><td class="n">${percent(share)}</td><td><span class="bar" style="width:${(share * 12).toFixed(2)}rem"></span></td></tr>`;
  });
  return `<h2>Coverage</h2>
<p class="equation">${equationOf(coverage)} &nbsp; ${check}</p>
<p>${groups.clean} were looked at whole by what their buckets require and nothing was found. In ${groups.found} something was found. ${groups.notWhole} were not looked at
whole, each with its reason below. ${groups.notScanned} needed no scan (skipped by a rule, overwritten, gone). ${groups.pending} still wait.${
    copies.accountedFor === 0
      ? ''
      : ' A copy that a release wrote is no upload: what was scanned is the upload that it came from.'
  }</p>
<table><thead><tr><th>Verdict</th><th class="n">Objects</th><th class="n">Share</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function reviewSection({ reviews }: ReportData): string {
  const oldest =
    reviews.oldestOpenSince === null
      ? ''
      : `; the oldest open one waits since ${utc(reviews.oldestOpenSince)} UTC`;
  return `<h2>People</h2><p>${reviews.opened} reviews opened, ${reviews.decided} decided, ${reviews.openAtEnd} open at the end${oldest}.</p>`;
}

function findingsSection({ findingsByRule }: ReportData): string {
  const rows = findingsByRule.map(
    (rule) =>
      `<tr><td>${inert(rule.title)} <span class="soft">${inert(rule.ruleId)}</span></td><td>${inert(rule.kind)}</td><td>${inert(rule.severity)}</td><td class="n">${rule.count}</td><td class="n">${rule.objects}</td></tr>`,
  );
  return `<h2>Findings by rule</h2>${table(['Rule', 'Kind', 'Severity', '#Findings', '#Objects'], rows, 'Nothing was found.')}`;
}

function notCleanSection({ notClean, notCleanTotal }: ReportData): string {
  const rows = notClean.map(
    (row) =>
      `<tr><td>${inert(row.object)}</td><td>${inert(row.verdict)}</td><td>${inert(reasonWords(row.verdict, row.reason))}</td><td>${inert(row.decision ?? '–')}</td><td>${inert(row.action ?? '–')}</td><td class="n">${utc(row.uploadedAt)}</td></tr>`,
  );
  return `<h2>Uploads that are not clean</h2>${table(['Object', 'Verdict', 'Reason', 'Decision', 'Action', '#Uploaded'], rows, 'None.')}${more(notClean.length, notCleanTotal)}`;
}

function decisionsSection({ decisions, decisionsTotal }: ReportData): string {
  const rows = decisions.map(
    (row) =>
      `<tr><td>${inert(row.object)}</td><td>${inert(row.outcome)}</td><td>${inert(row.by)}</td><td>${inert(row.reason)}</td><td class="n">${utc(row.at)}</td></tr>`,
  );
  return `<h2>Decision register</h2>${table(['Object', 'Outcome', 'By', 'Reason', '#When'], rows, 'No decision in this period.')}${more(decisions.length, decisionsTotal)}<p class="soft">Decisions about uploads. Questions about no upload are counted under People, and are not listed here.</p>`;
}

function enginesSection({ engines }: ReportData): string {
  const rows = engines.map(
    (engine) =>
      `<tr><td>${inert(engine.name)}</td><td>${inert(engine.version)}</td><td>${inert(engine.database ?? '–')}</td><td class="n">${engine.verdicts}</td></tr>`,
  );
  return `<h2>Engines that looked</h2>${table(['Engine', 'Version', 'Database', '#Verdicts'], rows, 'No engine reported in this period.')}`;
}

/** A heading that begins with # is a right-aligned column. */
function table(headings: readonly string[], rows: readonly string[], empty: string): string {
  if (rows.length === 0) return `<p class="soft">${empty}</p>`;
  const cells = headings.map((heading) =>
    heading.startsWith('#') ? `<th class="n">${heading.slice(1)}</th>` : `<th>${heading}</th>`,
  );
  return `<table><thead><tr>${cells.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const more = (listed: number, total: number): string =>
  total > listed
    ? `<p class="soft">${total - listed} more are in the ledger; the counts above include them.</p>`
    : '';
