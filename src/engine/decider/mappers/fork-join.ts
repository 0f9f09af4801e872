import type { FieldProblem } from '../../../errors.js';
import type { TaskMapper } from './mapper.js';

/** Starts all branches at once; the JOIN that follows it waits for them. */
export const forkJoin: TaskMapper = {
  type: 'FORK_JOIN',
  rowType: 'FORK',
  definitionName: 'FORK',
  isWork: false,
  handOut: 'never',
  map: ({ input }) => ({ status: 'COMPLETED', inputData: input }),
  branches: (task) =>
    task.forkTasks.map((tasks, i) => ({ key: `branch ${i}`, path: `.forkTasks[${i}]`, tasks })),
  check(task, path): FieldProblem[] {
    if (task.forkTasks.length === 0) {
      return [{ path: `${path}.forkTasks`, message: 'must have at least one branch' }];
    }
    return task.forkTasks.flatMap((branch, i) =>
      branch.length === 0
        ? [{ path: `${path}.forkTasks[${i}]`, message: 'must have at least one task' }]
        : [],
    );
  },
};
