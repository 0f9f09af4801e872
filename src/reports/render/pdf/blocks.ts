import type { Drawing } from '../charts/drawing.js';
import type { Block, Cell } from '../document.js';
import { equationText, type Equation } from '../equation.js';
import { INKS, inkOf, lineHeight, WIDTH, type Paper, type Structure } from './paper.js';
import { cellLines, drawRow, drawTable, styledLine } from './table.js';

const BODY = 9;
const NAME_WIDTH = 120;

/** Draws one block; yields where a pause does no harm. */
export function* drawBlock(paper: Paper, parent: Structure, block: Block): Generator<void> {
  switch (block.kind) {
    case 'text':
      paper.paragraph(parent, 'P', block.text, { size: BODY, isBold: false, ink: inkOf(block.tone) });
      paper.y += 6;
      return;
    case 'heading':
      paper.ensure(60);
      paper.y += 4;
      paper.paragraph(parent, 'H3', block.text, { size: 10.5, isBold: true });
      paper.y += 3;
      return;
    case 'equation':
      drawEquation(paper, parent, block.equation);
      return;
    case 'facts':
      drawFacts(paper, parent, block.facts);
      return;
    case 'chart':
      drawChart(paper, parent, block.title, block.drawing);
      return;
    case 'table':
      yield* drawTable(paper, parent, block);
      return;
    default:
      block satisfies never;
  }
}

function drawEquation(paper: Paper, parent: Structure, equation: Equation): void {
  paper.ensure(50);
  const ink = equation.holds ? INKS.good : INKS.bad;
  const indent = 9;
  const start = { page: paper.pageCount, y: paper.y };
  paper.paragraph(parent, 'P', equation.title, { size: 7.5, isBold: false, ink: INKS.soft, indent });
  paper.paragraph(parent, 'P', equationText(equation), { size: BODY, isBold: true, indent });
  paper.paragraph(parent, 'P', `${equation.holds ? '✓' : '×'} ${equation.result}`, {
    size: BODY,
    isBold: true,
    ink,
    indent,
  });
  // A bar at its side, where it is on one page.
  if (paper.pageCount === start.page)
    paper.decoration(() => paper.doc.rect(paper.left, start.y, 2.5, paper.y - start.y).fill(ink));
  paper.y += 10;
}

function drawFacts(paper: Paper, parent: Structure, facts: readonly (readonly [string, Cell])[]): void {
  const table = paper.element('Table', parent);
  for (const [name, cell] of facts) {
    const row = paper.element('TR', table);
    const x = paper.left + NAME_WIDTH + 10;
    const width = WIDTH - NAME_WIDTH - 10;
    drawRow(
      paper,
      [
        {
          x: paper.left,
          width: NAME_WIDTH,
          isNumber: false,
          type: 'TH',
          share: undefined,
          element: paper.element('TH', row, { scope: 'Row' }),
          parts: [styledLine(paper, { text: name, tone: 'soft' }, NAME_WIDTH)],
        },
        {
          x,
          width,
          isNumber: false,
          type: 'TD',
          share: undefined,
          element: paper.element('TD', row),
          parts: cellLines(cell).map((line) => styledLine(paper, line, width)),
        },
      ],
      () => undefined,
    );
    row.end();
  }
  table.end();
  paper.y += 10;
}

/** A chart as a figure with its description; its numbers are in the table beside it. */
function drawChart(paper: Paper, parent: Structure, title: string, drawing: Drawing): void {
  const scale = WIDTH / drawing.width;
  const height = drawing.height * scale;
  paper.ensure(height + 40);
  paper.paragraph(parent, 'P', title, { size: 9.5, isBold: true });
  paper.y += 4;
  const { doc } = paper;
  const top = paper.y;
  const figure = paper.element('Figure', parent, {
    alt: drawing.description,
    bbox: [paper.left, top, paper.left + WIDTH, top + height],
  });
  const x = (value: number): number => paper.left + value * scale;
  const y = (value: number): number => top + value * scale;
  paper.content(figure, 'Figure', () => {
    for (const shape of drawing.shapes)
      switch (shape.kind) {
        case 'bar':
          doc.rect(x(shape.x), y(shape.y), shape.width * scale, shape.height * scale).fill(INKS[shape.ink]);
          break;
        case 'dot':
          doc.circle(x(shape.x), y(shape.y), shape.radius * scale).fill(INKS[shape.ink]);
          break;
        case 'path': {
          shape.points.forEach(([px, py], index) =>
            index === 0 ? doc.moveTo(x(px), y(py)) : doc.lineTo(x(px), y(py)),
          );
          doc.lineWidth(1.4).stroke(INKS[shape.ink]);
          break;
        }
        case 'label': {
          const text = paper.styled(shape.text, { size: 7.5, isBold: false, ink: INKS[shape.ink] }, WIDTH);
          const [line] = text.lines;
          if (line === undefined) break;
          const shift = { start: 0, middle: line.width / 2, end: line.width }[shape.anchor];
          paper.line(line, text, x(shape.x) - shift, y(shape.y) - text.size);
          break;
        }
        default:
          shape satisfies never;
      }
  });
  figure.end();
  paper.y = top + height + lineHeight(4);
}
