import { Counter, type Registry } from 'prom-client';
import type { Instant } from '../../clock.js';
import type { ClaimedTask } from '../execution-store.js';
import { isTerminalTask, isTerminalWorkflow, type Task } from '../model/execution.js';
import type { CommitFacts, CommitObserver } from '../runtime/commit-observer.js';
import { rowOf, type Transition } from '../runtime/transition.js';
import { FastHistogram, NamedCounts } from './fast-metrics.js';

// 200 names with 5 ways to end are 1,000 series per node, which a Prometheus does not notice.
const MAX_WORKFLOW_NAMES = 200;
const MAX_TASK_TYPES = 200;

// Powers of about three from a tenth of a millisecond: a decision takes 0.1 to 10, a commit 1 to 300.
const FINE_SECONDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const WAIT_SECONDS = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_600, 86_400];
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 75, 100, 125, 250, 500];

/** Counts what this process commits and how long it takes. */
export class CommitMetrics implements CommitObserver {
  private readonly started: NamedCounts;
  private readonly ended: NamedCounts;
  private readonly tasksEnded: NamedCounts;
  private readonly duration: FastHistogram;
  private readonly queueTime: FastHistogram;
  private readonly runTime: FastHistogram;
  private readonly decideTime: FastHistogram;
  private readonly commitTime: FastHistogram;
  private readonly batchSize: FastHistogram;
  private readonly timerLag: FastHistogram;
  private readonly counts = { statements: 0, unanswered: 0 };

  constructor(registry: Registry) {
    const named = (name: string, help: string, labels: [string, string?], max: number) =>
      new NamedCounts(registry, { name, help, labels }, max);
    const histogram = (name: string, help: string, bounds: readonly number[]) =>
      new FastHistogram(registry, name, help, bounds);
    this.started = named(
      'sallyport_workflows_started_total',
      'Workflows that this process started',
      ['workflow'],
      MAX_WORKFLOW_NAMES,
    );
    this.ended = named(
      'sallyport_workflows_ended_total',
      'Workflows that this process ended, by how',
      ['workflow', 'status'],
      MAX_WORKFLOW_NAMES,
    );
    this.tasksEnded = named(
      'sallyport_tasks_ended_total',
      'Attempts of tasks that this process ended, by how',
      ['task_type', 'status'],
      MAX_TASK_TYPES,
    );
    this.duration = histogram(
      'sallyport_workflow_duration_seconds',
      'From the start of a workflow to its end',
      WAIT_SECONDS,
    );
    this.queueTime = histogram(
      'sallyport_task_queue_seconds',
      'How long a task was due before a worker got it',
      WAIT_SECONDS,
    );
    this.runTime = histogram(
      'sallyport_task_run_seconds',
      'From the first hand-out of an attempt to its end',
      WAIT_SECONDS,
    );
    this.decideTime = histogram('sallyport_decide_seconds', 'Deciding one batch', FINE_SECONDS);
    this.commitTime = histogram('sallyport_commit_seconds', 'Storing one batch', FINE_SECONDS);
    this.batchSize = histogram('sallyport_commit_batch_workflows', 'Workflows in one batch', BATCH_SIZES);
    this.timerLag = histogram(
      'sallyport_timer_lag_seconds',
      'From the time that was set to the decision that follows',
      FINE_SECONDS,
    );
    const count = (name: string, help: string, value: () => number) =>
      new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(value());
        },
      });
    count('sallyport_commit_statements_total', 'SQL statements of all batches', () => this.counts.statements);
    count(
      'sallyport_task_response_timeouts_total',
      'Attempts that were taken from a worker that fell silent',
      () => this.counts.unanswered,
    );
  }

  committed(batch: readonly Transition[], { now, decideMs, commitMs, statements }: CommitFacts): void {
    this.decideTime.add(decideMs / 1000);
    this.commitTime.add(commitMs / 1000);
    this.batchSize.add(batch.length);
    this.counts.statements += statements;
    for (const one of batch) this.changed(one, now);
  }

  claimed(tasks: readonly ClaimedTask[]): void {
    for (const { task } of tasks) this.queueTime.add((task.updateTime - task.dueAt) / 1000);
  }

  private changed({ before, next, write, handedOver, firedTimer }: Transition, now: Instant): void {
    const { workflow } = next.state;
    if (before === undefined) this.started.add(workflow.workflowName);
    if (
      isTerminalWorkflow(workflow.status) &&
      (before === undefined || !isTerminalWorkflow(before.workflow.status))
    ) {
      this.ended.add(workflow.workflowName, workflow.status);
      this.duration.add(((workflow.endTime ?? workflow.updateTime) - workflow.createTime) / 1000);
    }
    for (const { task } of write?.tasks ?? []) {
      if (isTerminalTask(task.status)) this.taskEnded(task, before && rowOf(before.tasks, task));
    }
    for (const task of handedOver) this.queueTime.add((task.updateTime - task.dueAt) / 1000);
    if (firedTimer !== undefined) this.timerLag.add((now - firedTimer) / 1000);
  }

  private taskEnded(task: Task, before: Task | undefined): void {
    // A row is also written when its end has had its consequences.
    if (before !== undefined && isTerminalTask(before.status)) return;
    this.tasksEnded.add(task.taskType, task.status);
    if (task.pollCount === 0 || task.startTime === undefined) return;
    this.runTime.add(((task.endTime ?? task.updateTime) - task.startTime) / 1000);
    const isUnanswered =
      task.status === 'TIMED_OUT' && task.reasonForIncompletion?.startsWith('responseTimeout') === true;
    if (isUnanswered) this.counts.unanswered += 1;
  }
}
