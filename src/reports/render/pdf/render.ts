import { setImmediate as pause } from 'node:timers/promises';
import { visible } from '../../../outbound/safe-text.js';
import type { ReportData, ReportMeta } from '../../data/report-data.js';
import type { Section } from '../document.js';
import { sectionsOf } from '../sections.js';
import { drawBlock } from './blocks.js';
import { drawContents, drawFirstPage } from './first-page.js';
import { INKS, lineHeight, Paper, WIDTH } from './paper.js';

// So many rows take some milliseconds: others in the process wait no longer than that.
const ROWS_AT_ONCE = 20;

/** The report as a tagged PDF: structure, headings of tables, descriptions of charts; no script, no link, nothing loaded. */
export async function renderPdf(data: ReportData, meta: ReportMeta): Promise<Buffer> {
  const title = `Audit report ${visible(data.period.label, 80)}`;
  const paper = new Paper(title, meta);
  const sections = sectionsOf(data, meta);
  const contents = drawFirstPage(paper, data, sections);
  const pages = new Map<string, number>();
  let rows = 0;
  for (const section of sections) {
    pages.set(section.id, beginSection(paper, section));
    for (const _ of sectionBody(paper, section)) {
      rows += 1;
      if (rows % ROWS_AT_ONCE === 0) await pause();
    }
    await pause();
  }
  drawContents(paper, contents, sections, pages);
  drawFeet(paper, data, title);
  return paper.finish();
}

/** @returns the page on which it begins. */
function beginSection(paper: Paper, { title }: Section): number {
  paper.ensure(110);
  if (!paper.isNew) {
    paper.y += 12;
    paper.rule(paper.y);
    paper.y += 8;
  }
  paper.doc.outline.addItem(title);
  return paper.pageCount;
}

function* sectionBody(paper: Paper, { title, speaksTo, blocks }: Section): Generator<void> {
  const element = paper.section();
  paper.paragraph(element, 'H2', title, { size: 15, isBold: true });
  if (speaksTo.length > 0)
    paper.paragraph(element, 'P', `Evidence for ${speaksTo.join(' · ')}`, {
      size: 7.5,
      isBold: false,
      ink: INKS.soft,
    });
  paper.y += 8;
  for (const block of blocks) yield* drawBlock(paper, element, block);
  element.end();
}

function drawFeet(paper: Paper, data: ReportData, title: string): void {
  const organisation = data.organisation === '' ? '' : ` · ${visible(data.organisation, 60)}`;
  const style = { size: 7.5, isBold: false, ink: INKS.soft };
  const [left] = paper.styled(`${title}${organisation}`, style, WIDTH * 0.8).lines;
  paper.onEachPage((number, count) => {
    const [right] = paper.styled(`${number} of ${count}`, style, WIDTH).lines;
    paper.decoration(() => {
      const y = paper.bottom + lineHeight(8);
      if (left !== undefined) paper.line(left, style, paper.left, y);
      if (right !== undefined) paper.line(right, style, paper.left + WIDTH - right.width, y);
    });
  });
}
