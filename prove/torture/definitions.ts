/*
 * What a torture run starts: every feature of the core, with outputs that depend on the input alone, however often
 * something was killed, timed out or was handed out again under way.
 */

export const SHAPES = [
  'chain',
  'fork',
  'wide',
  'retry',
  'wait',
  'human',
  'switch',
  'remote',
  'loop',
] as const;
export type Shape = (typeof SHAPES)[number];

/** In-process tasks; remote ones are polled. */
export const WORK = 'torture_work';
export const REMOTE = 'torture_remote';

/** One in so many workflows has a fork of this width. */
export const WIDE = 100;

const work = (ref: string, value: unknown, more: object = {}) => ({
  name: WORK,
  taskReferenceName: ref,
  type: 'SIMPLE',
  inputParameters: { value, failures: 0, ...more },
});

const fork = (width: number) => [
  {
    name: 'fork',
    taskReferenceName: 'fork',
    type: 'FORK_JOIN',
    forkTasks: Array.from({ length: width }, (_, index) => [
      // Some branches fail once, so that siblings end in any order around them.
      work(`branch_${index}`, index, { n: '${workflow.input.n}', failures: index % 7 === 3 ? 1 : 0 }),
    ]),
  },
  {
    name: 'join',
    taskReferenceName: 'join',
    type: 'JOIN',
    joinOn: Array.from({ length: width }, (_, index) => `branch_${index}`),
  },
];

const STEPS: Readonly<Record<Shape, readonly object[]>> = {
  chain: [work('a', '${workflow.input.n}'), work('b', '${a.output.value}'), work('c', '${b.output.value}')],
  fork: [work('a', '${workflow.input.n}'), ...fork(5), work('end', '${join.output}')],
  wide: [...fork(WIDE), work('end', '${join.output}')],
  retry: [work('a', '${workflow.input.n}', { failures: 2 }), work('b', '${a.output.value}', { failures: 1 })],
  wait: [
    work('a', '${workflow.input.n}'),
    {
      name: 'pause',
      taskReferenceName: 'pause',
      type: 'WAIT',
      inputParameters: { duration: '${workflow.input.seconds} seconds' },
    },
    work('b', '${a.output.value}'),
  ],
  human: [
    work('a', '${workflow.input.n}'),
    { name: 'ask', taskReferenceName: 'ask', type: 'HUMAN', inputParameters: { n: '${workflow.input.n}' } },
    work('b', '${ask.output.answer}'),
  ],
  switch: [
    {
      name: 'set',
      taskReferenceName: 'set',
      type: 'SET_VARIABLE',
      inputParameters: { kept: '${workflow.input.n}' },
    },
    {
      name: 'switch',
      taskReferenceName: 'switch',
      type: 'SWITCH',
      evaluatorType: 'value-param',
      expression: 'which',
      inputParameters: { which: '${workflow.input.which}' },
      decisionCases: { left: [work('left', 'l')], right: [work('right', 'r', { failures: 1 })] },
      defaultCase: [work('other', 'o')],
    },
    work('end', '${workflow.variables.kept}'),
  ],
  remote: [
    work('a', '${workflow.input.n}'),
    {
      name: REMOTE,
      taskReferenceName: 'far',
      type: 'SIMPLE',
      inputParameters: { value: '${a.output.value}', dropped: '${workflow.input.dropped}' },
    },
    work('b', '${far.output.value}'),
  ],
  loop: [
    {
      name: 'loop',
      taskReferenceName: 'loop',
      type: 'DO_WHILE',
      inputParameters: { times: '${workflow.input.times}' },
      loopCondition: "if ($.loop['iteration'] < $.times) { true; } else { false; }",
      loopOver: [
        work('inside', '${workflow.input.n}', { failures: 1 }),
        {
          name: 'child',
          taskReferenceName: 'child',
          type: 'SUB_WORKFLOW',
          subWorkflowParam: { name: nameOf('chain'), version: 1 },
          inputParameters: { n: '${inside.output.value}' },
        },
      ],
    },
    work('end', '${loop.output.iteration}'),
  ],
};

const LAST: Readonly<Record<Shape, string>> = {
  chain: 'c',
  fork: 'end',
  wide: 'end',
  retry: 'b',
  wait: 'b',
  human: 'b',
  switch: 'end',
  remote: 'b',
  loop: 'end',
};

export function nameOf(shape: Shape): string {
  return `torture_${shape}`;
}

export const DEFINITIONS = SHAPES.map((shape) => ({
  name: nameOf(shape),
  version: 1,
  schemaVersion: 2,
  tasks: STEPS[shape],
  outputParameters: { value: `\${${LAST[shape]}.output.value}` },
}));

const taskDef = (name: string, responseTimeoutSeconds: number) => ({
  name,
  // More than any disturbance can use up: whether a run ends must not depend on luck.
  retryCount: 1_000,
  retryLogic: 'FIXED' as const,
  retryDelaySeconds: 0,
  backoffScaleFactor: 1,
  maxRetryDelaySeconds: 0,
  backoffJitterMs: 200,
  timeoutSeconds: 0,
  timeoutPolicy: 'RETRY' as const,
  responseTimeoutSeconds,
  totalTimeoutSeconds: 0,
  inputKeys: [],
  outputKeys: [],
  inputTemplate: {},
});

export const TASK_DEFS = [taskDef(WORK, 120), taskDef(REMOTE, 3)];

/** Few distinct inputs per shape, so that a short undisturbed run knows every right output. */
export const VARIANTS = 4;

export const inputOf = (shape: Shape, variant: number) => ({
  n: `${shape}-${variant}`,
  seconds: 1 + (variant % 3),
  which: ['left', 'right', 'neither', 'left'][variant] ?? 'left',
  dropped: variant % 3,
  times: 1 + (variant % 3),
});

/** What the in-process worker and the remote one answer; the attempt decides only whether it fails. */
export const resultOf = (input: Readonly<Record<string, unknown>>): { value: unknown } => ({
  value: { of: input['value'] ?? null, n: input['n'] ?? null },
});
