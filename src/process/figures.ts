import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import {
  countStarted,
  sampled,
  stepRows,
  workflowRows,
  type StepRow,
  type WorkflowRow,
} from './sql/figures.js';
import { workingSeconds } from './working.js';

/** What kind of time a step takes: a worker's, a person's, a wait that the definition asks for, or a child's. */
export type StepKind = 'worker' | 'person' | 'wait' | 'child';

/** Of the attempts at one step that ended, whether they went well or not. Seconds are sums over all of them. */
export interface StepFigures {
  /** Its reference in the definition; all rounds of a loop are one step. */
  readonly step: string;
  readonly taskType: string;
  readonly kind: StepKind;
  readonly attempts: number;
  readonly failed: number;
  /** Until it was handed to a worker; with the pause before a repeated attempt. */
  readonly queueSeconds: number;
  /** From then until its end. */
  readonly runSeconds: number;
  /** For which a question stood open. */
  readonly personSeconds: number;
  /** The same in the working time of the calendar that it counted by; what counts by none, counts whole. */
  readonly personWorkingSeconds: number;
  /** That a wait, or a child, took. */
  readonly waitSeconds: number;
  /** Of one attempt, from being scheduled to its end: half, and nine of ten, took no longer. */
  readonly p50Seconds: number;
  readonly p90Seconds: number;
}

/** How the executions of one version of a definition went that were started in the span. */
export interface WorkflowFigures {
  readonly workflow: string;
  readonly version: number;
  readonly started: number;
  readonly completed: number;
  /** FAILED and TIMED_OUT. */
  readonly failed: number;
  readonly terminated: number;
  /** Not over yet. */
  readonly open: number;
  /** Of those that completed, from the start to the end; null where none did. */
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
  /** `metadata.slaSeconds` of the definition as it is registered now; null where it declares none. */
  readonly slaSeconds: number | null;
  /** Completed within it; null without one. */
  readonly withinSla: number | null;
  /** Completed later, failed, or open for longer than it. What somebody terminated counts for neither. */
  readonly beyondSla: number | null;
  /** Failed of failed and completed; null where neither happened. */
  readonly failureRate: number | null;
  /** Between the ends of one that failed and the next; null with fewer than two. */
  readonly meanSecondsBetweenFailures: number | null;
  /** From the first that failed until the next that completed; null where none was recovered from. */
  readonly meanSecondsToRecovery: number | null;
  /** Sums over the steps. What runs side by side counts beside each other, so they may be more than start to end. */
  readonly queueSeconds: number;
  readonly runSeconds: number;
  readonly personSeconds: number;
  readonly personWorkingSeconds: number;
  /** The step with most of those three together (a person's by the clock on the wall); null without any. */
  readonly costliestStep: string | null;
  /** The costliest first. */
  readonly steps: readonly StepFigures[];
}

export interface ProcessFigures {
  readonly from: Instant;
  readonly to: Instant;
  readonly started: number;
  /** 1: all were looked at. Of n: one in so many, chosen by its id alone; all counts and sums are of those. */
  readonly oneIn: number;
  /** Of steps with most time, so many at most are told; there were more. */
  readonly isCut: boolean;
  /** By name and version. */
  readonly workflows: readonly WorkflowFigures[];
}

export interface FiguresOptions {
  readonly workflow?: string | undefined;
  /** What is still open is as old as that. */
  readonly now: Instant;
  /** Executions that are looked at, about; for tests. */
  readonly most?: number;
}

// More would say little more, and cost PostgreSQL as much more.
const MOST = 10_000;

/**
 * How executions went that were started in [from, to): what the API, the Home page and the weekly report show. What retention
 * removed is not in it. The same rows give the same figures, also where only one in so many is looked at.
 */
export async function processFigures(
  db: Queryable,
  from: Instant,
  to: Instant,
  { workflow, now, most = MOST }: FiguresOptions,
): Promise<ProcessFigures> {
  const started = await countStarted(db, { from, to, workflow });
  const span = { from, to, workflow, now, oneIn: Math.max(1, Math.ceil(started / most)) };
  const ids = await sampled(db, span);
  const workflows = await workflowRows(db, span, ids);
  const { rows, isCut } = await stepRows(db, ids);
  const working = await workingSeconds(db, ids);
  const steps = grouped(rows);
  return {
    from,
    to,
    started,
    oneIn: span.oneIn,
    isCut,
    workflows: workflows.map((row) => told(row, steps.get(keyOf(row)) ?? [], working)),
  };
}

const keyOf = ({ workflow, version }: { readonly workflow: string; readonly version: number }): string =>
  JSON.stringify([workflow, version]);

function grouped(rows: readonly StepRow[]): ReadonlyMap<string, readonly StepRow[]> {
  const all = new Map<string, StepRow[]>();
  for (const row of rows) {
    const those = all.get(keyOf(row));
    if (those === undefined) all.set(keyOf(row), [row]);
    else those.push(row);
  }
  return all;
}

const cost = (step: StepFigures): number => step.queueSeconds + step.runSeconds + step.personSeconds;

function told(
  row: WorkflowRow,
  rows: readonly StepRow[],
  working: ReadonlyMap<string, number>,
): WorkflowFigures {
  const steps = rows
    .map(({ workflow, version, ...step }): StepFigures => {
      const off = working.get(JSON.stringify([workflow, version, step.step])) ?? 0;
      return { ...step, personWorkingSeconds: step.personSeconds - off };
    })
    .sort((a, b) => cost(b) - cost(a) || (a.step < b.step ? -1 : 1));
  const sum = (of: (step: StepFigures) => number): number =>
    rounded(steps.reduce((all, one) => all + of(one), 0));
  const [first] = steps;
  const ended = row.failed + row.completed;
  return {
    ...row,
    failureRate: ended === 0 ? null : row.failed / ended,
    queueSeconds: sum((step) => step.queueSeconds),
    runSeconds: sum((step) => step.runSeconds),
    personSeconds: sum((step) => step.personSeconds),
    personWorkingSeconds: sum((step) => step.personWorkingSeconds),
    costliestStep: first === undefined || cost(first) === 0 ? null : first.step,
    steps,
  };
}

/** Of sums of thousandths. */
const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;
