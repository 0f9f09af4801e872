import { describe, expect, it } from 'vitest';
import { equationText, inventoryEquation } from '../../../src/reports/render/equation.js';
import { sectionsOf } from '../../../src/reports/render/sections.js';
import { ordinaryWeek } from '../../support/reports/ordinary-week.js';
import { reportMeta } from '../../support/reports/parts.js';

describe('the equation of a bucket', () => {
  const week = ordinaryWeek();
  const bucket = { ...week.coverage.inventory[0]!, unusable: 7 };

  it('holds where keys cannot be kept: they are in no side of it', () => {
    const equation = inventoryEquation(bucket);
    expect(equation.holds).toBe(true);
    expect(equationText(equation)).toBe(
      '1,202 in the bucket = 1,200 in the ledger + 1 that no event told of + 1 too young to be missed',
    );
  });

  it('says beside it how many such keys the whole bucket has', () => {
    const data = { ...week, coverage: { ...week.coverage, inventory: [bucket] } };
    const table = sectionsOf(data, reportMeta)
      .flatMap(({ blocks }) => blocks)
      .find((block) => block.kind === 'table' && block.caption.startsWith('Listings'));
    if (table?.kind !== 'table') throw new Error('no such table');
    expect(table.columns.at(-1)?.heading).toBe('Keys that cannot be kept, of any time');
    expect(table.rows[0]?.at(-1)).toBe(7);
  });

  it('does not hold where an object is unexplained', () => {
    expect(inventoryEquation({ ...bucket, listed: 1203 })).toMatchObject({
      holds: false,
      result: '1 object unexplained',
    });
  });
});
