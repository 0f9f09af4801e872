import { svgOf } from '../charts/svg.js';
import { moreText, type Block, type Cell, type Column, type Line, type Table } from '../document.js';
import type { Equation, Term } from '../equation.js';
import { whole } from '../words.js';
import { classed, markup, type Markup } from './markup.js';

export function blockOf(block: Block): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p${classed(block.tone ?? '')}>${block.text}</p>`;
    case 'heading':
      return markup`<h3>${block.text}</h3>`;
    case 'equation':
      return equationOf(block.equation);
    case 'facts':
      return markup`<dl class="facts">
        ${block.facts.map(
          ([name, cell]) =>
            markup`<dt>${name}</dt>
              <dd>${cellOf(cell)}</dd>`,
        )}
      </dl>`;
    case 'chart':
      return markup`<figure>
        <figcaption>${block.title}</figcaption>
        ${svgOf(block.title, block.drawing)}
      </figure>`;
    case 'table':
      return tableOf(block);
    default:
      return block satisfies never;
  }
}

function equationOf(equation: Equation): Markup {
  const result = equation.holds
    ? markup`<span class="result good">✓ ${equation.result}</span>`
    : markup`<span class="result bad">× ${equation.result}</span>`;
  return markup`<p class="${equation.holds ? 'equation' : 'equation no'}">
    <span class="name">${equation.title}</span>${sideOf(equation.left)} = ${sideOf(equation.right)} ${result}
  </p>`;
}

const sideOf = (terms: readonly Term[]): Markup[] =>
  terms.map(
    ({ count, label, sign }) =>
      markup`${sign === undefined ? '' : ` ${sign} `}<b>${whole(count)}</b> ${label}`,
  );

function tableOf(table: Table): Markup {
  const { caption, columns, rows, empty } = table;
  if (rows.length === 0)
    return markup`<h3>${caption}</h3>
      <p class="soft">${empty}</p>
      ${moreOf(table)}`;
  // Wide tables scroll by themselves, and by the keyboard too.
  return markup`<div class="wide" role="region" aria-label="${caption}" tabindex="0">
      <table>
        <caption>${caption}</caption>
        <colgroup>${columns.map((column) => widthOf(column, columns))}</colgroup>
        <thead>
          <tr>${columns.map(headingOf)}</tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              markup`<tr>${row.map((cell, index) => tableCell(cell, columns[index], index === 0))}</tr>
`,
          )}
        </tbody>
      </table>
    </div>
    ${moreOf(table)}`;
}

const widthOf = ({ width = 1 }: Column, columns: readonly Column[]): Markup => {
  const all = columns.reduce((sum, column) => sum + (column.width ?? 1), 0);
  return markup`<col style="width:${((width / all) * 100).toFixed(1)}%">`;
};

const headingOf = ({ heading, isNumber }: Column): Markup =>
  markup`<th scope="col"${classed(isNumber === true ? 'n' : '')}>${heading}</th>`;

const tableCell = (cell: Cell, column: Column | undefined, isFirst: boolean): Markup =>
  isFirst
    ? markup`<th scope="row">${cellOf(cell)}</th>`
    : markup`<td${classed(column?.isNumber === true ? 'n' : '')}>${cellOf(cell)}</td>`;

function moreOf(table: Table): Markup {
  const text = moreText(table);
  return text === undefined ? markup`` : markup`<p class="soft">${text}</p>`;
}

function cellOf(cell: Cell): Markup {
  if (typeof cell === 'number') return markup`${whole(cell)}`;
  if (typeof cell === 'string') return markup`${cell}`;
  if ('share' in cell)
    return markup`<span class="share" style="width:${(cell.share * 100).toFixed(2)}%"></span>`;
  const [line] = cell;
  // A single plain line needs no box of its own.
  return cell.length === 1 && line !== undefined && line.tone === undefined && line.isStrong !== true
    ? markup`${textOf(line)}`
    : markup`${cell.map(lineOf)}`;
}

const lineOf = (line: Line): Markup =>
  markup`<span${classed(line.tone ?? '', line.isStrong === true ? 'strong' : '')}>${textOf(line)}</span>`;

const textOf = ({ text, isCode }: Line): Markup =>
  isCode === true ? markup`<code>${text}</code>` : markup`${text}`;
