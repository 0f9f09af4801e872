import { describe } from 'vitest';
import { DEFAULT_PAYLOAD_LIMITS } from '../../../src/engine/model/payload-limits.js';
import { MemoryPayloadStore } from '../../../src/engine/payloads/memory-payload.store.js';
import { runtimeSuite } from '../runtime/runtime.suite.js';
import { memoryStores, postgresStores } from '../runtime/stores.js';

// Two bytes are `{}`: every other value goes to the payload store.
const everythingElsewhere = (() => {
  const store = new MemoryPayloadStore();
  return {
    limits: { ...DEFAULT_PAYLOAD_LIMITS, workflowThreshold: 2, taskThreshold: 2 },
    payloadStores: { primary: store, fallback: store },
  };
})();

describe('the engine in memory, with every value kept elsewhere', () => {
  runtimeSuite(memoryStores, () => everythingElsewhere);
});

describe('the engine on PostgreSQL, with every value kept elsewhere', () => {
  runtimeSuite(postgresStores(), () => everythingElsewhere);
});
