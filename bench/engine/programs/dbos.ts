// DBOS as its documentation shows it: a workflow function that calls steps, run directly, in this process.
import { DBOS } from '@dbos-inc/dbos-sdk';
import { closedLoop, countStatements } from './loop.js';
import { serveOrders } from './serve.js';

const [url = '', pool = '20'] = process.argv.slice(2);

countStatements();

let given = 0;
const workflows = new Map<number, (input: { given: number }) => Promise<string>>();
for (const tasks of [1, 3, 10]) workflows.set(tasks, workflowOf(tasks));

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: url,
  systemDatabasePoolSize: Number(pool),
  logLevel: 'error',
});
await DBOS.launch();

/** As ours: each step is given the workflow's number and answers with it. */
function workflowOf(tasks: number): (input: { given: number }) => Promise<string> {
  return DBOS.registerWorkflow(
    async (input: { given: number }) => {
      for (let step = 0; step < tasks; step += 1) {
        await DBOS.runStep(async () => ({ done: input.given }), { name: `step_${step}` });
      }
      return DBOS.workflowID ?? '';
    },
    { name: `chain_${tasks}` },
  );
}

serveOrders(
  '',
  async (order) => {
    if (order.kind !== 'loop') throw new Error(`Not for DBOS: ${order.kind}`);
    const workflow = workflows.get(order.tasks);
    if (workflow === undefined) throw new Error(`No workflow of ${order.tasks} steps`);
    return await closedLoop(order, async () => workflow({ given: (given += 1) }));
  },
  () => DBOS.shutdown(),
);
