import type { FieldProblem } from '../../../errors.js';
import { boundedMs } from '../../model/definition.js';
import type { JsonObject } from '../../model/json.js';
import type { MappedTask, TaskMapper } from './mapper.js';

/** Runs another workflow and ends as it does. When the row is due, the transition starts the child. */
export const subWorkflow: TaskMapper = {
  type: 'SUB_WORKFLOW',
  rowType: 'SUB_WORKFLOW',
  isWork: true,
  handOut: 'never',
  startsWhenDue: true,
  map({ task, input, resolve, now }): MappedTask {
    const { name = '', version, workflowDefinition } = task.subWorkflowParam ?? {};
    return {
      status: 'SCHEDULED',
      inputData: {
        subWorkflowName: resolve(name),
        // Conductor also writes 0 for the newest.
        subWorkflowVersion: version === undefined || version === 0 ? null : version,
        ...(workflowDefinition === undefined
          ? {}
          : {
              subWorkflowDefinition:
                typeof workflowDefinition === 'string'
                  ? resolve(workflowDefinition)
                  : // A definition came as JSON; its type says more, but not that.
                    (workflowDefinition as unknown as JsonObject),
            }),
        workflowInput: input,
      },
      callbackAfterSeconds: Math.ceil(boundedMs(task.startDelay) / 1000),
      dueAt: now + boundedMs(task.startDelay),
    };
  },
  check({ subWorkflowParam: param }, path): FieldProblem[] {
    const own = `${path}.subWorkflowParam`;
    if (param === undefined) return [{ path: own, message: 'is missing; it names the workflow to start' }];
    const { workflowDefinition } = param;
    if (workflowDefinition === undefined && param.name.trim() === '')
      return [{ path: `${own}.name`, message: 'is missing; name a workflow, or give a workflowDefinition' }];
    if (typeof workflowDefinition === 'string' && !workflowDefinition.includes('${')) {
      const message = 'must be a definition, or an expression that gives one';
      return [{ path: `${own}.workflowDefinition`, message }];
    }
    return [];
  },
};
