import type { ReportData } from '../../data/report-data.js';
import type { Section } from '../document.js';
import { summaryOf, type KeyNumber } from '../summary.js';
import { minute } from '../words.js';
import { INKS, inkOf, lineHeight, WIDTH, type Paper, type Structure } from './paper.js';

const ENTRY = 9.5;

/** Where the contents go, once the pages are known. */
export interface Contents {
  readonly page: number;
  readonly y: number;
  readonly element: Structure;
}

/** Whether the period was all right, what needs somebody, and room for the contents. */
export function drawFirstPage(paper: Paper, data: ReportData, sections: readonly Section[]): Contents {
  const summary = summaryOf(data);
  const element = paper.section();
  paper.paragraph(element, 'H1', `Audit report ${data.period.label}`, { size: 22, isBold: true });
  const organisation = data.organisation === '' ? '' : `${data.organisation} · `;
  paper.paragraph(
    element,
    'P',
    `${organisation}${minute(data.period.from)} to ${minute(data.period.to)} UTC, days of ${data.period.timeZone}`,
    { size: 9, isBold: false, ink: INKS.soft },
  );
  paper.y += 12;
  const top = paper.y;
  const indent = 12;
  const ink = summary.isAllRight ? INKS.good : INKS.bad;
  paper.paragraph(element, 'P', `${summary.isAllRight ? '✓' : '×'} ${summary.sentences[0]}`, {
    size: 12,
    isBold: true,
    indent,
  });
  paper.paragraph(element, 'P', summary.sentences[1], { size: 10.5, isBold: false, indent });
  if (paper.pageCount === 1)
    paper.decoration(() => paper.doc.rect(paper.left, top, 3.5, paper.y - top).fill(ink));
  paper.y += 14;
  drawNumbers(paper, element, summary.numbers);
  if (summary.needs.length > 0) {
    paper.paragraph(element, 'H2', 'What needs somebody', { size: 12, isBold: true });
    paper.y += 3;
    for (const { what, mustBeDone } of summary.needs)
      paper.paragraph(element, 'P', `${mustBeDone ? 'must be done: ' : ''}${what}`, {
        size: 9,
        isBold: mustBeDone,
        ink: mustBeDone ? INKS.bad : INKS.ink,
        indent: 8,
      });
    paper.y += 12;
  }
  const height = lineHeight(ENTRY) * sections.length;
  paper.ensure(height + 30);
  paper.paragraph(element, 'H2', 'Contents', { size: 12, isBold: true });
  paper.y += 3;
  const contents = { page: paper.pageCount, y: paper.y, element: paper.element('TOC', element) };
  paper.y += height;
  return contents;
}

function drawNumbers(paper: Paper, parent: Structure, numbers: readonly KeyNumber[]): void {
  const gap = 8;
  const width = (WIDTH - gap * (numbers.length - 1)) / numbers.length;
  const inner = width - 14;
  const boxes = numbers.map((number) => [
    paper.styled(number.label, { size: 7.5, isBold: false, ink: INKS.soft }, inner),
    paper.styled(
      number.value,
      { size: 17, isBold: true, ink: number.tone === 'soft' ? INKS.ink : inkOf(number.tone) },
      inner,
    ),
    paper.styled(number.note, { size: 7.5, isBold: false, ink: INKS.soft }, inner),
  ]);
  const heights = boxes.map((parts) =>
    parts.reduce((sum, part) => sum + part.lines.length * lineHeight(part.size), 0),
  );
  const height = Math.max(...heights) + 14;
  paper.ensure(height);
  boxes.forEach((parts, index) => {
    const x = paper.left + index * (width + gap);
    paper.decoration(() =>
      paper.doc.roundedRect(x, paper.y, width, height, 5).lineWidth(0.6).stroke(INKS.line),
    );
    const element = paper.element('P', parent);
    paper.content(element, 'P', () => {
      let y = paper.y + 7;
      for (const part of parts)
        for (const line of part.lines) {
          paper.line(line, part, x + 7, y);
          y += lineHeight(part.size);
        }
    });
    element.end();
  });
  paper.y += height + 14;
}

/** Each section with the page on which it begins. */
export function drawContents(
  paper: Paper,
  { page, y, element }: Contents,
  sections: readonly Section[],
  pages: ReadonlyMap<string, number>,
): void {
  paper.doc.switchToPage(page - 1);
  const style = { size: ENTRY, isBold: false, ink: INKS.ink };
  sections.forEach(({ id, title }, index) => {
    const at = y + index * lineHeight(ENTRY);
    const [name] = paper.styled(title, style, WIDTH * 0.8).lines;
    const [number] = paper.styled(String(pages.get(id) ?? ''), style, WIDTH * 0.1).lines;
    const entry = paper.element('TOCI', element);
    paper.content(entry, 'TOCI', () => {
      if (name !== undefined) paper.line(name, style, paper.left, at);
      if (number !== undefined) paper.line(number, style, paper.left + WIDTH - number.width, at);
    });
    entry.end();
  });
  element.end();
}
