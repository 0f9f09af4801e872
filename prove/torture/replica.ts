// One replica of a torture run: the engine on PostgreSQL with its in-process worker, steered over IPC until it is killed.
import { EngineOnDatabase } from '../../test/support/engine-on-database.js';
import { FunctionWorker } from '../../test/support/engine.js';
import { migrate } from '../../src/database/migrate.js';
import { LazyScripts, prepareScripts } from '../../test/support/scripts.js';
import { DEFINITIONS, REMOTE, resultOf, TASK_DEFS, WORK } from './definitions.js';
import { PROVER, type Answer, type Order, type PolledTask } from './messages.js';

const [, , url = '', adminUrl = '', homeId = ''] = process.argv;

const worker = new FunctionWorker(
  WORK,
  (task) => {
    worker.runs.length = 0;
    return task.retryCount < Number(task.inputData['failures'])
      ? { kind: 'failed', reason: `attempt ${task.retryCount} fails`, terminal: false }
      : { kind: 'completed', output: resultOf(task.inputData) as never };
  },
  50,
);

await migrate(adminUrl, url);
await prepareScripts();
const replica = await EngineOnDatabase.start(url, { homeId, workers: [worker], scripts: new LazyScripts() });
await replica.register(...DEFINITIONS);
await replica.definitions.registerTasks(TASK_DEFS, PROVER);

async function obey(order: Order): Promise<Answer> {
  try {
    if (order.kind === 'poll')
      return { id: order.id, ok: true, tasks: await poll(order.taskType, order.count) };
    if (order.kind === 'start') await replica.engine.start(order.request, PROVER);
    else await replica.engine.updateTask(order.result, PROVER);
    return { id: order.id, ok: true };
  } catch (error) {
    return { id: order.id, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

async function poll(taskType: string, count: number): Promise<readonly PolledTask[]> {
  const workerId = `remote-${REMOTE}`;
  const claimed = await replica.engine.poll({ taskType, workerId, count, timeoutMs: 300 });
  return claimed.map(({ task: { taskId, workflowInstanceId, retryCount, inputData } }) => ({
    taskId,
    workflowInstanceId,
    retryCount,
    inputData,
  }));
}

const say = (answer: Answer): void => {
  process.send?.(answer);
};

process.on('message', (order: Order) => void obey(order).then(say));
process.on('disconnect', () => process.exit(0));
say({ id: 'ready' });
