import { describe } from 'vitest';
import { runtimeSuite } from '../runtime/runtime.suite.js';
import { postgresStores } from '../runtime/stores.js';

describe('the engine on PostgreSQL', () => {
  runtimeSuite(postgresStores());
});
