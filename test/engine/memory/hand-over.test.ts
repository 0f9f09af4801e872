import { describe } from 'vitest';
import { handOverSuite } from '../runtime/hand-over.suite.js';
import { memoryStores } from '../runtime/stores.js';

describe('handing over on the store in memory', () => {
  handOverSuite(memoryStores);
});
