import type { Cluster } from './cluster.js';

/** How the bench logs in at our API. */
export interface Login {
  readonly keyId: string;
  readonly keySecret: string;
}

interface ShownTask {
  readonly referenceTaskName: string;
  readonly status: string;
  readonly inputData: Record<string, unknown>;
  readonly outputData: Record<string, unknown>;
  readonly scheduledTime: number;
  readonly startTime: number;
  readonly endTime: number;
}

interface ShownWorkflow {
  readonly status: string;
  readonly input: Record<string, unknown>;
  readonly tasks: readonly ShownTask[];
}

/** Reads a workflow back through the API, as any client would. */
export async function readBack(url: string, login: Login, workflowId: string): Promise<ShownWorkflow> {
  const { keyId, keySecret } = login;
  const response = await fetch(`${url}/api/workflow/${workflowId}`, {
    headers: { authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}` },
  });
  if (!response.ok)
    throw new Error(`Reading ${workflowId} back: ${response.status} ${await response.text()}`);
  return (await response.json()) as ShownWorkflow;
}

/**
 * Throws unless each task is there as a record of its own with input, output and times in order.
 *
 * @param skewMs by how much the clocks of those who stamped them may differ; 0 for one process.
 */
export function checkWorkflow(workflowId: string, workflow: ShownWorkflow, tasks: number, skewMs = 0): void {
  const problems: string[] = [];
  if (workflow.status !== 'COMPLETED') problems.push(`is ${workflow.status}`);
  if (workflow.tasks.length !== tasks) problems.push(`has ${workflow.tasks.length} tasks, not ${tasks}`);
  let earliest = 0;
  for (const task of workflow.tasks) {
    const { scheduledTime, startTime, endTime } = task;
    const times = [earliest, scheduledTime, startTime, endTime];
    const isInOrder =
      scheduledTime > 0 &&
      times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0) - skewMs);
    if (task.status !== 'COMPLETED') problems.push(`${task.referenceTaskName} is ${task.status}`);
    if (!isInOrder) problems.push(`${task.referenceTaskName} has times out of order: ${times.join(', ')}`);
    if (task.inputData['given'] !== workflow.input['given'])
      problems.push(`${task.referenceTaskName} has another input`);
    if (task.outputData['done'] !== workflow.input['given'])
      problems.push(`${task.referenceTaskName} has another output`);
    earliest = endTime;
  }
  if (problems.length > 0) throw new Error(`Workflow ${workflowId} ${problems.slice(0, 5).join('; ')}`);
}

/** Reads these back through the API and throws when anything is not as it was run. */
export async function checkSample(
  url: string,
  login: Login,
  sample: readonly string[],
  tasks: number,
  skewMs = 0,
): Promise<void> {
  if (sample.length === 0) throw new Error('No workflow ended while it was counted');
  for (const id of sample) checkWorkflow(id, await readBack(url, login, id), tasks, skewMs);
}

/** Throws unless exactly so many workflows of so many tasks each are stored as completed, with all their tasks. */
export async function checkCounts(
  cluster: Cluster,
  database: string,
  name: string,
  expected: { readonly workflows: number; readonly tasks: number },
): Promise<void> {
  const [row] = await cluster.query<{ workflows: string; tasks: string }>(
    database,
    `SELECT (SELECT count(*) FROM workflow WHERE name = '${name}' AND status = 'COMPLETED') AS workflows,
            (SELECT count(*) FROM task JOIN workflow w ON w.id = task.workflow_id
             WHERE w.name = '${name}' AND task.status = 'COMPLETED') AS tasks`,
  );
  compare(name, row, expected);
}

/** The same for DBOS's tables. */
export async function checkDbosCounts(
  cluster: Cluster,
  database: string,
  name: string,
  expected: { readonly workflows: number; readonly tasks: number },
): Promise<void> {
  const [row] = await cluster.query<{ workflows: string; tasks: string }>(
    database,
    `SELECT (SELECT count(*) FROM dbos.workflow_status WHERE name = '${name}' AND status = 'SUCCESS') AS workflows,
            (SELECT count(*) FROM dbos.operation_outputs o JOIN dbos.workflow_status w USING (workflow_uuid)
             WHERE w.name = '${name}') AS tasks`,
  );
  compare(`DBOS's ${name}`, row, expected);
}

function compare(
  name: string,
  row: { workflows: string; tasks: string } | undefined,
  expected: { readonly workflows: number; readonly tasks: number },
): void {
  const [workflows, tasks] = [Number(row?.workflows), Number(row?.tasks)];
  if (workflows === expected.workflows && tasks === expected.tasks) return;
  throw new Error(
    `${name}: ${workflows} workflows with ${tasks} tasks are stored; ${expected.workflows} with ${expected.tasks} were run`,
  );
}
