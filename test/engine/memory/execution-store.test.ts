import { describe } from 'vitest';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { executionStoreSuite } from '../conformance/execution-store.suite.js';

describe('the store in memory', () => {
  executionStoreSuite(async () => new MemoryExecutionStore());
});
