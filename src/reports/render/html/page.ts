import type { ReportData, ReportMeta } from '../../data/report-data.js';
import type { Section } from '../document.js';
import { sectionsOf } from '../sections.js';
import { summaryOf, type Summary } from '../summary.js';
import { minute } from '../words.js';
import { blockOf } from './blocks.js';
import { classed, markup, Markup } from './markup.js';
import { STYLE } from './style.js';

/** One self-contained page: no script, no remote content; readable in light, dark and print, and the accessible form. */
export function renderHtml(data: ReportData, meta: ReportMeta): string {
  const sections = sectionsOf(data, meta);
  const summary = summaryOf(data);
  const title = `Audit report ${data.period.label}`;
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#contents">Skip to the contents</a>
        <main>
          <h1>${title}</h1>
          <p class="soft">
            ${data.organisation === '' ? '' : `${data.organisation} · `}${minute(data.period.from)} to
            ${minute(data.period.to)} UTC, days of ${data.period.timeZone}
          </p>
          ${summaryMarkup(summary)}
          <nav id="contents" aria-label="Contents">
            <h2>Contents</h2>
            <ol>
              ${sections.map(({ id, title: name }) => markup`<li><a href="#${id}">${name}</a></li>`)}
            </ol>
          </nav>
          ${sections.map(sectionOf)}
          <footer>
            Report ${data.reportId}, made ${minute(meta.generatedAt)} UTC by Sallyport ${data.software}. Times
            are UTC. What is listed here is at most the first rows; the data files beside it have all.
          </footer>
        </main>
      </body>
    </html> `.text;
}

const summaryMarkup = ({ isAllRight, sentences, numbers, needs }: Summary): Markup =>
  markup`<div class="${isAllRight ? 'verdict' : 'verdict no'}">
      <p>${isAllRight ? '✓' : '×'} ${sentences[0]}</p>
      <p>${sentences[1]}</p>
    </div>
    <dl class="numbers">
      ${numbers.map(
        ({ label, value, note, tone }) =>
          markup`<div>
            <dt>${label}</dt>
            <dd${classed('value', tone === 'soft' ? '' : tone)}>${value}</dd>
            <dd class="note">${note}</dd>
          </div>`,
      )}
    </dl>
    ${
      needs.length === 0
        ? ''
        : markup`<h2>What needs somebody</h2>
            <ul class="needs">
              ${needs.map(({ what, section, mustBeDone }) => markup`<li>${mustBeDone ? markup`<span class="bad strong">must be done</span> ` : ''}<a href="#${section}">${what}</a></li>`)}
            </ul>`
    }`;

const sectionOf = ({ id, title, speaksTo, blocks }: Section): Markup =>
  markup`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${speaksTo.length === 0 ? '' : markup`<p class="speaks">Evidence for ${speaksTo.join(' · ')}</p>`}
    ${blocks.map((block) => markup`${blockOf(block)} `)}
  </section> `;
