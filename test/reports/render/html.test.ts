import fc from 'fast-check';
import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect, it } from 'vitest';
import { SECTIONS } from '../../../src/reports/data/controls.js';
import type { ReportData } from '../../../src/reports/data/report-data.js';
import { renderHtml } from '../../../src/reports/render/html/page.js';
import { emptyWeek } from '../../support/reports/empty-week.js';
import { HOSTILE_TEXTS, hostileWeek } from '../../support/reports/hostile-week.js';
import { ordinaryWeek } from '../../support/reports/ordinary-week.js';
import { reportMeta } from '../../support/reports/parts.js';
import { stormWeek } from '../../support/reports/storm-week.js';
import { anyReport } from './any-report.js';

type Element = DefaultTreeAdapterTypes.Element;

const ELEMENTS: ReadonlySet<string> = new Set(
  'html head meta title style body a main h1 h2 h3 p nav ol ul li dl dt dd div section span b strong code figure figcaption svg desc rect polyline circle text table caption colgroup col thead tbody tr th td footer'.split(
    ' ',
  ),
);
const ATTRIBUTES: ReadonlySet<string> = new Set(
  'lang charset name content http-equiv class href id aria-label aria-labelledby role tabindex scope style viewBox x y cx cy r width height points text-anchor'.split(
    ' ',
  ),
);

/** Every element, and what a reader of the letter of the specification complains of. */
function read(page: string): { elements: Element[]; errors: string[] } {
  const errors: string[] = [];
  const document = parse(page, {
    onParseError: ({ code, startLine }) => errors.push(`${code}:${startLine}`),
  });
  const elements: Element[] = [];
  const walk = (node: DefaultTreeAdapterTypes.ChildNode): void => {
    if (!('tagName' in node)) return;
    elements.push(node);
    node.childNodes.forEach(walk);
  };
  document.childNodes.forEach(walk);
  return { elements, errors };
}

const attribute = (element: Element, name: string): string | undefined =>
  element.attrs.find((one) => one.name === name)?.value;
const textIn = (element: Element): string =>
  element.childNodes
    .map((child) => ('value' in child ? child.value : 'tagName' in child ? textIn(child) : ''))
    .join('');
const page = (data: ReportData): string => renderHtml(data, reportMeta);
const textOf = (data: ReportData): string => textIn(read(page(data)).elements[0]!).replace(/\s+/g, ' ');

describe('the page of a report', { timeout: 60_000 }, () => {
  it('is well formed, harmless and whole for any report', () => {
    fc.assert(
      fc.property(anyReport, (data) => {
        const { elements, errors } = read(page(data));
        expect(errors).toEqual([]);
        for (const element of elements) {
          expect(ELEMENTS).toContain(element.tagName);
          for (const { name, value } of element.attrs) {
            expect(ATTRIBUTES).toContain(name);
            if (name === 'href') expect(value).toMatch(/^#[a-z]+$/);
          }
        }
        const anchors = elements.flatMap((element) => attribute(element, 'id') ?? []);
        expect(new Set(anchors).size).toBe(anchors.length);
        for (const section of SECTIONS) expect(anchors).toContain(section);
      }),
      { numRuns: 25 },
    );
  });

  it('shows hidden characters and takes no markup from names', () => {
    const html = page(hostileWeek());
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;');
    expect(html).toContain('invoice\\u{202e}gnp.exe');
    expect(html).toContain('line\\u{a}break\\u{d}\\u{9}tab\\u{0}nul');
    expect(html).not.toMatch(/[\u202a-\u202e\u200b\ufeff\u0000]/);
  });

  it('cuts nothing of a key of 1,024 bytes', () => {
    const longest = HOSTILE_TEXTS.at(-1)!;
    expect(Buffer.byteLength(longest)).toBe(1024);
    expect(page(hostileWeek())).toContain(longest);
  });

  it.each([
    ['ordinary', ordinaryWeek()],
    ['empty', emptyWeek()],
    ['storm', stormWeek()],
  ])('gives every table of an %s week a caption, scopes and as many cells as headings', (_, data) => {
    const tables = read(page(data)).elements.filter(({ tagName }) => tagName === 'table');
    expect(tables.length).toBeGreaterThan(2);
    for (const table of tables) {
      const inside: Element[] = [];
      const walk = (element: Element): void =>
        element.childNodes.forEach((child) => {
          if (!('tagName' in child)) return;
          inside.push(child);
          walk(child);
        });
      walk(table);
      expect(inside.some(({ tagName }) => tagName === 'caption')).toBe(true);
      for (const heading of inside.filter(({ tagName }) => tagName === 'th'))
        expect(['row', 'col']).toContain(attribute(heading, 'scope'));
      const widths = inside
        .filter(({ tagName }) => tagName === 'tr')
        .map((row) => row.childNodes.filter((child) => 'tagName' in child).length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  it('describes every chart and has its numbers beside it', () => {
    const { elements } = read(page(ordinaryWeek()));
    const charts = elements.filter(({ tagName }) => tagName === 'svg');
    expect(charts).toHaveLength(3);
    for (const chart of charts)
      expect(chart.childNodes.slice(0, 4).map((child) => child.nodeName)).toEqual(
        expect.arrayContaining(['title', 'desc']),
      );
    expect(textOf(ordinaryWeek())).toContain('Of 1,240 uploads: 95.2 % clean, 1.0 % something found');
  });

  it('goes down one heading at a time', () => {
    const levels = read(page(stormWeek()))
      .elements.filter(({ tagName }) => /^h\d$/.test(tagName))
      .map(({ tagName }) => Number(tagName[1]));
    expect(levels[0]).toBe(1);
    levels.reduce((before, level) => {
      expect(level).toBeLessThanOrEqual(before + 1);
      return level;
    });
  });

  it('says that a good week was all right', () => {
    const text = textOf(ordinaryWeek());
    expect(text).toContain(
      'The week was all right: all 1,240 uploads are accounted for and every check passed.',
    );
    expect(text).toContain('Nothing needs anybody.');
    expect(text).toContain(
      '1,240 uploaded + 3 written by releases = 2 pending + 1,180 clean + 3 infected + 9 secrets + 4 encrypted + 2 incomplete + 40 skipped + 3 written by releases ✓ adds up',
    );
    expect(text).toContain('21 open before + 14 new + 1 reopened − 17 closed = 19 open at the end ✓ adds up');
  });

  it('says of a bad week what needs somebody, what is missing, and where the rest is', () => {
    const text = textOf(stormWeek());
    expect(text).toContain('The week was not all right.');
    expect(text).toContain('Check failed: Nobody decided about their own upload or request (12 cases)');
    expect(text).toContain('× 3 uploads not accounted for');
    expect(text).toContain('9,500 more, all in data/decisions.csv.');
    expect(text).toContain('Nobody read report 2026-W47 in time');
    expect(text).toContain('Not compared with its own listing: bucket partners');
  });

  it('believes no sum that does not add up, whatever the data says of it', () => {
    const week = ordinaryWeek();
    const wrong = { ...week.findings, balance: { ...week.findings.balance, closing: 20, addsUp: true } };
    expect(textOf({ ...week, findings: wrong })).toContain('= 20 open at the end × the sides differ by 1');
  });

  it('prints at each section what it holds evidence for', () => {
    const text = textOf(ordinaryWeek());
    expect(text).toContain('Coverage Evidence for SOC 2 CC7.2 · ISO 27001:2022 A.8.7');
    expect(text).toContain('It is no statement of conformity');
  });

  it('shows a restated figure beside what was said', () => {
    expect(textOf(stormWeek())).toMatch(
      /2026-W47\s*00000000-0000-4000-8000-000000000046\s*uploads\s*1190\s*1193\s*\+3/,
    );
  });

  it('says of an empty week that nothing happened, in every section', () => {
    const text = textOf(emptyWeek());
    expect(text).toContain('The week was all right: nothing was uploaded and every check passed.');
    expect(text).toContain('0 uploaded = 0 with a verdict ✓ adds up');
    expect(text).toContain('Nothing was decided in this period.');
    expect(text).toContain('There is no report before this one.');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says of a period that was not over that its figures are those so far', () => {
    const week = ordinaryWeek();
    expect(textOf({ ...week, period: { ...week.period, complete: false } })).toContain(
      'these are the figures so far',
    );
  });

  it('loads nothing and runs nothing', () => {
    expect(page(stormWeek())).not.toMatch(/https?:|src=|url\(|@import|<script| on\w+=/);
  });
});
