import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { looksBack } from '../../../src/engine/decider/loops.js';
import { DEFAULT_PAYLOAD_LIMITS } from '../../../src/engine/model/payload-limits.js';
import { taskIdOf } from '../../../src/engine/decider/task-id.js';
import {
  Run,
  bare,
  command,
  definition,
  evaluated,
  fork,
  loop,
  loopOver,
  simple,
  step,
  sub,
  switchOn,
  taskDefs,
} from './fixtures.js';

const noRetry = taskDefs({ name: 'work_a', retryCount: 0 }, { name: 'work_b', retryCount: 0 });
const GO = '$.again';

describe('a loop', () => {
  it('names its rows after their iteration, asks after each, and goes on past the last', () => {
    const run = new Run(definition([loop('l', [simple('a'), simple('b')], GO), simple('after')]));
    expect(run.refs()).toEqual(['l', 'a__1']);
    expect(run.task('a__1').iteration).toBe(1);
    expect(run.task('a__1').taskId).toBe(taskIdOf(run.workflow, 'a__1', 1, 0));
    run.complete('a__1', { n: 1 });
    expect(run.last.needs).toEqual([]);
    run.complete('b__1', { n: 2 });
    expect(run.last.needs).toMatchObject([{ ref: 'l', expression: GO }]);
    expect(run.open()).toEqual(['l']);
    run.answer(true);
    expect(run.task('l').iteration).toBe(2);
    run.complete('a__2', { n: 3 });
    run.complete('b__2');
    run.answer(0);
    expect(run.task('l')).toMatchObject({
      status: 'COMPLETED',
      iteration: 2,
      outputData: { iteration: 2, '1': { a: { n: 1 }, b: { n: 2 } }, '2': { a: { n: 3 }, b: {} } },
    });
    expect(run.refs()).toEqual(['l', 'a__1', 'b__1', 'a__2', 'b__2', 'after']);
    run.complete('after');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it.each([
    [true, true],
    [1, true],
    [0.5, true],
    [false, false],
    [0, false],
    [-1, false],
    ['true', false],
    [null, false],
    [{}, false],
  ])('goes on after %j: %j', (value, goesOn) => {
    const run = new Run(definition([loop('l', [simple('a')], GO)]));
    run.complete('a__1');
    run.answer(value);
    expect(run.refs().includes('a__2')).toBe(goesOn);
  });

  it('gives its condition the inputs, where it is, and the latest outputs', () => {
    const run = new Run(
      definition([
        loop('l', [simple('a'), switchOn('s', '${workflow.input.way}', { in: [simple('b')] })], '$.l', {
          inputParameters: { most: '${workflow.input.most}' },
        }),
      ]),
      { input: { most: 3, way: 'in' } },
    );
    run.complete('a__1', { n: 1 });
    run.complete('b__1', { m: 1 });
    const { input } = run.need();
    expect(input).toEqual({
      most: 3,
      l: {
        iteration: 1,
        '1': { a: { n: 1 }, s: { evaluationResult: ['in'], selectedCase: 'in' }, b: { m: 1 } },
      },
      a: { n: 1 },
      s: { evaluationResult: ['in'], selectedCase: 'in' },
      b: { m: 1 },
    });
  });

  it.each([
    ['if ($.l.iteration < $.most) { true; } else { false; }', false],
    ["if ($['l']['iteration'] < $['most']) true", false],
    ['$.l["iteration"] < 3 && $.a.done', false],
    ['$.l.loopItem.more', false],
    ['$.l[1].a', true],
    ["$['l'][1].a", true],
    ['const x = $; x.l', true],
    ['$["\\u006c"]', true],
    ['$[name]', true],
    ['Object.keys($)', true],
  ])('%s: whether it may look at earlier iterations is %j', (expression, may) => {
    expect(looksBack(expression, 'l')).toBe(may);
  });

  it('ends with the message of a condition that fails, and the workflow with it', () => {
    const run = new Run(definition([loop('l', [simple('a')], '$.x.y')]));
    run.complete('a__1');
    run.decide(evaluated(run.need(), { ok: false, message: 'x is undefined' }));
    expect(run.task('l').status).toBe('FAILED_WITH_TERMINAL_ERROR');
    expect(run.task('l').reasonForIncompletion).toBe('Unable to evaluate condition $.x.y: x is undefined');
    expect(run.workflow.status).toBe('FAILED');
  });

  it('whose condition failed asks again after a retry of the workflow', () => {
    const run = new Run(definition([loop('l', [simple('a')], GO)]));
    run.complete('a__1');
    const first = run.need();
    run.decide(evaluated(first, { ok: false, message: 'broken' }));
    run.decide(command('retry'));
    expect(run.open()).toEqual(['l']);
    expect(run.last.needs).toHaveLength(1);
    expect(run.need().evaluation).not.toBe(first.evaluation);
    run.answer(false);
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('takes an answer once, and only while it is waited for', () => {
    const run = new Run(definition([loop('l', [simple('a')], GO)]));
    run.complete('a__1');
    const need = run.need();
    run.decide(command('pause'));
    expect(run.decide(command('wake')).needs).toEqual([]);
    expect(run.decide(evaluated(need, { ok: true, value: true })).rejected).toMatchObject([
      { reason: 'late' },
    ]);
    expect(run.decide(command('resume')).needs).toEqual([need]);
    expect(run.decide(evaluated(need, { ok: true, value: true })).rejected).toEqual([]);
    expect(run.decide(evaluated(need, { ok: true, value: true })).rejected).toMatchObject([
      { reason: 'late' },
    ]);
    run.complete('a__2');
    expect(run.decide(evaluated(need, { ok: true, value: true })).rejected).toMatchObject([
      { reason: 'late' },
    ]);
    const nobody = { ...need, taskId: 'nobody' };
    expect(run.decide(evaluated(nobody, { ok: true, value: true })).rejected).toMatchObject([
      { reason: 'not_found' },
    ]);
  });

  it('says its need once, and again to whoever looks again', () => {
    const run = new Run(definition(fork('f', [[loop('l', [simple('a')], GO)], [simple('b')]])));
    run.complete('a__1');
    const { needs } = run.last;
    expect(needs).toHaveLength(1);
    run.complete('b');
    expect(run.last.needs).toEqual([]);
    expect(run.decide(command('wake')).needs).toEqual(needs);
    expect(decide(bare(run.state), [], run.now).needs).toEqual(needs);
  });

  it('waits for all branches of a fork in it, also those that no JOIN awaits', () => {
    const run = new Run(
      definition([loop('l', fork('f', [[simple('a')], [simple('b'), simple('c')]], ['a']), GO)]),
    );
    run.complete('a__1');
    expect(run.task('f_join__1')).toMatchObject({
      status: 'COMPLETED',
      inputData: { joinOn: ['a__1'] },
    });
    run.complete('b__1');
    expect(run.last.needs).toEqual([]);
    run.complete('c__1');
    run.answer(true);
    run.complete('b__2');
    run.complete('c__2');
    expect(run.last.needs).toEqual([]);
    run.complete('a__2', { x: 1 });
    expect(run.task('f_join__2').outputData).toEqual({ a__2: { x: 1 } });
    run.answer(false);
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('may hold loops, whose rows name both iterations', () => {
    const run = new Run(
      definition([loop('outer', [loop('inner', [simple('a')], '$.i'), simple('b')], '$.o')]),
    );
    const inner = (value: boolean): void => {
      run.answer(value);
    };
    run.complete('a__1__1', { n: 1 });
    inner(true);
    run.complete('a__1__2', { n: 2 });
    inner(false);
    run.complete('b__1');
    run.answer(true);
    expect(run.task('inner__2')).toMatchObject({ iteration: 1, status: 'IN_PROGRESS' });
    expect(run.task('a__2__1').iteration).toBe(1);
    run.complete('a__2__1', { n: 3 });
    inner(false);
    run.complete('b__2');
    expect(run.need().input['a']).toEqual({ n: 3 });
    run.answer(false);
    expect(run.task('outer').outputData).toEqual({
      iteration: 2,
      '1': { inner: { iteration: 2, '1': { a: { n: 1 } }, '2': { a: { n: 2 } } }, b: {} },
      '2': { inner: { iteration: 1, '1': { a: { n: 3 } } }, b: {} },
    });
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('lets steps read the latest iteration, and one by its number', () => {
    const read = {
      latest: '${a.output.n}',
      first: '${a__1.output.n}',
      at: '${l.output.iteration}',
      past: '${l.output.1.a.n}',
      whole: '${l.output}',
    };
    const run = new Run(
      definition([
        loop('l', [simple('a'), simple('b', { inputParameters: read })], GO),
        simple('c', { inputParameters: read }),
      ]),
    );
    run.complete('a__1', { n: 1 });
    run.complete('b__1');
    run.answer(true);
    run.complete('a__2', { n: 2 });
    const whole = { iteration: 2, '1': { a: { n: 1 }, b: {} }, '2': { a: { n: 2 } } };
    expect(run.task('b__2').inputData).toEqual({ latest: 2, first: 1, at: 2, past: 1, whole });
    run.complete('b__2');
    run.answer(false);
    expect(run.task('c').inputData).toMatchObject({ latest: 2, first: 1, at: 2, past: 1 });
  });

  it('keeps the outputs of its last iterations only when told so', () => {
    const run = new Run(
      definition([loop('l', [simple('a')], '$.l[2]', { inputParameters: { keepLastN: 2 } })]),
    );
    for (const n of [1, 2, 3]) {
      run.complete(`a__${n}`, { n });
      if (n < 3) run.answer(true);
    }
    expect(Object.keys(run.need().input['l'] ?? {})).toEqual(['2', '3', 'iteration']);
    run.answer(false);
    expect(run.task('l').outputData).toEqual({ iteration: 3, '2': { a: { n: 2 } }, '3': { a: { n: 3 } } });
  });
});

describe('a loop whose outputs outgrow the limit', () => {
  const limited = (condition: string, more = {}): Run => {
    const run = new Run(definition([loop('l', [simple('a')], condition, more)]));
    run.state = { ...run.state, limits: { ...DEFAULT_PAYLOAD_LIMITS, taskMax: 250 } };
    return run;
  };
  const output = { text: 'x'.repeat(120) };

  it('fails when its condition is to see them', () => {
    const run = limited('$.l[1].a');
    run.complete('a__1', output);
    expect(run.task('l')).toMatchObject({ status: 'FAILED_WITH_TERMINAL_ERROR' });
    expect(run.task('l').reasonForIncompletion).toContain('input of the condition cannot be built');
    expect(run.last.needs).toEqual([]);
    expect(run.workflow.status).toBe('FAILED');
  });

  it('fails at its end, and says what helps', () => {
    const run = limited(GO);
    for (const n of [1, 2, 3]) {
      run.complete(`a__${n}`, output);
      run.answer(n < 3);
    }
    expect(run.task('l').reasonForIncompletion).toContain('keep the last few with keepLastN');
    expect(run.task('l').outputData).toEqual({ iteration: 3 });
  });

  it('ends well when it keeps the last ones only', () => {
    const run = limited(GO, { inputParameters: { keepLastN: 1 } });
    for (const n of [1, 2, 3]) {
      run.complete(`a__${n}`, output);
      run.answer(n < 3);
    }
    expect(run.workflow.status).toBe('COMPLETED');
  });
});

describe('a loop over a list', () => {
  it('goes through it without a script', () => {
    const run = new Run(
      definition([
        loopOver('l', '${workflow.input.list}', [
          simple('a', { inputParameters: { item: '${l.output.loopItem}', at: '${l.output.loopIndex}' } }),
        ]),
      ]),
      { input: { list: ['x', 'y'] } },
    );
    expect(run.task('a__1').inputData).toEqual({ item: 'x', at: 0 });
    run.complete('a__1', { n: 1 });
    expect(run.task('a__2').inputData).toEqual({ item: 'y', at: 1 });
    run.complete('a__2', { n: 2 });
    expect(run.task('l').outputData).toEqual({
      iteration: 2,
      loopIndex: 1,
      loopItem: 'y',
      '1': { a: { n: 1 } },
      '2': { a: { n: 2 } },
    });
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('that is empty is complete at once', () => {
    const run = new Run(definition([loopOver('l', [], [simple('a')]), simple('b')]));
    expect(run.refs()).toEqual(['l', 'b']);
    expect(run.task('l')).toMatchObject({ status: 'COMPLETED', outputData: { iteration: 0 } });
  });

  it('takes it from the inputs too', () => {
    const run = new Run(
      definition([loop('l', [simple('a')], undefined, { inputParameters: { _items: [1] } })]),
    );
    run.complete('a__1');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('fails when it is no list', () => {
    const run = new Run(definition([loopOver('l', '${workflow.input.list}', [simple('a')])]));
    expect(run.workflow.reasonForIncompletion).toContain('not a list');
    run.decide(command('retry'));
    expect(run.state.tasks.map(({ retryCount }) => retryCount)).toEqual([0, 1]);
  });

  it('stops early when its condition says so, and never asks after the last item', () => {
    const make = () => new Run(definition([loopOver('l', [1, 2], [simple('a')], { loopCondition: GO })]));
    const early = make();
    early.complete('a__1');
    early.answer(false);
    expect(early.workflow.status).toBe('COMPLETED');
    const whole = make();
    whole.complete('a__1');
    whole.answer(true);
    whole.complete('a__2');
    expect(whole.workflow.status).toBe('COMPLETED');
  });

  it('of pure steps is cut after a bounded number of them and goes on', () => {
    const items = Array.from({ length: 2000 }, (_, i) => i);
    const run = new Run(
      definition([loopOver('l', items, [step('SET_VARIABLE', 'v', { last: '${l.output.loopItem}' })])]),
    );
    expect(run.last.unfinished).toBe(true);
    for (let i = 0; run.last.unfinished && i < 10; i++) run.decide(command('wake'));
    expect(run.workflow).toMatchObject({ status: 'COMPLETED', variables: { last: 1999 } });
  });

  it('longer than a loop may be fails and says so', () => {
    const items = Array.from({ length: 10_001 }, () => 0);
    const run = new Run(definition([loopOver('l', items, [step('SET_VARIABLE', 'v', {})])]));
    for (let i = 0; run.last.unfinished && i < 100; i++) run.decide(command('wake'));
    expect(run.workflow.status).toBe('FAILED');
    expect(run.task('l').reasonForIncompletion).toBe(
      'The loop has run 10000 times, which is the most that a loop may',
    );
  });
});

describe('a step in a loop', () => {
  it('is retried in its iteration', () => {
    const run = new Run(definition([loop('l', [simple('a')], GO)]), {
      taskDefs: taskDefs({ name: 'work_a', retryCount: 1, retryDelaySeconds: 0 }),
    });
    run.complete('a__1');
    run.answer(true);
    run.fail('a__2');
    expect(run.task('a__2')).toMatchObject({ retryCount: 1, iteration: 2, status: 'SCHEDULED' });
    expect(run.task('a__2').taskId).toBe(taskIdOf(run.workflow, 'a__2', 2, 1));
    expect(run.last.needs).toEqual([]);
    run.complete('a__2', { n: 1 });
    run.answer(false);
    expect(run.task('l').outputData['2']).toEqual({ a: { n: 1 } });
  });

  it('that fails for good ends the workflow, and a retry goes on in that iteration', () => {
    const run = new Run(definition([loop('l', [simple('a'), simple('b')], GO)]), { taskDefs: noRetry });
    run.complete('a__1');
    run.complete('b__1');
    run.answer(true);
    run.fail('a__2');
    expect(run.workflow.status).toBe('FAILED');
    expect(run.task('l').status).toBe('CANCELED');
    run.decide(command('retry'));
    expect(run.open()).toEqual(['l', 'a__2']);
    run.complete('a__2');
    run.complete('b__2');
    run.answer(false);
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('that is optional lets the loop go on', () => {
    const run = new Run(definition([loop('l', [simple('a', { optional: true })], GO)]), {
      taskDefs: noRetry,
    });
    run.fail('a__1');
    run.answer(false);
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('that is permissive fails its loop', () => {
    const run = new Run(definition([loop('l', [simple('a', { permissive: true })], GO)]), {
      taskDefs: noRetry,
    });
    run.fail('a__1', 'broken');
    expect(run.task('l')).toMatchObject({ status: 'FAILED', reasonForIncompletion: 'broken' });
    expect(run.workflow.status).toBe('FAILED');
  });

  it('is left behind when its loop ends badly and is optional', () => {
    const body = fork('f', [[simple('a', { permissive: true })], [sub('child')], [simple('b'), simple('c')]]);
    const run = new Run(definition([loop('l', body, GO, { optional: true }), simple('after')]), {
      taskDefs: noRetry,
    });
    const { subWorkflowId } = run.task('child__1');
    run.fail('a__1');
    expect(run.task('l').status).toBe('COMPLETED_WITH_ERRORS');
    expect(run.open()).toEqual(['after']);
    expect(run.task('b__1').status).toBe('CANCELED');
    expect(run.last.effects).toMatchObject([{ kind: 'terminateChild', workflowId: subWorkflowId }]);
    run.complete('after');
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('whose loop failed with it goes on where it was after a retry', () => {
    const body = fork('f', [[simple('a', { permissive: true })], [simple('b'), simple('c')]]);
    const run = new Run(definition([loop('l', body, GO)]), { taskDefs: noRetry });
    run.fail('a__1');
    expect(run.workflow.status).toBe('FAILED');
    run.decide(command('retry'));
    expect(run.open()).toEqual(['l', 'f_join__1', 'a__1', 'b__1']);
    for (const ref of ['a__1', 'b__1', 'c__1']) run.complete(ref);
    run.answer(false);
    expect(run.workflow.status).toBe('COMPLETED');
  });

  it('that ended in the same moment as its loop has its consequences after a retry', () => {
    const body = fork('f', [
      [simple('a', { permissive: true })],
      [step('WAIT', 'w', { duration: '5 seconds' }), simple('c')],
    ]);
    const run = new Run(definition([loop('l', body, GO)]), {
      taskDefs: taskDefs({ name: 'work_a', retryCount: 0, pollTimeoutSeconds: 5, timeoutPolicy: 'RETRY' }),
    });
    run.after(5);
    expect(run.workflow.status).toBe('FAILED');
    expect(run.task('w__1').status).toBe('COMPLETED');
    expect(run.refs()).not.toContain('c__1');
    run.decide(command('retry'));
    expect(run.open()).toEqual(['l', 'f_join__1', 'a__1', 'c__1']);
  });
});
