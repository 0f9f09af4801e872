import { expect, it } from 'vitest';
import { countsOf } from '../../src/cli/findings.js';
import { findingsWords } from '../../web/src/format.js';

it('the list of objects says how many findings are certain and how many not, in the words of the command line', () => {
  for (const certain of [0, 1, 2, 60])
    for (const uncertain of [0, 1, 50])
      expect(findingsWords({ certain, uncertain })).toBe(countsOf({ certain, uncertain }) || '–');
  expect(findingsWords({ certain: 1, uncertain: 4 })).toBe('1 certain, 4 uncertain');
});
