import type { Task } from '../model/execution.js';
import type { WorkflowExecution } from '../ports.js';
import type { Executed } from '../runtime/sallyport-engine.js';
import type { RETURN_STRATEGIES } from './schemas.js';
import { shown, taskView } from './views.js';

type Strategy = (typeof RETURN_STRATEGIES)[number];

/**
 * Conductor's SignalResponse: what a caller gets who waited. `blocking` is the workflow that `task` belongs to, where
 * that is not the one that was started.
 *
 * @returns `undefined` when a task was asked for and the workflow stopped for none.
 */
export function signalResponse(
  { execution, task, isLate }: Executed,
  blocking: WorkflowExecution | undefined,
  strategy: Strategy,
  requestId: string,
) {
  const common = {
    responseType: strategy,
    targetWorkflowId: execution.workflowId,
    targetWorkflowStatus: execution.status,
    requestId,
    ...(isLate ? { signalTimeout: true } : {}),
  };
  switch (strategy) {
    case 'TARGET_WORKFLOW':
      return { ...common, ...workflowRun(execution) };
    case 'BLOCKING_WORKFLOW':
      return { ...common, ...workflowRun(blocking ?? execution) };
    case 'BLOCKING_TASK':
    case 'BLOCKING_TASK_INPUT':
      return task === undefined ? undefined : { ...common, ...taskRun(task, blocking ?? execution) };
    default:
      return strategy satisfies never;
  }
}

const workflowRun = (workflow: WorkflowExecution) => ({
  workflowId: workflow.workflowId,
  correlationId: workflow.correlationId,
  input: shown(workflow.input),
  output: shown(workflow.output),
  priority: workflow.priority,
  variables: workflow.variables,
  tasks: workflow.tasks.map((task) => taskView(task, workflow)),
  createdBy: workflow.createdBy,
  createTime: workflow.createTime,
  status: workflow.status,
  updateTime: workflow.updateTime,
});

const taskRun = (task: Task, workflow: WorkflowExecution) => ({
  workflowId: task.workflowInstanceId,
  correlationId: workflow.correlationId,
  input: shown(task.inputData),
  output: shown(task.outputData),
  taskType: task.taskType,
  taskId: task.taskId,
  referenceTaskName: task.referenceTaskName,
  retryCount: task.retryCount,
  taskDefName: task.taskDefName,
  retriedTaskId: task.retriedTaskId,
  workflowType: task.workflowType,
  reasonForIncompletion: task.reasonForIncompletion,
  priority: task.priority,
  variables: workflow.variables,
  tasks: [taskView(task, workflow)],
  createdBy: workflow.createdBy,
  createTime: task.scheduledTime,
  updateTime: task.updateTime,
  status: task.status,
});
