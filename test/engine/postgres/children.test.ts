import { describe } from 'vitest';
import { childrenSuite } from '../runtime/children.suite.js';
import { postgresStores } from '../runtime/stores.js';

describe('loops and sub-workflows on PostgreSQL', () => {
  childrenSuite(postgresStores());
});
