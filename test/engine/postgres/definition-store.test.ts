import { afterAll, beforeAll, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { TaskDef, WorkflowDef } from '../../../src/engine/model/definition.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { testDatabase } from '../../support/database.js';

let database: Database;
let store: PostgresDefinitionStore;
beforeAll(async () => {
  const it = await testDatabase();
  await it.truncate();
  database = new Database(it.url);
  store = new PostgresDefinitionStore(database);
});
afterAll(() => database.close());

test('definitions that were stored before times had a maximum are read with the maximum', async () => {
  const task = { name: 'a', taskReferenceName: 'a' };
  const inner = { name: 'inner', tasks: [{ ...task, startDelay: 1e300 }] };
  const sub = { name: 's', taskReferenceName: 's', type: 'SUB_WORKFLOW' };
  const old = {
    name: 'old',
    timeoutSeconds: 1e18,
    tasks: [
      { ...task, taskDefinition: { name: 'a', responseTimeoutSeconds: 9.2e15, pollTimeoutSeconds: 5 } },
      { ...sub, subWorkflowParam: { workflowDefinition: inner } },
    ],
  };
  const sound = WorkflowDef.parse({ name: 'sound', tasks: [task] });
  const times = { createTime: 1, updateTime: 1 };
  await store.putWorkflow({ ...(old as unknown as WorkflowDef), version: 1, ...times }, false, []);
  await store.putWorkflow({ ...sound, ...times }, false, []);
  await store.putTasks([{ ...TaskDef.parse({ name: 'a' }), retryDelaySeconds: 1e300, ...times }], true, []);

  const longest = 2 ** 31 - 1;
  const [first, second] = await store.workflows();
  expect(first).toMatchObject({
    timeoutSeconds: longest,
    tasks: [
      { taskDefinition: { responseTimeoutSeconds: longest, pollTimeoutSeconds: 5, retryCount: 3 } },
      { subWorkflowParam: { workflowDefinition: { tasks: [{ startDelay: longest }] } } },
    ],
  });
  expect(second).toEqual({ ...sound, ...times });
  expect((await store.tasks())[0]?.retryDelaySeconds).toBe(longest);
});
