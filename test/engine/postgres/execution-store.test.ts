import { afterAll, describe } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { testDatabase } from '../../support/database.js';
import { executionStoreSuite } from '../conformance/execution-store.suite.js';

describe('the store on PostgreSQL', () => {
  let database: Database | undefined;
  let store: PostgresExecutionStore | undefined;
  afterAll(async () => {
    await store?.close();
    await database?.close();
  });

  executionStoreSuite(async () => {
    const it = await testDatabase();
    await it.truncate();
    database ??= new Database(it.url);
    return (store ??= new PostgresExecutionStore(database));
  });
});
