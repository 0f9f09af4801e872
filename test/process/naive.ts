/** Rows as a test makes them. */
export interface TaskRow {
  readonly ref: string;
  readonly type: string;
  readonly status: string;
  readonly scheduledAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}
export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly status: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly tasks: readonly TaskRow[];
}

const CONTROL = new Set(['JOIN', 'SWITCH', 'DO_WHILE', 'FORK_JOIN']);
const isFailed = ({ status }: { status: string }): boolean => status === 'FAILED' || status === 'TIMED_OUT';

/** Between the neighbours that the place falls between. */
export function quantileOf(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? 0;
  return low + (high - low) * (place - Math.floor(place));
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const seconds = (ms: number): number => Math.max(0, ms) / 1000;

/** The figures of one version, counted one by one. */
export function recount(runs: readonly RunRow[], slaSeconds: number | undefined, now: number) {
  const completed = runs.filter(({ status }) => status === 'COMPLETED');
  const failed = runs.filter(isFailed);
  const tookMs = (run: RunRow): number => (run.endedAt ?? Math.max(now, run.createdAt)) - run.createdAt;
  const took = completed.map((run) => tookMs(run) / 1000);
  const ends = [...completed, ...failed].toSorted(
    (a, b) =>
      (a.endedAt ?? 0) - (b.endedAt ?? 0) ||
      Number(!isFailed(a)) - Number(!isFailed(b)) ||
      (a.id < b.id ? -1 : 1),
  );
  const gaps: number[] = [];
  const recoveries: number[] = [];
  let lastFailure: number | undefined;
  let downSince: number | undefined;
  for (const run of ends) {
    const at = run.endedAt ?? 0;
    if (isFailed(run)) {
      if (lastFailure !== undefined) gaps.push(at - lastFailure);
      lastFailure = at;
      downSince ??= at;
    } else if (downSince !== undefined) {
      recoveries.push(at - downSince);
      downSince = undefined;
    }
  }
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : sum(values) / values.length / 1000;
  const tasks = runs
    .flatMap((run) => run.tasks)
    .filter((task) => task.endedAt !== null && !CONTROL.has(task.type));
  const worked = tasks.filter(({ type }) => !['HUMAN', 'WAIT', 'SUB_WORKFLOW'].includes(type));
  const end = (task: TaskRow): number => task.endedAt ?? 0;
  return {
    started: runs.length,
    completed: completed.length,
    failed: failed.length,
    terminated: runs.filter(({ status }) => status === 'TERMINATED').length,
    open: runs.filter(({ endedAt }) => endedAt === null).length,
    p50Seconds: quantileOf(took, 0.5),
    p90Seconds: quantileOf(took, 0.9),
    slaSeconds: slaSeconds ?? null,
    withinSla:
      slaSeconds === undefined ? null : completed.filter((run) => tookMs(run) <= slaSeconds * 1000).length,
    beyondSla:
      slaSeconds === undefined
        ? null
        : runs.filter(
            (run) => isFailed(run) || (run.status !== 'TERMINATED' && tookMs(run) > slaSeconds * 1000),
          ).length,
    failureRate:
      completed.length + failed.length === 0 ? null : failed.length / (completed.length + failed.length),
    meanSecondsBetweenFailures: mean(gaps),
    meanSecondsToRecovery: mean(recoveries),
    queueSeconds: sum(
      worked.map((task) => seconds(Math.min(task.startedAt ?? end(task), end(task)) - task.scheduledAt)),
    ),
    runSeconds: sum(
      worked.map((task) =>
        task.startedAt === null ? 0 : seconds(end(task) - Math.max(task.startedAt, task.scheduledAt)),
      ),
    ),
    personSeconds: sum(
      tasks.filter(({ type }) => type === 'HUMAN').map((task) => seconds(end(task) - task.scheduledAt)),
    ),
    attempts: tasks.length,
  };
}
