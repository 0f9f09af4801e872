import type { Instant } from '../../../src/clock.js';
import { TaskDef } from '../../../src/engine/model/definition.js';
import type { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { Row } from './row.js';

const WORK = TaskDef.parse({ name: 'nobody registered it' });
const SYSTEM = TaskDef.parse({ name: 'nobody registered it', retryCount: 0, responseTimeoutSeconds: 0 });

export const rulesOf = (step: WorkflowTask, taskDefs: ReadonlyMap<string, TaskDef>): TaskDef =>
  step.taskDefinition ?? taskDefs.get(step.name) ?? (step.type === 'SIMPLE' ? WORK : SYSTEM);

/** Types that nobody outside works on are never attempted again. */
export const isBuiltIn = (type: string): boolean =>
  !['SIMPLE', 'HUMAN', 'WAIT', 'SUB_WORKFLOW'].includes(type);

export function delayMsOf(row: Row, rules: TaskDef): number {
  const factor = {
    FIXED: 1,
    LINEAR_BACKOFF: rules.backoffScaleFactor * (row.attempt + 1),
    EXPONENTIAL_BACKOFF: 2 ** row.attempt,
  }[rules.retryLogic];
  const seconds = rules.retryDelaySeconds * factor;
  const most = rules.maxRetryDelaySeconds > 0 ? rules.maxRetryDelaySeconds : Infinity;
  return Math.min(seconds, most) * 1000;
}

export type Clock = 'total' | 'timeout' | 'poll' | 'response' | 'due';

/** The first moment at which time alone changes an open row, and by which clock. */
export function deadlineOf(
  row: Row,
  rules: TaskDef,
): { readonly at: Instant; readonly clock: Clock } | undefined {
  const found: { at: Instant; clock: Clock }[] = [];
  const poll = rules.pollTimeoutSeconds ?? 0;
  if (rules.timeoutPolicy !== 'ALERT_ONLY') {
    if (rules.totalTimeoutSeconds > 0)
      found.push({ at: row.firstScheduledAt + rules.totalTimeoutSeconds * 1000, clock: 'total' });
    if (rules.timeoutSeconds > 0 && row.startedAt !== undefined)
      found.push({ at: row.startedAt + rules.timeoutSeconds * 1000, clock: 'timeout' });
    if (poll > 0 && row.status === 'SCHEDULED') found.push({ at: row.dueAt + poll * 1000, clock: 'poll' });
  }
  if (rules.responseTimeoutSeconds > 0 && row.step.type === 'SIMPLE' && row.status === 'IN_PROGRESS')
    found.push({ at: row.updatedAt + rules.responseTimeoutSeconds * 1000, clock: 'response' });
  const isDue =
    row.step.type === 'SUB_WORKFLOW'
      ? row.status === 'SCHEDULED'
      : row.step.type === 'WAIT' && row.input['duration'] !== undefined;
  if (isDue) found.push({ at: row.dueAt, clock: 'due' });
  // A stable sort: of equal moments the first in this order counts.
  return found.sort((a, b) => a.at - b.at)[0];
}
