import { describe } from 'vitest';
import { runtimeSuite } from '../runtime/runtime.suite.js';
import { memoryStores } from '../runtime/stores.js';

describe('the engine on the store in memory', () => {
  runtimeSuite(memoryStores);
});
