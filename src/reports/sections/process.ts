import { processFigures, type WorkflowFigures } from '../../process/figures.js';
import type { Process } from '../data/record.js';
import type { Asked } from './section.js';

/** The process in figures, as the API and the first page show them. */
export async function readProcess({ tx, from, to }: Asked): Promise<Process> {
  const { started, oneIn, workflows } = await processFigures(tx, from, to, { now: to });
  return { started, oneIn, workflows: workflows.map(shown) };
}

const ms = (seconds: number): number => Math.max(0, Math.round(seconds * 1000));
const msOrNull = (seconds: number | null): number | null => (seconds === null ? null : ms(seconds));

const shown = (of: WorkflowFigures): Process['workflows'][number] => ({
  name: of.workflow,
  version: of.version,
  ended: of.completed + of.failed + of.terminated,
  completed: of.completed,
  failed: of.failed,
  open: of.open,
  completion: {
    count: of.completed,
    p50Ms: msOrNull(of.p50Seconds),
    p90Ms: msOrNull(of.p90Seconds),
    p95Ms: null,
    maxMs: null,
  },
  slaMs: msOrNull(of.slaSeconds),
  withinSla: of.withinSla,
  failureRate: of.failureRate,
  meanTimeBetweenFailuresMs: msOrNull(of.meanSecondsBetweenFailures),
  meanTimeToRecoveryMs: msOrNull(of.meanSecondsToRecovery),
  queue: ms(of.queueSeconds),
  run: ms(of.runSeconds),
  person: ms(of.personSeconds),
  costliest: of.costliestStep,
  steps: of.steps.map((step) => ({
    ref: step.step,
    type: step.taskType,
    completed: step.attempts - step.failed,
    failed: step.failed,
    queue: ms(step.queueSeconds),
    run: ms(step.runSeconds),
    person: ms(step.personSeconds),
  })),
});
