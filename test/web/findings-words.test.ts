import { expect, it } from 'vitest';
import { countsOf } from '../../src/cli/findings.js';
import { findingsWords } from '../../web/src/format.js';

it('the list of objects says how many findings are certain and how many not, in the words of the command line', () => {
  for (const certain of [0, 1, 2, 60])
    for (const uncertain of [0, 1, 50])
      for (const accepted of [0, 1, 40]) {
        const counts = { certain, uncertain, accepted };
        expect(findingsWords(counts)).toBe(countsOf(counts) || '–');
      }
  expect(findingsWords({ certain: 1, uncertain: 4, accepted: 0 })).toBe('1 certain, 4 uncertain');
  expect(findingsWords({ certain: 0, uncertain: 0, accepted: 2 })).toBe('2 accepted');
});
