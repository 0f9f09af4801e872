import { afterAll } from 'vitest';
import { Database } from '../../../src/database/database.js';
import type { DefinitionStore } from '../../../src/engine/definition-store.js';
import { StoreFailure, type ExecutionStore } from '../../../src/engine/execution-store.js';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import type { CrashPoints } from '../../../src/engine/runtime/crash-points.js';
import { testDatabase } from '../../support/database.js';

export interface Stores {
  readonly executions: ExecutionStore;
  readonly definitions: DefinitionStore;
}

/** A store that several processes may open, and what was audited. */
export interface SharedStores {
  /** Another process's view of the same data. */
  open(crash?: CrashPoints): Promise<Stores>;
  audit(): Promise<readonly { action: string; subject: string; actor: string }[]>;
}

export async function memoryStores(): Promise<SharedStores> {
  const executions = new MemoryExecutionStore();
  const definitions = new MemoryDefinitionStore();
  return {
    open: async () => ({ executions, definitions }),
    audit: async () => [...executions.audit, ...definitions.audit],
  };
}

/** On the test file's database, emptied. */
export function postgresStores(): () => Promise<SharedStores> {
  const open: { close(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const one of open.toReversed()) await one.close();
  });
  return async () => {
    const it = await testDatabase();
    for (const one of open.splice(0).toReversed()) await one.close();
    await it.truncate();
    return {
      open: async (crash) => {
        const database = new Database(it.url);
        const executions = new PostgresExecutionStore(database, crash);
        open.push(database, executions);
        return { executions, definitions: new PostgresDefinitionStore(database) };
      },
      audit: () => it.query('SELECT action, subject, actor FROM audit_event ORDER BY id'),
    };
  };
}

/** A store whose first claim takes effect without an answer, as when the connection is cut after the commit. */
export function losing(store: ExecutionStore, method: 'claimTasks' | 'claimTimers'): ExecutionStore {
  let isLost = false;
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (key !== method || isLost) return value.bind(target) as unknown;
      return async (...values: unknown[]): Promise<unknown> => {
        const answer = (await Reflect.apply(value, target, values)) as readonly unknown[];
        if (answer.length === 0 || isLost) return answer;
        isLost = true;
        throw new StoreFailure('unknown', 'the connection is lost');
      };
    },
  });
}
