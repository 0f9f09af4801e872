import type { ReportData } from '../../data/report-data.js';
import { counted, percent, whole } from '../words.js';
import type { Drawing, Ink, Shape } from './drawing.js';

// As wide as the text of a page; painters scale it.
const WIDTH = 640;
const LINE_HEIGHT = 15;

const label = (
  x: number,
  y: number,
  text: string,
  anchor: 'start' | 'middle' | 'end',
  ink: Ink = 'soft',
): Shape => ({
  kind: 'label',
  x,
  y,
  text,
  anchor,
  ink,
});

/** The groups in their order, and what each is painted with. */
export const COVERAGE_GROUPS = [
  ['clean', 'clean', 'good'],
  ['found', 'something found', 'bad'],
  ['notWhole', 'not looked at whole', 'warn'],
  ['notScanned', 'not scanned', 'idle'],
  ['pending', 'pending', 'accent'],
] as const;

/** One bar of all uploads, parted by what became of them. */
export function coverageChart({ groups }: ReportData['coverage']): Drawing {
  const total = COVERAGE_GROUPS.reduce((all, [group]) => all + groups[group], 0);
  const shapes: Shape[] = [];
  let x = 0;
  let legendX = 0;
  for (const [group, words, ink] of COVERAGE_GROUPS) {
    const many = groups[group];
    if (many === 0) continue;
    const width = (many / total) * WIDTH;
    shapes.push({ kind: 'bar', x, y: 0, width, height: 26, ink });
    x += width;
    const text = `${words} ${whole(many)}`;
    shapes.push({ kind: 'bar', x: legendX, y: 40, width: 10, height: 10, ink });
    shapes.push(label(legendX + 15, 49, text, 'start'));
    legendX += 32 + text.length * 6.2;
  }
  const parts = COVERAGE_GROUPS.map(([group, words]) => `${percent(groups[group], total)} ${words}`);
  return {
    width: WIDTH,
    height: 56,
    description: `Of ${counted(total, 'upload')}: ${parts.join(', ')}.`,
    shapes,
  };
}

/** Bars side by side, each with its number over it. */
export function columnsChart(
  what: string,
  columns: readonly { readonly label: string; readonly count: number; readonly ink: Ink }[],
): Drawing {
  const top = LINE_HEIGHT;
  const height = 90;
  const most = Math.max(1, ...columns.map(({ count }) => count));
  const slot = WIDTH / Math.max(1, columns.length);
  const shapes = columns.flatMap((column, index): Shape[] => {
    const middle = slot * (index + 0.5);
    const tall = (column.count / most) * height;
    return [
      {
        kind: 'bar',
        x: middle - slot * 0.3,
        y: top + height - tall,
        width: slot * 0.6,
        height: tall,
        ink: column.ink,
      },
      label(middle, top + height - tall - 4, whole(column.count), 'middle', 'ink'),
      label(middle, top + height + LINE_HEIGHT, column.label, 'middle'),
    ];
  });
  return {
    width: WIDTH,
    height: top + height + 22,
    description: `${what}: ${columns.map((column) => `${column.label} ${whole(column.count)}`).join(', ')}.`,
    shapes: [...shapes, baseline(top + height)],
  };
}

const baseline = (y: number): Shape => ({ kind: 'bar', x: 0, y, width: WIDTH, height: 1, ink: 'line' });

/** New and closed findings of each week as bars, the open ones as a line over them. */
export function trendChart(trend: ReportData['findings']['trend']): Drawing {
  const top = 34;
  const height = 110;
  const bottom = top + height;
  const most = Math.max(1, ...trend.flatMap((week) => [week.new, week.closed, week.open]));
  const slot = WIDTH / Math.max(1, trend.length);
  const y = (many: number): number => bottom - (many / most) * height;
  const middle = (index: number): number => slot * (index + 0.5);
  const bar = (many: number, x: number, ink: Ink): Shape => ({
    kind: 'bar',
    x,
    y: y(many),
    width: slot * 0.26,
    height: bottom - y(many),
    ink,
  });
  const shapes: Shape[] = [
    ...legend([
      ['new', 'bad'],
      ['closed', 'good'],
      ['open at the end of the week', 'accent'],
    ]),
    ...trend.flatMap((week, index) => [
      bar(week.new, middle(index) - slot * 0.3, 'bad'),
      bar(week.closed, middle(index) + slot * 0.04, 'good'),
      // What fits under a narrow slot: the number of the week; the table has the whole name.
      label(middle(index), bottom + LINE_HEIGHT, shortened(week.label), 'middle'),
    ]),
    baseline(bottom),
    {
      kind: 'path',
      points: trend.map((week, index) => [middle(index), y(week.open)] as const),
      ink: 'accent',
    },
    ...trend.map((week, index): Shape => ({
      kind: 'dot',
      x: middle(index),
      y: y(week.open),
      radius: 3,
      ink: 'accent',
    })),
  ];
  const last = trend.at(-1);
  return {
    width: WIDTH,
    height: bottom + 22,
    description: `Findings over ${counted(trend.length, 'week')}${last === undefined ? '' : `: ${whole(last.new)} new, ${whole(last.closed)} closed and ${whole(last.open)} open in the last`}.`,
    shapes,
  };
}

const legend = (entries: readonly (readonly [string, Ink])[]): Shape[] => {
  let x = 0;
  return entries.flatMap(([text, ink]): Shape[] => {
    const at = x;
    x += 32 + text.length * 6.2;
    return [{ kind: 'bar', x: at, y: 2, width: 10, height: 10, ink }, label(at + 15, 11, text, 'start')];
  });
};

const shortened = (text: string): string =>
  Array.from(text.replace(/^\d{4}-/, ''))
    .slice(0, 7)
    .join('');
