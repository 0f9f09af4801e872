import { describe } from 'vitest';
import { handOverSuite } from '../runtime/hand-over.suite.js';
import { postgresStores } from '../runtime/stores.js';

describe('handing over on PostgreSQL', () => {
  handOverSuite(postgresStores());
});
