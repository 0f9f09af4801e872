import { describe, expect, it } from 'vitest';
import { sectionsOf } from '../../../src/reports/render/sections.js';
import { ordinaryWeek } from '../../support/reports/ordinary-week.js';
import { reportMeta } from '../../support/reports/parts.js';

describe('what is not as of the end of the period', () => {
  it('is said in each section that shows such a thing, and in no other', () => {
    const saying = sectionsOf(ordinaryWeek(), reportMeta)
      .filter(({ blocks }) =>
        blocks.some(
          ({ kind, ...block }) => kind === 'text' && 'text' in block && block.text.startsWith('As of when'),
        ),
      )
      .map(({ id }) => id);
    expect(saying).toEqual(['people', 'health', 'process', 'previous']);
  });
});
