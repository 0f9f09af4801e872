import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import type { JsonObject } from '../../../src/engine/model/json.js';
import {
  Run,
  SECOND,
  START,
  WORKFLOW_ID,
  command,
  definition,
  fork,
  simple,
  step,
  taskDefs,
  terminate,
  update,
} from './fixtures.js';

describe('a late report', () => {
  it('of a task that has ended is refused as late and changes nothing', () => {
    const run = new Run(definition([simple('a'), simple('b')]));
    run.complete('a', { first: true });
    const { state } = run;
    run.complete('a', { second: true });
    expect(run.last.rejected).toMatchObject([{ reason: 'late' }]);
    expect(run.last.rejected[0]?.message).toContain('already ended with COMPLETED');
    expect(run.state).toBe(state);
  });

  it('of an attempt that was replaced is late', () => {
    const run = new Run(definition([simple('a')]));
    const { taskId } = run.task('a');
    run.fail('a');
    run.decide(update(taskId));
    expect(run.last.rejected).toMatchObject([{ reason: 'late' }]);
    expect(run.open()).toEqual(['a']);
  });

  it('of a task that does not exist is refused as not found', () => {
    const run = new Run(definition([simple('a')]));
    expect(run.decide(update('no-such-task')).rejected).toMatchObject([{ reason: 'not_found' }]);
  });

  it('in the batch that ends its workflow is late', () => {
    const run = new Run(definition(fork('f', [[simple('a', { retryCount: 0 })], [simple('b')]])));
    const { taskId } = run.task('b');
    run.decide(update(run.task('a').taskId, { status: 'FAILED' }), update(taskId));
    expect(run.last.rejected).toMatchObject([{ reason: 'late' }]);
    expect(run.task('b').status).toBe('CANCELED');
  });

  it('repeated under its own id in one batch counts once', () => {
    const run = new Run(definition([simple('a'), simple('b')]));
    const report = update(run.task('a').taskId);
    run.decide(report, report);
    expect(run.last.rejected).toEqual([]);
  });

  it('with an output that is too large fails the task for good', () => {
    const run = new Run(definition([simple('a')]));
    run.complete('a', { x: 'y'.repeat(11 * 1024 * 1024) });
    expect(run.task('a')).toMatchObject({ status: 'FAILED_WITH_TERMINAL_ERROR', outputData: {} });
  });
});

describe('pause and resume', () => {
  it('keep results and schedule nothing in between', () => {
    const run = new Run(definition([simple('a'), simple('b')]));
    run.decide(command('pause'));
    run.complete('a');
    expect(run.workflow.status).toBe('PAUSED');
    expect(run.refs()).toEqual(['a']);
    run.now += 5 * SECOND;
    run.decide(command('resume'));
    expect(run.workflow).toMatchObject({ status: 'RUNNING', lastRetriedTime: START + 5 * SECOND });
    expect(run.open()).toEqual(['b']);
  });

  it('hold the tasks’ time-outs back until the workflow goes on', () => {
    const run = new Run(definition([simple('a')]), {
      taskDefs: taskDefs({
        name: 'work_a',
        pollTimeoutSeconds: 5,
        responseTimeoutSeconds: 0,
        timeoutPolicy: 'TIME_OUT_WF',
      }),
    });
    run.decide(command('pause'));
    expect(run.last.wakeAt).toBeUndefined();
    run.after(60);
    expect(run.workflow.status).toBe('PAUSED');
    run.decide(command('resume'));
    expect(run.workflow.status).toBe('TIMED_OUT');
  });

  it('with a failure in between end the workflow, however often that is decided', () => {
    const run = new Run(definition([simple('a', { retryCount: 0 })]));
    run.decide(command('pause'));
    run.fail('a');
    const resume = command('resume');
    const outcomes = [1, 2, 3].map(() => decide(run.state, [resume], run.now));
    expect(outcomes.map(({ state }) => state.workflow.status)).toEqual(['FAILED', 'FAILED', 'FAILED']);
  });

  it('twice: pausing again is nothing, resuming again a conflict', () => {
    const run = new Run(definition([simple('a')]));
    run.decide(command('pause'));
    expect(run.decide(command('pause'))).toMatchObject({ rejected: [], changedTasks: [] });
    run.decide(command('resume'));
    expect(run.decide(command('resume')).rejected).toMatchObject([{ reason: 'conflict' }]);
  });

  it('are refused after the end', () => {
    const run = new Run(definition([simple('a')]));
    run.complete('a');
    expect(run.decide(command('pause'), command('resume')).rejected).toMatchObject([
      { reason: 'conflict' },
      { reason: 'conflict' },
    ]);
  });
});

describe('terminate', () => {
  it('cancels what is open, keeps the reason and runs no failure workflow', () => {
    const run = new Run(definition([simple('a')], { failureWorkflow: 'after' }));
    run.decide(terminate('not needed'));
    expect(run.workflow).toMatchObject({
      status: 'TERMINATED',
      reasonForIncompletion: 'not needed',
      endTime: START,
    });
    expect(run.task('a')).toMatchObject({ status: 'CANCELED', queued: false });
    expect(run.last.effects).toEqual([]);
    expect(run.last.wakeAt).toBeUndefined();
  });

  it('again is nothing; of a completed workflow a conflict', () => {
    const run = new Run(definition([simple('a')]));
    run.decide(terminate('first'));
    expect(run.decide(terminate('second')).rejected).toEqual([]);
    expect(run.workflow.reasonForIncompletion).toBe('first');
    const done = new Run(definition([simple('a')]));
    done.complete('a');
    expect(done.decide(terminate('late')).rejected).toMatchObject([{ reason: 'conflict' }]);
  });

  it('works on a paused workflow', () => {
    const run = new Run(definition([simple('a')]));
    run.decide(command('pause'), terminate('enough'));
    expect(run.workflow.status).toBe('TERMINATED');
  });
});

describe('retry', () => {
  it('gives what failed and what was cancelled a new attempt, and the JOIN its wait back', () => {
    const run = new Run(
      definition([
        ...fork('f', [[simple('a', { retryCount: 0 })], [simple('b')], [simple('c')]]),
        simple('after'),
      ]),
    );
    run.complete('c', { kept: true });
    run.fail('a', 'broken');
    expect(run.workflow).toMatchObject({ status: 'FAILED', failedReferenceTaskNames: ['a'] });
    run.now += SECOND;
    run.decide(command('retry'));
    expect(run.workflow).toMatchObject({
      status: 'RUNNING',
      lastRetriedTime: START + SECOND,
      reasonForIncompletion: undefined,
      failedReferenceTaskNames: [],
      endTime: undefined,
    });
    expect(run.open()).toEqual(['f_join', 'a', 'b']);
    expect(run.task('a')).toMatchObject({ retryCount: 1, dueAt: run.now });
    run.complete('b');
    run.complete('a');
    expect(run.task('f_join').outputData).toEqual({ c: { kept: true } });
    expect(run.open()).toEqual(['after']);
  });

  it('brings a terminated or timed-out workflow back', () => {
    const run = new Run(definition([simple('a')], { timeoutSeconds: 10, timeoutPolicy: 'TIME_OUT_WF' }));
    run.after(10);
    expect(run.workflow.status).toBe('TIMED_OUT');
    run.decide(command('retry'));
    expect(run.workflow.status).toBe('RUNNING');
    expect(run.last.wakeAt).toBe(run.now + 10 * SECOND);
  });

  it('after a permissive failure joins anew', () => {
    const run = new Run(
      definition(fork('f', [[simple('a', { permissive: true, retryCount: 0 })], [simple('b')]])),
    );
    run.fail('a');
    run.complete('b');
    expect(run.workflow.status).toBe('FAILED');
    run.decide(command('retry'));
    expect(run.open()).toEqual(['f_join', 'a']);
    run.complete('a');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('is refused while the workflow runs, when it completed, and when nothing can be retried', () => {
    const run = new Run(definition([simple('a')]));
    expect(run.decide(command('retry')).rejected).toMatchObject([{ reason: 'conflict' }]);
    run.complete('a');
    expect(run.decide(command('retry')).rejected).toMatchObject([{ reason: 'conflict' }]);
    const ended = new Run(definition([step('TERMINATE', 't', { terminationStatus: 'FAILED' })]));
    expect(ended.decide(command('retry')).rejected).toMatchObject([{ reason: 'conflict' }]);
  });
});

describe('the failure workflow', () => {
  const failing = (failureWorkflow: string, input = {}) => {
    const run = new Run(
      definition([simple('a', { retryCount: 0 })], { failureWorkflow, failureWorkflowVersion: 2 }),
      { input, correlationId: 'c1' },
    );
    run.fail('a', 'broken');
    return run;
  };

  it('is started once, with the facts of the failure', () => {
    const run = failing('clean_up', { scanId: 's1' });
    const [effect] = run.last.effects;
    expect(effect).toMatchObject({
      kind: 'startWorkflow',
      name: 'clean_up',
      version: 2,
      correlationId: 'c1',
      input: {
        scanId: 's1',
        workflowId: WORKFLOW_ID,
        reason: run.workflow.reasonForIncompletion,
        failureStatus: 'FAILED',
        failureTaskId: run.task('a').taskId,
        failedWorkflow: { workflowId: WORKFLOW_ID, status: 'FAILED', input: { scanId: 's1' } },
      },
    });
    expect(run.workflow.output).toEqual({ 'conductor.failure_workflow': effect?.workflowId });
    expect(decide(run.state, [command('wake')], run.now).effects).toEqual([]);
  });

  it('may be named by an expression', () => {
    expect(failing('${workflow.input.name}', { name: 'mine' }).last.effects).toMatchObject([
      { name: 'mine' },
    ]);
  });

  it('whose name resolves to nothing is not started, and the reason says so', () => {
    const run = failing('${workflow.input.name}');
    expect(run.last.effects).toEqual([]);
    expect(run.workflow.reasonForIncompletion).toContain(
      'was not started: ${workflow.input.name} gives no name',
    );
  });

  it('is another one when the workflow fails again after a retry', () => {
    const run = failing('clean_up');
    const first = run.last.effects[0]?.workflowId;
    run.now += 1;
    run.decide(command('retry'));
    run.fail('a');
    expect(run.last.effects[0]?.workflowId).not.toBe(first);
  });

  /** How often one that names itself is started, and the input of the last. */
  const startsOf = (first: JsonObject): { started: number; input: JsonObject } => {
    let input = first;
    for (let started = 0; started < 20; started++) {
      const [effect] = failing('itself', input).last.effects;
      if (effect?.kind !== 'startWorkflow') return { started, input };
      input = effect.input;
    }
    return { started: 20, input };
  };

  it('that fails over and over does not go on for ever', () => {
    expect(startsOf({}).started).toBe(5);
  });

  it('that fails over and over does not go on for ever either when it carries too much to be told whole', () => {
    const { started, input } = startsOf({ large: 'x'.repeat(6 * 1024 * 1024) });
    expect(started).toBe(5);
    expect(input['failedWorkflow']).toMatchObject({ failuresBefore: 4 });
  });

  it('is run for a time-out too', () => {
    const run = new Run(
      definition([simple('a')], { failureWorkflow: 'x', timeoutSeconds: 1, timeoutPolicy: 'TIME_OUT_WF' }),
    );
    run.after(1);
    expect(run.last.effects).toMatchObject([{ name: 'x', input: { failureStatus: 'TIMED_OUT' } }]);
  });
});
