import { describe, expect, it } from 'vitest';
import { moreText, type Table } from '../../../src/reports/render/document.js';

const table = (more?: Table['more']): Table => ({
  kind: 'table',
  caption: 'A table',
  columns: [],
  rows: [],
  empty: 'None.',
  ...(more === undefined ? {} : { more }),
});

describe('what a table leaves out', () => {
  it('is said with the file that has it', () => {
    expect(moreText(table())).toBeUndefined();
    expect(moreText(table({ count: 0, file: 'data/uploads.csv' }))).toBeUndefined();
    expect(moreText(table({ count: 9500, file: 'data/uploads.csv' }))).toBe(
      '9,500 more, all in data/uploads.csv.',
    );
    expect(moreText(table({ count: 9500, file: 'data/uploads.csv' }), 300)).toBe(
      '9,800 more, all in data/uploads.csv.',
    );
    expect(moreText(table(), 1)).toBe('1 more, all in report.json.');
  });

  it('is not said to be in a file that lists no more of it', () => {
    const more = { count: 7, file: 'report.json' };
    expect(moreText(table(more))).toBe('7 more that are counted and listed nowhere.');
    expect(moreText(table(more), 300)).toBe(
      '300 more in report.json; 7 more that are counted and listed nowhere.',
    );
  });
});
