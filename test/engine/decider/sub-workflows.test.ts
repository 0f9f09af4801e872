import { describe, expect, it } from 'vitest';
import {
  childRetried,
  command,
  Run,
  definition,
  fork,
  loop,
  simple,
  sub,
  step,
  taskDefs,
  terminate,
  update,
  WORKFLOW_ID,
} from './fixtures.js';

describe('a sub-workflow', () => {
  it('is started with the inputs of its step, and waited for', () => {
    const run = new Run(
      definition([
        sub('s', {
          inputParameters: { scan: '${workflow.input.scan}' },
          subWorkflowParam: { name: 'child', version: 3 },
        }),
        simple('after', { inputParameters: { got: '${s.output.answer}' } }),
      ]),
      { input: { scan: 7 }, correlationId: 'c' },
    );
    const task = run.task('s');
    expect(task).toMatchObject({ status: 'IN_PROGRESS', taskType: 'SUB_WORKFLOW', queued: false });
    expect(task.outputData).toEqual({ subWorkflowId: task.subWorkflowId });
    expect(run.last.effects).toEqual([
      {
        kind: 'startWorkflow',
        workflowId: task.subWorkflowId,
        name: 'child',
        version: 3,
        input: { scan: 7 },
        correlationId: 'c',
        priority: 0,
        parent: { workflowId: WORKFLOW_ID, taskId: task.taskId, depth: 0 },
      },
    ]);
    run.endChild('s', { output: { answer: 42 } });
    expect(run.task('s')).toMatchObject({
      status: 'COMPLETED',
      outputData: { answer: 42, subWorkflowId: task.subWorkflowId },
    });
    expect(run.last.effects).toEqual([]);
    expect(run.task('after').inputData).toEqual({ got: 42 });
  });

  it.each([
    ['FAILED', 'FAILED', 'FAILED'],
    ['TIMED_OUT', 'TIMED_OUT', 'TIMED_OUT'],
    ['TERMINATED', 'CANCELED', 'TERMINATED'],
  ] as const)('that ends %s makes its task %s and the workflow %s', (child, task, workflow) => {
    const run = new Run(definition([sub('s')]));
    run.endChild('s', { status: child, reason: 'no luck' });
    expect(run.task('s').status).toBe(task);
    expect(run.task('s').reasonForIncompletion).toContain(`ended with ${child}; failure reason: no luck`);
    expect(run.workflow.status).toBe(workflow);
  });

  it('that failed is attempted anew, after the delay, with a child of its own', () => {
    const run = new Run(definition([sub('s', { retryCount: 1 })]), {
      taskDefs: taskDefs({ name: 's', retryDelaySeconds: 5 }),
    });
    const first = run.task('s').subWorkflowId;
    run.endChild('s', { status: 'FAILED' });
    expect(run.task('s')).toMatchObject({ status: 'SCHEDULED', retryCount: 1, queued: false });
    expect(run.last.effects).toEqual([]);
    expect(run.last.wakeAt).toBe(run.now + 5000);
    run.after(5);
    expect(run.last.effects).toMatchObject([{ kind: 'startWorkflow', name: 'child_s' }]);
    expect(run.task('s').status).toBe('IN_PROGRESS');
    expect(run.task('s').subWorkflowId).not.toBe(first);
    run.endChild('s', { status: 'FAILED' });
    expect(run.workflow.status).toBe('FAILED');
    run.decide(command('retry'));
    expect(run.last.effects).toMatchObject([{ kind: 'startWorkflow' }]);
    expect(run.task('s').retryCount).toBe(2);
  });

  it('waits for its start delay', () => {
    const run = new Run(definition([sub('s', { startDelay: 3 })]));
    expect(run.last.effects).toEqual([]);
    run.decide(terminate('enough'));
    expect(run.last.effects).toEqual([]);
  });

  it('is an optional step like any other', () => {
    const run = new Run(definition([sub('s', { optional: true }), simple('after')]));
    run.endChild('s', { status: 'FAILED' });
    expect(run.task('s').status).toBe('COMPLETED_WITH_ERRORS');
    expect(run.open()).toEqual(['after']);
  });

  it('is told to end when nobody waits for it any more', () => {
    const ends: ((run: Run) => void)[] = [
      (run) => run.decide(terminate('enough')),
      (run) => run.fail('a'),
      (run) => run.after(9),
      (run) => run.decide(update(run.task('s').taskId, { status: 'FAILED' })),
    ];
    for (const end of ends) {
      const run = new Run(definition(fork('f', [[sub('s')], [simple('a')]])), {
        taskDefs: taskDefs(
          { name: 'work_a', retryCount: 0 },
          { name: 's', retryCount: 0, timeoutSeconds: 9 },
        ),
      });
      const { subWorkflowId, taskId } = run.task('s');
      end(run);
      expect(run.last.effects).toMatchObject([{ kind: 'terminateChild', workflowId: subWorkflowId, taskId }]);
      expect(run.endChild('s').rejected).toMatchObject([{ reason: 'late' }]);
    }
  });

  it('of another attempt says nothing about this one', () => {
    const run = new Run(definition([sub('s')]));
    expect(run.endChild('s', { childWorkflowId: 'another' }).rejected).toMatchObject([
      { reason: 'not_found' },
    ]);
    expect(run.task('s').status).toBe('IN_PROGRESS');
  });

  it('may end while its parent is paused', () => {
    const run = new Run(definition([sub('s'), simple('after')]));
    run.decide(command('pause'));
    run.endChild('s');
    expect(run.refs()).toEqual(['s']);
    run.decide(command('resume'));
    expect(run.open()).toEqual(['after']);
  });

  it('may be defined on the spot, or by an expression', () => {
    const child = definition([simple('x')], { name: 'on_the_spot' });
    const spot = new Run(
      definition([sub('s', { subWorkflowParam: { name: 'x', workflowDefinition: child } })]),
    );
    expect(spot.last.effects).toMatchObject([{ name: 'on_the_spot', version: 1, definition: child }]);
    const given = (value: object): Run =>
      new Run(definition([sub('s', { subWorkflowParam: { workflowDefinition: '${workflow.input.def}' } })]), {
        input: { def: value as never },
      });
    expect(given({ name: 'mine', tasks: [simple('x')] }).last.effects).toMatchObject([
      { name: 'mine', definition: { tasks: [{ taskReferenceName: 'x' }] } },
    ]);
    expect(given({ name: 'mine', tasks: [] }).task('s').reasonForIncompletion).toContain(
      'definition cannot be used',
    );
  });

  it('may be named by an expression', () => {
    const run = (input: object) =>
      new Run(definition([sub('s', { subWorkflowParam: { name: '${workflow.input.name}' } })]), {
        input: input as never,
      });
    expect(run({ name: 'mine' }).last.effects).toMatchObject([{ name: 'mine', version: undefined }]);
    expect(run({}).task('s')).toMatchObject({
      status: 'FAILED_WITH_TERMINAL_ERROR',
      reasonForIncompletion: 'The name of the sub-workflow, ${workflow.input.name}, gives no name',
    });
  });

  it('is not started more than fifty levels down', () => {
    expect(new Run(definition([sub('s')]), { depth: 49 }).last.effects).toMatchObject([
      { parent: { depth: 49 } },
    ]);
    const run = new Run(definition([sub('s', { retryCount: 3 })]), { depth: 50 });
    expect(run.last.effects).toEqual([]);
    expect(run.workflow.status).toBe('FAILED');
    expect(run.task('s').status).toBe('FAILED_WITH_TERMINAL_ERROR');
    expect(run.task('s').reasonForIncompletion).toContain('at most 50 levels deep');
  });

  it('in a loop is another one in each iteration', () => {
    const run = new Run(definition([loop('l', [sub('s')], '$.more')]));
    const first = run.task('s__1').subWorkflowId;
    run.endChild('s__1', { output: { n: 1 } });
    run.answer(true);
    expect(run.task('s__2').subWorkflowId).not.toBe(first);
    run.endChild('s__2');
    run.answer(false);
    expect(run.task('l').outputData).toMatchObject({ '1': { s: { n: 1 } } });
  });
});

describe('a workflow with a parent', () => {
  const parent = { parentWorkflowId: 'parent', parentWorkflowTaskId: 'task', depth: 1 };

  it('tells it how it ended, once', () => {
    const run = new Run(definition([simple('a')], { outputParameters: { n: '${a.output.n}' } }), parent);
    expect(run.last.effects).toEqual([]);
    run.complete('a', { n: 1 });
    expect(run.last.effects).toEqual([
      {
        kind: 'childEnded',
        workflowId: 'parent',
        taskId: 'task',
        childWorkflowId: WORKFLOW_ID,
        status: 'COMPLETED',
        output: { n: 1 },
        reason: undefined,
        endTime: run.now,
      },
    ]);
    expect(run.decide(command('wake')).effects).toEqual([]);
  });

  it.each([
    ['TERMINATED', 'enough', (run: Run) => run.decide(terminate('enough'))],
    ['FAILED', 'broken', (run: Run) => run.fail('a', 'broken', 'FAILED_WITH_TERMINAL_ERROR')],
  ] as const)('tells it why it is %s', (status, reason, end) => {
    const run = new Run(definition([simple('a'), step('HUMAN', 'h')]), parent);
    end(run);
    expect(run.last.effects).toMatchObject([{ kind: 'childEnded', status }]);
    expect(run.last.effects).toMatchObject([{ reason: expect.stringContaining(reason) as string }]);
  });

  it('tells it that it was retried, after every end that it told before', () => {
    const run = new Run(definition([simple('a')]), parent);
    const said = () => run.last.effects.map((effect) => ('endTime' in effect ? effect.endTime : effect));
    run.fail('a', 'broken', 'FAILED_WITH_TERMINAL_ERROR');
    expect(said()).toEqual([run.now]);
    // No time passes between them.
    run.decide(command('retry'));
    expect(run.last.effects).toEqual([
      {
        kind: 'childRetried',
        workflowId: 'parent',
        taskId: 'task',
        childWorkflowId: WORKFLOW_ID,
        retriedAt: run.now + 1,
      },
    ]);
    run.fail('a', 'broken', 'FAILED_WITH_TERMINAL_ERROR');
    expect(said()).toEqual([run.now + 1]);
    run.decide(command('retry'));
    expect(run.last.effects).toMatchObject([{ retriedAt: run.now + 2 }]);
  });

  it('tells it of each end and retry also when they are decided together', () => {
    const run = new Run(definition([simple('a')]), parent);
    run.decide(terminate('one'), command('retry'), terminate('two'));
    expect(run.last.effects.map(({ kind }) => kind)).toEqual(['childEnded', 'childRetried', 'childEnded']);
  });

  it('that goes on for the sake of a child tells its own', () => {
    const run = new Run(definition([sub('s')]), parent);
    run.endChild('s', { status: 'FAILED' });
    run.retryChild('s');
    expect(run.workflow.status).toBe('RUNNING');
    expect(run.last.effects).toMatchObject([{ kind: 'childRetried', workflowId: 'parent', taskId: 'task' }]);
  });
});

describe('a child that is retried by itself', () => {
  const besides = definition([...fork('f', [[sub('s')], [simple('a')], [sub('u')]]), simple('after')]);

  it.each(['FAILED', 'TIMED_OUT', 'TERMINATED'] as const)(
    'after it %s sets its parent going again, which waits for it',
    (status) => {
      const run = new Run(definition([sub('s'), simple('after')]));
      const child = run.task('s').subWorkflowId;
      run.endChild('s', { status, reason: 'no luck' });
      run.now += 5;
      run.retryChild('s');
      expect(run.workflow).toMatchObject({
        status: 'RUNNING',
        lastRetriedTime: run.now,
        endTime: undefined,
        reasonForIncompletion: undefined,
        failedReferenceTaskNames: [],
      });
      expect(run.refs()).toEqual(['s']);
      expect(run.task('s')).toMatchObject({
        status: 'IN_PROGRESS',
        subWorkflowId: child,
        outputData: { subWorkflowId: child },
        reasonForIncompletion: undefined,
      });
      expect(run.last.effects).toEqual([]);
      run.after(1);
      run.endChild('s', { output: { n: 1 } });
      expect(run.open()).toEqual(['after']);
    },
  );

  it('gives what was cancelled beside it another attempt, and its JOIN waits again', () => {
    const run = new Run(besides);
    run.endChild('s', { status: 'FAILED' });
    expect(run.workflow.status).toBe('FAILED');
    const before = run.task('u').subWorkflowId;
    run.after(1);
    run.retryChild('s');
    expect(run.open()).toEqual(['s', 'f_join', 'a', 'u']);
    expect(run.task('u').subWorkflowId).not.toBe(before);
    expect(run.last.effects).toMatchObject([{ kind: 'startWorkflow', name: 'child_u' }]);
    run.after(1);
    run.endChild('s');
    run.endChild('u');
    run.complete('a');
    expect(run.open()).toEqual(['after']);
  });

  it('is waited for in the loop that failed with it', () => {
    const run = new Run(definition([loop('l', [sub('s')], '$.more'), simple('after')]));
    run.endChild('s__1', { status: 'FAILED' });
    expect(run.workflow.status).toBe('FAILED');
    run.after(1);
    run.retryChild('s__1');
    expect(run.open()).toEqual(['l', 's__1']);
    run.after(1);
    run.endChild('s__1');
    run.answer(false);
    expect(run.open()).toEqual(['after']);
  });

  it('starts the clock of its attempt anew', () => {
    const run = new Run(definition([sub('s')]), {
      taskDefs: taskDefs({ name: 's', retryCount: 0, timeoutSeconds: 10 }),
    });
    run.endChild('s', { status: 'FAILED' });
    run.after(60);
    run.retryChild('s');
    run.after(9);
    expect(run.open()).toEqual(['s']);
    run.after(2);
    expect(run.task('s').status).toBe('TIMED_OUT');
  });

  it('is waited for whichever of its messages comes first', () => {
    const run = new Run(definition([sub('s')]));
    const [end, retry] = [{ status: 'FAILED', endTime: run.now } as const, { retriedAt: run.now + 1 }];
    run.retryChild('s', retry);
    expect(run.endChild('s', end).rejected).toMatchObject([{ reason: 'late' }]);
    expect(run.open()).toEqual(['s']);
    run.endChild('s', { status: 'FAILED', endTime: run.now + 2 });
    expect(run.workflow.status).toBe('FAILED');
    // The retry before that end is told only now.
    expect(run.retryChild('s', retry).rejected).toMatchObject([{ reason: 'late' }]);
    expect(run.workflow.status).toBe('FAILED');
  });

  it('is waited for by a parent that is paused, and leaves it paused', () => {
    const run = new Run(definition([sub('s'), simple('after')]));
    run.decide(command('pause'));
    run.endChild('s', { status: 'FAILED' });
    run.after(1);
    run.retryChild('s');
    expect(run.workflow.status).toBe('PAUSED');
    run.decide(command('resume'));
    expect(run.open()).toEqual(['s']);
  });

  it('is told to end when another took its place', () => {
    const run = new Run(definition([sub('s', { retryCount: 1 })]), {
      taskDefs: taskDefs({ name: 's', retryDelaySeconds: 0 }),
    });
    const first = run.task('s');
    run.endChild('s', { status: 'FAILED' });
    run.after(1);
    run.decide(childRetried(first, { retriedAt: run.now }));
    expect(run.last.effects).toMatchObject([
      { kind: 'terminateChild', workflowId: first.subWorkflowId, taskId: first.taskId },
    ]);
    expect(run.open()).toEqual(['s']);
  });

  it('goes on alone when its parent went on without it', () => {
    const run = new Run(definition([sub('s', { optional: true }), simple('after')]));
    run.endChild('s', { status: 'FAILED' });
    run.after(1);
    expect(run.retryChild('s').rejected).toMatchObject([{ reason: 'late' }]);
    expect(run.last.effects).toEqual([]);
    run.complete('after');
    expect(run.retryChild('s').rejected).toMatchObject([{ reason: 'late' }]);
  });
});
