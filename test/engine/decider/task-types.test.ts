import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { parseDurationMs, parseUntil } from '../../../src/engine/decider/wait-time.js';
import { MAX_PURE_STEPS } from '../../../src/engine/decider/limits.js';
import type { Json } from '../../../src/engine/model/json.js';
import {
  Run,
  SECOND,
  START,
  bare,
  command,
  definition,
  fork,
  simple,
  step,
  switchOn,
  update,
} from './fixtures.js';

describe('a start', () => {
  it('schedules the first step and stays RUNNING', () => {
    const run = new Run(definition([simple('a', { startDelay: 5 }), simple('b')]));
    expect(run.workflow.status).toBe('RUNNING');
    expect(run.state.tasks).toEqual([
      expect.objectContaining({
        referenceTaskName: 'a',
        taskType: 'work_a',
        taskDefName: 'work_a',
        status: 'SCHEDULED',
        queued: true,
        seq: 1,
        retryCount: 0,
        pollCount: 0,
        dueAt: START + 5 * SECOND,
        callbackAfterSeconds: 5,
        scheduledTime: START,
        firstScheduledTime: START,
        startTime: undefined,
      }),
    ]);
  });

  it('fills missing and null inputs from the template', () => {
    const run = new Run(definition([simple('a')], { inputTemplate: { x: 1, y: 2, z: 3 } }), {
      input: { y: null, z: 4 },
    });
    expect(run.workflow.input).toEqual({ x: 1, y: 2, z: 4 });
  });

  it('repeated changes nothing', () => {
    const run = new Run(definition([simple('a')]));
    const again = decide(run.state, [command('start')], run.now);
    expect(again.state).toBe(run.state);
  });

  it('of nothing but system tasks completes at once', () => {
    const run = new Run(
      definition([
        step('SET_VARIABLE', 'a', { x: 1 }),
        switchOn('s', 'no', {}),
        step('SET_VARIABLE', 'b', { y: 2 }),
      ]),
    );
    expect(run.workflow).toMatchObject({ status: 'COMPLETED', variables: { x: 1, y: 2 }, endTime: START });
  });
});

describe('SIMPLE', () => {
  it('takes what is missing from its definition’s template, which may hold expressions', () => {
    const run = new Run(
      definition([
        simple('a', {
          inputParameters: { given: 1, empty: null, resolved: '${workflow.input.absent}' },
          taskDefinition: {
            name: 'work_a',
            inputTemplate: { given: 2, empty: '${workflow.input.x}', resolved: 3, more: 4 },
          },
        }),
      ]),
      { input: { x: 'filled' } },
    );
    expect(run.task('a').inputData).toEqual({ given: 1, empty: 'filled', resolved: null, more: 4 });
  });

  it('fails for good when its input would be too large', () => {
    const big = 'x'.repeat(6 * 1024 * 1024);
    const run = new Run(
      definition([
        simple('a', { inputParameters: { p: '${workflow.input.big}', q: '${workflow.input.big}' } }),
      ]),
      { input: { big } },
    );
    expect(run.task('a')).toMatchObject({ status: 'FAILED_WITH_TERMINAL_ERROR', inputData: {} });
    expect(run.workflow.status).toBe('FAILED');
  });
});

describe('SWITCH', () => {
  const cases = {
    yes: [simple('a')],
    '3': [simple('b')],
    empty: [],
    null: [simple('c')],
    '{"k":1}': [simple('d')],
  };
  it.each<[string, Json, string[]]>([
    ['a text', 'yes', ['a']],
    ['a number as its text', 3, ['b']],
    ['a missing value as "null"', '${workflow.input.absent}', ['c']],
    ['an object as its JSON', { k: 1 }, ['d']],
    ['anything else as the default', 'other', ['e']],
    ['a listed but empty case as nothing', 'empty', ['after']],
    ['a name of Object.prototype as the default', 'constructor', ['e']],
  ])('takes %s', (_, value, open) => {
    const run = new Run(
      definition([switchOn('s', value, cases, { defaultCase: [simple('e')] }), simple('after')]),
    );
    expect(run.open()).toEqual(open);
  });

  it('has rows as in Conductor, and goes on after its branch', () => {
    const run = new Run(definition([switchOn('s', 'yes', cases), simple('after')]));
    expect(run.task('s')).toMatchObject({
      taskType: 'SWITCH',
      taskDefName: 'SWITCH',
      status: 'COMPLETED',
      executed: true,
      inputData: { by: 'yes', case: 'yes', hasChildren: 'true' },
      outputData: { evaluationResult: ['yes'], selectedCase: 'yes' },
    });
    run.complete('a');
    expect(run.open()).toEqual(['after']);
  });
});

describe('FORK_JOIN and JOIN', () => {
  it('start every branch at once and wait for all', () => {
    const run = new Run(
      definition([...fork('f', [[simple('a'), simple('a2')], [simple('b')]]), simple('after')]),
    );
    expect(run.state.tasks.map((task) => [task.referenceTaskName, task.taskType, task.status])).toEqual([
      ['f', 'FORK', 'COMPLETED'],
      ['a', 'work_a', 'SCHEDULED'],
      ['b', 'work_b', 'SCHEDULED'],
      ['f_join', 'JOIN', 'IN_PROGRESS'],
    ]);
    expect(run.task('f_join').inputData).toEqual({ joinOn: ['a2', 'b'] });
    run.complete('b', { n: 1 });
    run.complete('a', { n: 2 });
    expect(run.open()).toEqual(['f_join', 'a2']);
    run.complete('a2');
    expect(run.task('f_join')).toMatchObject({ status: 'COMPLETED', outputData: { b: { n: 1 } } });
    expect(run.open()).toEqual(['after']);
  });

  it('a JOIN on nothing goes on at once, and the workflow still ends only after every branch', () => {
    const run = new Run(definition([...fork('f', [[simple('a')]], []), simple('after')]));
    expect(run.open()).toEqual(['a', 'after']);
    run.complete('after');
    expect(run.workflow.status).toBe('RUNNING');
    run.complete('a');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('a JOIN does not wait for a branch that a SWITCH did not take', () => {
    const inner = switchOn('s', '${a.output.way}', { left: [simple('l')], right: [simple('r')] });
    const run = new Run(definition(fork('f', [[simple('a'), inner], [simple('b')]], ['l', 'r', 'b'])));
    run.complete('b');
    run.complete('a', { way: 'left' });
    expect(run.open()).toEqual(['f_join', 'l']);
    run.complete('l');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('a failed optional branch makes the JOIN COMPLETED_WITH_ERRORS', () => {
    const run = new Run(
      definition(fork('f', [[simple('a', { optional: true, retryCount: 0 })], [simple('b')]])),
    );
    run.fail('a');
    run.complete('b');
    expect(run.task('a').status).toBe('COMPLETED_WITH_ERRORS');
    expect(run.task('f_join').status).toBe('COMPLETED_WITH_ERRORS');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('a failed permissive branch lets the others end, then fails the JOIN', () => {
    const run = new Run(
      definition(fork('f', [[simple('a', { permissive: true, retryCount: 0 })], [simple('b')]])),
    );
    run.fail('a', 'no luck');
    expect(run.open()).toEqual(['b', 'f_join']);
    run.complete('b');
    expect(run.task('f_join')).toMatchObject({ status: 'FAILED', reasonForIncompletion: 'no luck' });
    expect(run.workflow).toMatchObject({
      status: 'FAILED',
      reasonForIncompletion: `Task ${run.task('f_join').taskId} failed with status: FAILED and reason: 'no luck'`,
      failedReferenceTaskNames: ['a', 'f_join'],
    });
  });

  it('a JOIN that can never be ready fails its workflow instead of waiting for ever', () => {
    // Not accepted at registration; rows of an older version may hold it.
    const run = new Run(definition([...fork('f', [[simple('a')]], ['ghost'])]));
    run.complete('a');
    expect(run.workflow).toMatchObject({ status: 'FAILED' });
    expect(run.workflow.reasonForIncompletion).toContain('f_join');
  });
});

describe('HUMAN', () => {
  it('is IN_PROGRESS at once, is handed out once, and then stays parked without a time-out', () => {
    const run = new Run(definition([step('HUMAN', 'h', { title: 'Really?' }), simple('after')]));
    expect(run.task('h')).toMatchObject({ status: 'IN_PROGRESS', queued: true, startTime: START });
    run.claim('h');
    run.decide(update(run.task('h').taskId, { status: 'IN_PROGRESS', outputData: { reviewId: 'r1' } }));
    expect(run.task('h')).toMatchObject({
      status: 'IN_PROGRESS',
      queued: false,
      outputData: { reviewId: 'r1' },
    });
    expect(run.last.wakeAt).toBeUndefined();
    run.after(10 * 86_400);
    expect(run.task('h').status).toBe('IN_PROGRESS');
    run.complete('h', { outcome: 'release' });
    expect(run.open()).toEqual(['after']);
  });
});

describe('SET_VARIABLE', () => {
  it('changes the variables that it names, for every later step', () => {
    const run = new Run(
      definition(
        [
          step('SET_VARIABLE', 'v', { x: '${workflow.input.x}' }),
          simple('a', { inputParameters: { x: '${workflow.variables.x}', y: '${workflow.variables.y}' } }),
        ],
        { variables: { x: 0, y: 'kept' } },
      ),
      { input: { x: [1] } },
    );
    expect(run.task('a').inputData).toEqual({ x: [1], y: 'kept' });
  });

  it('fails when the variables would be larger than 256 KB, and leaves them as they were', () => {
    const run = new Run(definition([step('SET_VARIABLE', 'v', { x: '${workflow.input.x}' })]), {
      input: { x: 'y'.repeat(300_000) },
    });
    expect(run.task('v').status).toBe('FAILED_WITH_TERMINAL_ERROR');
    expect(run.workflow).toMatchObject({ status: 'FAILED', variables: {} });
  });
});

describe('TERMINATE', () => {
  it('completes the workflow with its own output and cancels what is open', () => {
    const ending = step('TERMINATE', 't', {
      terminationStatus: 'COMPLETED',
      workflowOutput: { done: '${a.output.x}' },
    });
    const run = new Run(definition([...fork('f', [[simple('a'), ending], [simple('b')]]), simple('never')]));
    run.complete('a', { x: 1 });
    expect(run.workflow).toMatchObject({ status: 'COMPLETED', output: { done: 1 } });
    expect(run.task('b')).toMatchObject({ status: 'CANCELED', queued: false, endTime: START });
    expect(run.refs()).not.toContain('never');
    expect(run.last.effects).toEqual([]);
  });

  it.each(['FAILED', 'TERMINATED'])('ends it as %s and runs the failure workflow', (terminationStatus) => {
    const run = new Run(
      definition(
        [step('TERMINATE', 't', { terminationStatus, terminationReason: 'because', workflowOutput: 7 })],
        {
          failureWorkflow: 'after',
        },
      ),
    );
    expect(run.workflow).toMatchObject({ status: terminationStatus, reasonForIncompletion: 'because' });
    expect(run.workflow.output).toMatchObject({ output: 7 });
    expect(run.last.effects).toHaveLength(1);
  });

  it('says which task ended the workflow when no reason is given', () => {
    const run = new Run(definition([step('TERMINATE', 't', { terminationStatus: 'FAILED' })]));
    expect(run.workflow.reasonForIncompletion).toBe(
      `Workflow is FAILED by TERMINATE task: ${run.task('t').taskId}`,
    );
  });

  it('fails when the status that it computed is none', () => {
    const run = new Run(definition([step('TERMINATE', 't', { terminationStatus: '${workflow.input.s}' })]), {
      input: { s: 'PAUSED' },
    });
    expect(run.task('t').status).toBe('FAILED');
    expect(run.workflow.status).toBe('FAILED');
  });
});

describe('WAIT', () => {
  it('for a duration ends exactly when it is over', () => {
    const run = new Run(
      definition([step('WAIT', 'w', { duration: '2 minutes 3 seconds' }), simple('after')]),
    );
    expect(run.task('w')).toMatchObject({ status: 'IN_PROGRESS', queued: false, callbackAfterSeconds: 123 });
    expect(run.last.wakeAt).toBe(START + 123 * SECOND);
    run.now += 123 * SECOND - 1;
    expect(run.decide(command('wake')).changedTasks).toEqual([]);
    run.now += 1;
    run.decide(command('wake'));
    expect(run.task('w')).toMatchObject({ status: 'COMPLETED', outputData: {}, endTime: run.now });
    expect(run.open()).toEqual(['after']);
  });

  it('until a time in the past ends at once', () => {
    const run = new Run(definition([step('WAIT', 'w', { until: '2000-01-01' }), simple('after')]));
    expect(run.open()).toEqual(['after']);
  });

  it('without a time waits for an update', () => {
    const run = new Run(
      definition([step('WAIT', 'w'), simple('after', { inputParameters: { x: '${w.output.x}' } })]),
    );
    expect(run.last.wakeAt).toBeUndefined();
    run.complete('w', { x: 1 });
    expect(run.task('after').inputData).toEqual({ x: 1 });
  });

  it.each([
    [
      { duration: '1 d', until: '2030-01-01' },
      "Both 'duration' and 'until' specified. Please provide only one input",
    ],
    [{ duration: 'soon' }, 'Not a valid duration: soon'],
    [{ until: 'tomorrow' }, 'Invalid/Unsupported Wait Until format.  Provided: tomorrow'],
  ])('fails for good with %j', (inputParameters, reason) => {
    const run = new Run(definition([step('WAIT', 'w', inputParameters)]));
    expect(run.task('w')).toMatchObject({
      status: 'FAILED_WITH_TERMINAL_ERROR',
      reasonForIncompletion: reason,
    });
    expect(run.workflow.status).toBe('FAILED');
  });

  it.each([
    ['1 days 2 hours 3 minutes 4 seconds', 93_784_000],
    ['1d2h3m4s', 93_784_000],
    ['90 SECS', 90_000],
    ['0s', 0],
    ['5', undefined],
    ['3m 1h', undefined],
    ['-5 s', undefined],
    ['9999999999 days', undefined],
    [' ', undefined],
  ])('reads the duration "%s"', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    ['2030-12-31', '2030-12-31T00:00:00Z'],
    ['2030-12-31 23:59', '2030-12-31T23:59:00Z'],
    ['2030-12-31 23:59 UTC', '2030-12-31T23:59:00Z'],
    ['2030-12-31 23:59 GMT+02:00', '2030-12-31T21:59:00Z'],
    ['2030-12-31 23:59 -0530', '2031-01-01T05:29:00Z'],
    ['2030-07-01 12:00 Europe/Vienna', '2030-07-01T10:00:00Z'],
    ['2030-01-01 12:00 America/New_York', '2030-01-01T17:00:00Z'],
    ['2030-03-31 03:30 Europe/Vienna', '2030-03-31T01:30:00Z'],
    ['2032-02-29', '2032-02-29T00:00:00Z'],
    ['1969-12-31', '1969-12-31T00:00:00Z'],
    ['2031-02-29', undefined],
    ['2030-13-01', undefined],
    ['2030-01-01 24:00', undefined],
    ['2030-01-01 12:00 Mars/Phobos', undefined],
    ['2030-01-01T12:00', undefined],
  ])('reads the time "%s"', (text, iso) => {
    expect(parseUntil(text)).toBe(iso === undefined ? undefined : Date.parse(iso));
  });
});

describe('a long chain of system tasks', () => {
  it('is cut after a bounded number of steps and goes on in the next transition', () => {
    const chain = Array.from({ length: 2500 }, (_, i) => step('SET_VARIABLE', `v${i}`, { last: i }));
    const run = new Run(definition(chain));
    expect(run.last).toMatchObject({ unfinished: true, wakeAt: START });
    expect(run.state.tasks).toHaveLength(MAX_PURE_STEPS + 1);
    run.state = bare(run.state);
    run.decide(command('wake'));
    expect(run.last.unfinished).toBe(true);
    run.decide(command('wake'));
    expect(run.last.unfinished).toBe(false);
    expect(run.workflow).toMatchObject({ status: 'COMPLETED', variables: { last: 2499 } });
  });
});

describe('the workflow’s output', () => {
  it('is what outputParameters say', () => {
    const run = new Run(
      definition([simple('a')], { outputParameters: { x: '${a.output.x}', y: 'is ${a.status}' } }),
    );
    run.complete('a', { x: { deep: true } });
    expect(run.workflow.output).toEqual({ x: { deep: true }, y: 'is COMPLETED' });
  });

  it('else the last task’s output', () => {
    const run = new Run(definition([simple('a'), simple('b')]));
    run.complete('a', { x: 1 });
    run.complete('b', { y: 2 });
    expect(run.workflow.output).toEqual({ y: 2 });
  });
});
