import { describe, expect, it } from 'vitest';
import { retryDelayMs } from '../../../src/engine/decider/retries.js';
import { TaskDef } from '../../../src/engine/model/definition.js';
import { Run, SECOND, START, command, definition, simple, step, taskDefs, update } from './fixtures.js';

const one = (def: { [key: string]: unknown }, stepMore: { [key: string]: unknown } = {}) =>
  new Run(definition([simple('a', stepMore), simple('after')]), {
    taskDefs: taskDefs({ name: 'work_a', responseTimeoutSeconds: 0, ...def }),
  });

describe('a failed attempt', () => {
  it('of a task that nobody registered is retried three times, a minute apart', () => {
    const run = new Run(definition([simple('a')]));
    const first = run.task('a');
    for (let attempt = 1; attempt <= 3; attempt++) {
      run.fail('a', `attempt ${attempt}`);
      expect(run.task('a')).toMatchObject({
        retryCount: attempt,
        status: 'SCHEDULED',
        queued: true,
        dueAt: run.now + 60 * SECOND,
        callbackAfterSeconds: 60,
        pollCount: 0,
        outputData: {},
        startTime: undefined,
      });
      run.now += 60 * SECOND;
    }
    expect(run.state.tasks[0]).toMatchObject({ taskId: first.taskId, status: 'FAILED', retried: true });
    expect(run.state.tasks[1]?.retriedTaskId).toBe(first.taskId);
    run.fail('a', 'attempt 4');
    const last = run.task('a');
    expect(run.workflow).toMatchObject({
      status: 'FAILED',
      reasonForIncompletion: `Task ${last.taskId} failed with status: FAILED and reason: 'attempt 4'`,
      failedReferenceTaskNames: ['a'],
    });
  });

  it('is not retried after a terminal error', () => {
    const run = one({ retryCount: 5 });
    run.fail('a', 'hopeless', 'FAILED_WITH_TERMINAL_ERROR');
    expect(run.workflow.status).toBe('FAILED');
    expect(run.task('a').retryCount).toBe(0);
  });

  it('is retried as often as the step says, before its definition', () => {
    const run = one({ retryCount: 5, retryDelaySeconds: 0 }, { retryCount: 1 });
    run.fail('a');
    run.fail('a');
    expect(run.workflow.status).toBe('FAILED');
  });

  it('gets its inputs resolved anew', () => {
    const run = new Run(
      definition([simple('a', { inputParameters: { before: '${a.reasonForIncompletion}' } })]),
    );
    expect(run.task('a').inputData).toEqual({ before: null });
    run.fail('a', 'first');
    expect(run.task('a').inputData).toEqual({ before: 'first' });
  });

  it('of an optional step ends COMPLETED_WITH_ERRORS, after its retries', () => {
    const run = one({ retryCount: 1, retryDelaySeconds: 0 }, { optional: true });
    run.fail('a');
    expect(run.open()).toEqual(['a']);
    run.fail('a');
    expect(run.task('a').status).toBe('COMPLETED_WITH_ERRORS');
    run.complete('after');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('of a permissive step lets the rest run and fails the workflow at its end', () => {
    const run = one({ retryCount: 0 }, { permissive: true });
    run.fail('a', 'too bad');
    expect(run.open()).toEqual(['after']);
    run.complete('after');
    expect(run.workflow).toMatchObject({
      status: 'FAILED',
      reasonForIncompletion: `Task ${run.task('a').taskId} failed with status: FAILED and reason: 'too bad'`,
    });
  });

  it('reported for a HUMAN task fails its workflow', () => {
    const run = new Run(definition([step('HUMAN', 'h')]));
    run.fail('h', 'nobody wants to');
    expect(run.workflow.status).toBe('FAILED');
  });
});

describe('the delay before a retry', () => {
  const row = (retryCount: number) => ({ retryCount });
  const id = '00000005-0000-5000-8000-000000000000';
  it.each([
    [{ retryLogic: 'FIXED', retryDelaySeconds: 7 }, [7000, 7000, 7000]],
    [{ retryLogic: 'LINEAR_BACKOFF', retryDelaySeconds: 2, backoffScaleFactor: 3 }, [6000, 12_000, 18_000]],
    [{ retryLogic: 'EXPONENTIAL_BACKOFF', retryDelaySeconds: 2, backoffScaleFactor: 3 }, [2000, 4000, 8000]],
    [
      { retryLogic: 'EXPONENTIAL_BACKOFF', retryDelaySeconds: 2, maxRetryDelaySeconds: 5 },
      [2000, 4000, 5000],
    ],
    [{ retryLogic: 'FIXED', retryDelaySeconds: 1, backoffJitterMs: 100 }, [1005, 1005, 1005]],
    [{ retryLogic: 'FIXED', retryDelaySeconds: 1, backoffJitterMs: 4 }, [1000, 1000, 1000]],
  ])('with %j is %j', (def, delays) => {
    const taskDef = TaskDef.parse({ name: 'x', ...def });
    expect([0, 1, 2].map((n) => retryDelayMs(row(n), taskDef, id))).toEqual(delays);
  });

  it('stays a time however often it doubles', () => {
    const taskDef = TaskDef.parse({ name: 'x', retryLogic: 'EXPONENTIAL_BACKOFF', retryCount: 1000 });
    expect(retryDelayMs(row(1000), taskDef, id)).toBe(365 * 86_400_000);
  });
});

describe('an IN_PROGRESS report', () => {
  it('with a callback puts the task back into the queue', () => {
    const run = one({});
    run.claim('a');
    run.decide(
      update(run.task('a').taskId, {
        status: 'IN_PROGRESS',
        callbackAfterSeconds: 30,
        outputData: { at: 1 },
      }),
    );
    expect(run.task('a')).toMatchObject({
      status: 'SCHEDULED',
      queued: true,
      dueAt: START + 30 * SECOND,
      callbackAfterSeconds: 30,
      outputData: { at: 1 },
    });
    expect(run.refs()).toEqual(['a']);
  });

  it('without one parks it', () => {
    const run = one({});
    run.claim('a');
    run.decide(update(run.task('a').taskId, { status: 'IN_PROGRESS' }));
    expect(run.task('a')).toMatchObject({ status: 'IN_PROGRESS', queued: false });
  });

  it('is a sign of life: the response time-out begins anew', () => {
    const run = one({ responseTimeoutSeconds: 10 });
    run.claim('a');
    expect(run.last.wakeAt).toBe(START + 10 * SECOND);
    run.now += 8 * SECOND;
    run.decide(update(run.task('a').taskId, { status: 'IN_PROGRESS' }));
    expect(run.last.wakeAt).toBe(START + 18 * SECOND);
  });
});

describe('a time-out', () => {
  it('of the response ends the attempt, which is then retried whatever the policy', () => {
    const run = one({ responseTimeoutSeconds: 10, timeoutPolicy: 'TIME_OUT_WF', retryDelaySeconds: 1 });
    run.claim('a');
    const { taskId } = run.task('a');
    run.after(10);
    expect(run.state.tasks[0]).toMatchObject({
      status: 'TIMED_OUT',
      retried: true,
      queued: false,
      reasonForIncompletion: `responseTimeout: 10 exceeded for the taskId: ${taskId} with Task Definition: work_a`,
    });
    expect(run.task('a')).toMatchObject({ status: 'SCHEDULED', retryCount: 1 });
  });

  it('does not run before a worker has the task', () => {
    const run = one({ responseTimeoutSeconds: 10, timeoutSeconds: 10 });
    expect(run.last.wakeAt).toBeUndefined();
  });

  it.each([
    ['RETRY', 'RUNNING', 2],
    ['TIME_OUT_WF', 'TIMED_OUT', 1],
    ['ALERT_ONLY', 'RUNNING', 1],
  ])('of the attempt under %s leaves the workflow %s', (timeoutPolicy, status, rows) => {
    const run = one({ timeoutSeconds: 20, timeoutPolicy });
    run.claim('a');
    run.after(20);
    expect(run.workflow.status).toBe(status);
    expect(run.state.tasks).toHaveLength(rows);
    expect(run.state.tasks[0]?.reasonForIncompletion).toBe(
      timeoutPolicy === 'ALERT_ONLY'
        ? undefined
        : `Task timed out after 20 seconds. Timeout configured as 20 seconds. Timeout policy configured to ${timeoutPolicy}`,
    );
  });

  it('of the poll counts from when the task may be handed out', () => {
    const run = one({ pollTimeoutSeconds: 5, timeoutPolicy: 'TIME_OUT_WF' }, { startDelay: 10 });
    expect(run.last.wakeAt).toBe(START + 15 * SECOND);
    run.after(15);
    expect(run.workflow).toMatchObject({
      status: 'TIMED_OUT',
      reasonForIncompletion:
        'Task poll timed out after 5 seconds. Poll timeout configured as 5 seconds. Timeout policy configured to TIME_OUT_WF',
    });
  });

  it('that was registered before there was a maximum ends in a time that can be stored', () => {
    const endless = { startDelay: 1e300, timeoutSeconds: 1e300 };
    const parsed = definition([simple('a')]);
    const run = new Run({
      ...parsed,
      timeoutPolicy: 'TIME_OUT_WF',
      timeoutSeconds: 1e300,
      tasks: parsed.tasks.map((task) => ({ ...task, ...endless })),
    });
    const [task] = run.state.tasks;
    expect(task).toMatchObject({ dueAt: START + (2 ** 31 - 1) * SECOND, callbackAfterSeconds: 2 ** 31 - 1 });
    expect(run.last.wakeAt).toBeUndefined();
  });

  it('of all attempts together stops the retries', () => {
    const run = one({
      totalTimeoutSeconds: 30,
      timeoutPolicy: 'RETRY',
      retryCount: 9,
      retryDelaySeconds: 20,
    });
    run.now += 5 * SECOND;
    run.fail('a');
    expect(run.last.wakeAt).toBe(START + 30 * SECOND);
    run.after(25);
    expect(run.workflow.status).toBe('TIMED_OUT');
    expect(run.workflow.reasonForIncompletion).toContain('exceeded total timeout of 30 seconds');
    expect(run.state.tasks).toHaveLength(2);
  });

  it('retried too often times the workflow out', () => {
    const run = one({ responseTimeoutSeconds: 1, retryCount: 0 });
    run.claim('a');
    run.after(1);
    expect(run.workflow).toMatchObject({ status: 'TIMED_OUT', failedReferenceTaskNames: ['a'] });
  });

  it('applies to HUMAN tasks that have a definition, but never for want of a response', () => {
    const run = new Run(definition([step('HUMAN', 'h')]), {
      taskDefs: taskDefs({
        name: 'h',
        timeoutSeconds: 60,
        responseTimeoutSeconds: 5,
        timeoutPolicy: 'TIME_OUT_WF',
      }),
    });
    expect(run.last.wakeAt).toBe(START + 60 * SECOND);
    run.after(60);
    expect(run.workflow.status).toBe('TIMED_OUT');
  });

  it('of the workflow cancels what is open', () => {
    const run = new Run(definition([simple('a')], { timeoutSeconds: 90, timeoutPolicy: 'TIME_OUT_WF' }));
    expect(run.last.wakeAt).toBe(START + 90 * SECOND);
    run.after(100);
    expect(run.workflow).toMatchObject({
      status: 'TIMED_OUT',
      reasonForIncompletion:
        'Workflow timed out after 100 seconds. Timeout configured as 90 seconds. Timeout policy configured to TIME_OUT_WF',
    });
    expect(run.task('a').status).toBe('CANCELED');
  });

  it('of a workflow under ALERT_ONLY changes nothing', () => {
    const run = new Run(definition([simple('a')], { timeoutSeconds: 90, timeoutPolicy: 'ALERT_ONLY' }));
    expect(run.last.wakeAt).toBeUndefined();
    expect(run.after(100).changedTasks).toEqual([]);
  });

  it('noticed late is dealt with in the order in which they passed', () => {
    const run = one({ responseTimeoutSeconds: 10, timeoutSeconds: 20, timeoutPolicy: 'TIME_OUT_WF' });
    run.claim('a');
    run.after(3600);
    expect(run.workflow.status).toBe('RUNNING');
    expect(run.state.tasks.map(({ status }) => status)).toEqual(['TIMED_OUT', 'SCHEDULED']);
  });

  it('follows a definition that is registered while the task runs', () => {
    const run = one({});
    run.claim('a');
    expect(run.last.wakeAt).toBeUndefined();
    run.state = { ...run.state, taskDefs: taskDefs({ name: 'work_a', responseTimeoutSeconds: 4 }) };
    run.decide(command('wake'));
    expect(run.last.wakeAt).toBe(START + 4 * SECOND);
  });
});
