// Workers, definitions and starts by Conductor's JavaScript SDK as its documentation shows them, nothing of ours.
import { setTimeout as sleep } from 'node:timers/promises';
import { ConductorWorkflow, OrkesClients, simpleTask, TaskManager } from '@io-orkes/conductor-javascript';

const NAME = 'interop_javascript';
const DEADLINE_MS = 100_000;
const count = Number(process.argv[2]);

const workers = [
  {
    taskDefName: 'javascript_double',
    concurrency: 20,
    execute: async ({ inputData }) => ({
      status: 'COMPLETED',
      outputData: { doubled: inputData.number * 2 },
    }),
  },
  {
    taskDefName: 'javascript_describe',
    concurrency: 20,
    execute: async ({ inputData }) => ({
      status: 'COMPLETED',
      outputData: { text: `twice is ${inputData.doubled}` },
    }),
  },
];

// Address and credentials come from CONDUCTOR_SERVER_URL, CONDUCTOR_AUTH_KEY and CONDUCTOR_AUTH_SECRET.
const clients = await OrkesClients.from();
const executor = clients.getWorkflowClient();
const metadata = clients.getMetadataClient();
await metadata.registerTask({ name: 'javascript_double', retryCount: 1, responseTimeoutSeconds: 60 });
const workflow = new ConductorWorkflow(executor, NAME)
  .version(1)
  .add(simpleTask('double', 'javascript_double', { number: '${workflow.input.number}' }))
  .add(simpleTask('describe', 'javascript_describe', { doubled: '${double.output.doubled}' }))
  .outputParameters({ text: '${describe.output.text}' });
await workflow.register(true);

const manager = new TaskManager(clients.getClient(), workers, { options: { pollInterval: 50 } });
manager.startPolling();
const ids = [];
for (let number = 0; number < count; number += 1) {
  ids.push(await executor.startWorkflow({ name: NAME, version: 1, input: { number } }));
}
const run = await workflow.execute({ number: 21 }, { waitForSeconds: 30 });
const deadline = performance.now() + DEADLINE_MS;
let left = ids;
while (left.length > 0 && performance.now() < deadline) {
  const statuses = await Promise.all(left.map((id) => executor.getWorkflowStatus(id, false, false)));
  left = left.filter((_, index) => statuses[index].status === 'RUNNING');
  await sleep(200);
}
await manager.stopPolling();
console.log(JSON.stringify({ ids, executed: { status: run.status, output: run.output } }));
process.exit(0);
