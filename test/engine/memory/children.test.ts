import { describe } from 'vitest';
import { childrenSuite } from '../runtime/children.suite.js';
import { memoryStores } from '../runtime/stores.js';

describe('loops and sub-workflows on the store in memory', () => {
  childrenSuite(memoryStores);
});
