// A person's work by Conductor's JavaScript SDK: its human task and template clients as they are, nothing of ours.
import { ConductorWorkflow, humanTask, OrkesClients } from '@io-orkes/conductor-javascript';

const NAME = 'interop_human';
const clients = await OrkesClients.from();
const executor = clients.getWorkflowClient();
const human = clients.getHumanClient();
const templates = clients.getTemplateClient();

const saved = await templates.registerTemplate({
  name: 'interop_form',
  version: 1,
  jsonSchema: {
    $schema: 'http://json-schema.org/draft-07/schema',
    type: 'object',
    required: ['amount'],
    properties: { amount: { type: 'number' }, note: { type: 'string' } },
  },
  templateUI: { type: 'VerticalLayout', elements: [] },
});
const next = await templates.registerTemplate({ ...saved, version: 1 }, true);
await new ConductorWorkflow(executor, NAME)
  .version(1)
  .add(humanTask('ask', { displayName: 'How much?', formTemplate: 'interop_form', formVersion: 1 }))
  .outputParameters({ amount: '${ask.output.amount}', outcome: '${ask.output.outcome}' })
  .register(true);
const workflowId = await executor.startWorkflow({ name: NAME, version: 1, input: {} });

const [found] = await human.pollSearch(
  { workflowIds: [workflowId], states: ['PENDING'] },
  { pollInterval: 200, maxPollTimes: 100 },
);
const taskId = found.taskId;
const got = await human.getTaskById(taskId);
const claimed = await human.claimTaskAsConductorUser(taskId, { withTemplate: true });
await human.releaseTask(taskId);
const released = await human.getTaskById(taskId);
await human.claimTaskAsConductorUser(taskId);
await human.updateTaskOutput(taskId, { note: 'not yet' });
const refused = await human.completeTask(taskId).then(
  () => undefined,
  (error) => String(error.message),
);
const draft = (await human.getTaskById(taskId)).output;
await human.completeTask(taskId, { amount: 42 });
let run;
do {
  run = await executor.getWorkflow(workflowId, true);
} while (run.status === 'RUNNING');
const form = await human.getTemplateByNameVersion('interop_form', 2);
const states = [found, got, claimed, released, await human.getTaskById(taskId)].map(({ state }) => state);
console.log(
  JSON.stringify({
    versions: [saved.version, next.version, form.version],
    states,
    template: claimed.humanTaskDef.fullTemplate,
    refused,
    draft,
    run: { status: run.status, output: run.output },
  }),
);
process.exit(0);
