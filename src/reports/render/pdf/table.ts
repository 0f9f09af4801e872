import { moreText, type Cell, type Column, type Line, type Table } from '../document.js';
import { whole } from '../words.js';
import { shortened } from './shortened.js';
import { INKS, inkOf, lineHeight, WIDTH, type Paper, type Structure, type Styled } from './paper.js';

const TEXT = 8;
const CODE = 7;
const GAP = 8;
const PADDING = 3;
// What uploads bring about is as long as strangers want it to be: paper has less of it than the page and the data file.
const MOST_ROWS = 200;
const MOST_OF_CODE = 200;
const MOST_OF_TEXT = 1000;

interface CellBox {
  readonly x: number;
  readonly width: number;
  readonly isNumber: boolean;
  readonly parts: readonly Styled[];
  readonly share: number | undefined;
  readonly element: Structure;
  readonly type: 'TH' | 'TD';
}

/**
 * A table over as many pages as it takes, with its headings on each; a row may be longer than a page. What it leaves out it
 * says, and where that is.
 */
export function* drawTable(paper: Paper, parent: Structure, table: Table): Generator<void> {
  const rows = table.isRegister === true ? table.rows : table.rows.slice(0, MOST_ROWS);
  const [first] = rows;
  if (first === undefined) {
    paper.ensure(40);
    paper.paragraph(parent, 'H3', table.caption, { size: 9.5, isBold: true });
    paper.paragraph(parent, 'P', table.empty, { size: TEXT + 0.5, isBold: false, ink: INKS.soft });
  } else {
    // The headings stay with the first row, or with as much of it as is worth reading.
    paper.ensure(50 + Math.min(rowHeight(paper, table.columns, first), 150));
    const element = paper.element('Table', parent);
    paper.paragraph(element, 'Caption', table.caption, { size: 9.5, isBold: true });
    yield* drawRows(paper, element, table.columns, rows);
    element.end();
  }
  const more = moreText(table, table.rows.length - rows.length);
  if (more !== undefined)
    paper.paragraph(parent, 'P', more, { size: TEXT + 0.5, isBold: false, ink: INKS.soft });
  paper.y += 12;
}

function* drawRows(
  paper: Paper,
  table: Structure,
  columns: Table['columns'],
  rows: Table['rows'],
): Generator<void> {
  const places = placesOf(paper, columns);
  const head = paper.element('THead', table);
  drawHeadings(paper, columns, places, head);
  head.end();
  const body = paper.element('TBody', table);
  for (const row of rows) {
    const element = paper.element('TR', body);
    const boxes = row.map((cell, index) => cellBox(paper, element, cell, places[index]!, index === 0));
    drawRow(paper, boxes, () => drawHeadings(paper, columns, places));
    element.end();
    yield;
  }
  body.end();
}

function rowHeight(paper: Paper, columns: readonly Column[], row: readonly Cell[]): number {
  const places = placesOf(paper, columns);
  const heights = row.map((cell, index) =>
    heightOf(cellLines(cell).map((line) => styledLine(paper, line, places[index]!.width))),
  );
  return Math.max(...heights) + 2 * PADDING;
}

const heightOf = (parts: readonly Styled[]): number =>
  parts.reduce((sum, { lines, size }) => sum + lines.length * lineHeight(size), 0);

interface Place {
  readonly x: number;
  readonly width: number;
  readonly isNumber: boolean;
}

function placesOf(paper: Paper, columns: readonly Column[]): Place[] {
  const all = columns.reduce((sum, { width = 1 }) => sum + width, 0);
  const free = WIDTH - GAP * (columns.length - 1);
  let x = paper.left;
  return columns.map(({ width = 1, isNumber = false }) => {
    const place = { x, width: (width / all) * free, isNumber };
    x += place.width + GAP;
    return place;
  });
}

/** As headings of the table where `head` is given, and as a repetition that nobody needs to hear where it is not. */
function drawHeadings(
  paper: Paper,
  columns: readonly Column[],
  places: readonly Place[],
  head?: Structure,
): void {
  const texts = columns.map(({ heading }, index) =>
    paper.styled(heading, { size: 7.5, isBold: true, ink: INKS.soft }, places[index]!.width),
  );
  const most = Math.max(...texts.map(({ lines }) => lines.length));
  const height = lineHeight(7.5);
  const draw = (index: number): void => {
    const text = texts[index]!;
    const skipped = most - text.lines.length;
    text.lines.forEach((line, number) => {
      const x = places[index]!.isNumber
        ? places[index]!.x + places[index]!.width - line.width
        : places[index]!.x;
      paper.line(line, text, x, paper.y + PADDING + (skipped + number) * height);
    });
  };
  if (head === undefined) paper.decoration(() => columns.forEach((_, index) => draw(index)));
  else {
    const row = paper.element('TR', head);
    columns.forEach((_, index) => {
      const element = paper.element('TH', row, { scope: 'Column' });
      paper.content(element, 'TH', () => draw(index));
      element.end();
    });
    row.end();
  }
  paper.y += most * height + 2 * PADDING;
  paper.rule(paper.y);
}

function cellBox(paper: Paper, row: Structure, cell: Cell, place: Place, isFirst: boolean): CellBox {
  const type = isFirst ? 'TH' : 'TD';
  const element = paper.element(type, row, isFirst ? { scope: 'Row' } : {});
  const share = typeof cell === 'object' && 'share' in cell ? cell.share : undefined;
  return {
    ...place,
    type,
    element,
    share,
    parts: cellLines(cell).map((line) => styledLine(paper, line, place.width)),
  };
}

/** The lines of a cell; none of a bar, which stands beside its number. */
export function cellLines(cell: Cell): readonly Line[] {
  if (typeof cell === 'number') return [{ text: whole(cell) }];
  if (typeof cell === 'string') return [{ text: cell }];
  return 'share' in cell ? [] : cell;
}

export const styledLine = (paper: Paper, line: Line, width: number): Styled =>
  paper.styled(
    shortened(line.text, line.isCode === true ? MOST_OF_CODE : MOST_OF_TEXT),
    { size: line.isCode === true ? CODE : TEXT, isBold: line.isStrong === true, ink: inkOf(line.tone) },
    width,
  );

/** Draws a row and, where it does not fit, what is left of it on the next pages. */
export function drawRow(paper: Paper, boxes: readonly CellBox[], onNewPage: () => void): void {
  const lines = boxes.map((box) => box.parts.flatMap((part) => part.lines.map((line) => ({ part, line }))));
  const height = Math.max(...boxes.map(({ parts }) => heightOf(parts)), lineHeight(TEXT)) + 2 * PADDING;
  const newPage = (): void => {
    paper.newPage();
    onNewPage();
  };
  // A row that fits on a page is not torn; of a longer one as much as fits stays here, unless that is almost nothing.
  const room = paper.bottom - paper.y;
  if (height > room && (height < paper.bottom * 0.6 || room < 60)) newPage();

  const next = boxes.map(() => 0);
  for (;;) {
    const top = paper.y + PADDING;
    let lowest = top + lineHeight(TEXT);
    boxes.forEach((box, index) => {
      const cell = lines[index]!;
      let y = top;
      if (next[index]! >= cell.length && box.share === undefined) return;
      if (box.share !== undefined) drawShare(paper, box, y);
      else
        paper.content(box.element, box.type, () => {
          for (; next[index]! < cell.length; next[index]! += 1) {
            const { part, line } = cell[next[index]!]!;
            if (y + lineHeight(part.size) > paper.bottom - PADDING) break;
            paper.line(line, part, box.isNumber ? box.x + box.width - line.width : box.x, y);
            y += lineHeight(part.size);
          }
        });
      lowest = Math.max(lowest, y);
    });
    paper.y = lowest + PADDING;
    paper.rule(paper.y);
    if (next.every((done, index) => done >= lines[index]!.length)) break;
    newPage();
  }
  boxes.forEach(({ element }) => element.end());
}

const drawShare = (paper: Paper, { x, width, share = 0 }: CellBox, y: number): void =>
  paper.decoration(() =>
    paper.doc.rect(x, y + 2, Math.max(0.5, width * Math.min(1, share)), TEXT * 0.75).fill(INKS.accent),
  );
