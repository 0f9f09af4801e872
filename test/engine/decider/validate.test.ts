import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseWorkflowDef } from '../../../src/engine/decider/parse-definition.js';
import { InvalidInput } from '../../../src/errors.js';
import type { FieldProblem } from '../../../src/errors.js';
import { fork, loop, simple, step, sub, switchOn } from './fixtures.js';

function problemsOf(json: unknown): readonly FieldProblem[] {
  try {
    parseWorkflowDef(json);
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems;
    throw error;
  }
}

const withTasks = (...tasks: unknown[]) => ({ name: 'example', tasks });

const nested = (depth: number): { [key: string]: unknown } =>
  depth === 0 ? simple('leaf') : switchOn(`s${depth}`, 'x', { x: [nested(depth - 1)] });

describe('the shipped definitions', () => {
  const folder = new URL('../../../workflows/', import.meta.url);
  it.each(readdirSync(folder).filter((file) => file.endsWith('.json')))('%s can be used', (file) => {
    expect(problemsOf(JSON.parse(readFileSync(new URL(file, folder), 'utf8')))).toEqual([]);
  });
});

describe('the time within which an execution is to complete', () => {
  const withSla = (slaSeconds: unknown) =>
    problemsOf({ ...withTasks(simple('a')), metadata: { slaSeconds } });
  it.each([1, 0.5, 86_400, 2 ** 31 - 1])('may be %s seconds', (seconds) =>
    expect(withSla(seconds)).toEqual([]),
  );
  it.each([0, -1, '2h', [], 2 ** 31])('is refused as %j, by its name', (seconds) =>
    expect(withSla(seconds)).toMatchObject([{ path: 'metadata.slaSeconds' }]),
  );
});

describe('a definition is accepted', () => {
  it('when its steps use everything that exists', () => {
    const json = withTasks(
      step('SET_VARIABLE', 'set', { x: '${workflow.input.x}' }),
      ...fork('f', [[simple('a')], [switchOn('s', '${a.output.x}', { yes: [simple('b')] }), simple('c')]]),
      step('WAIT', 'w', { duration: '2 hours 5 secs' }),
      step('HUMAN', 'h', { title: '${c.output.title} ${workflow.variables.x} ${workflow.secrets.S}' }),
      step('TERMINATE', 't', { terminationStatus: '${h.output.status}' }),
    );
    expect(problemsOf(json)).toEqual([]);
  });

  it('with nulls where Conductor writes them for absent properties', () => {
    const def = parseWorkflowDef({
      name: 'example',
      failureWorkflow: null,
      inputTemplate: null,
      tasks: [
        {
          ...simple('a', { inputParameters: { kept: null } }),
          joinOn: null,
          decisionCases: null,
          taskDefinition: null,
        },
        switchOn('s', 1, { x: [{ ...simple('b'), retryCount: null }] }, { defaultCase: null }),
      ],
    });
    expect(def.tasks[0]?.inputParameters).toEqual({ kept: null });
    expect(def.failureWorkflow).toBeUndefined();
  });

  it('with steps nested 50 levels deep', () => {
    expect(problemsOf(withTasks(nested(49)))).toEqual([]);
  });
});

describe('a time in a definition', () => {
  const longest = 2 ** 31 - 1;
  const delay = 'must be at most 2147483647 seconds (68 years); check the unit';
  const timeout = `${delay}, or write 0 for no limit`;
  const defined = (field: string, value: number) =>
    withTasks(simple('a', { taskDefinition: { name: 'a', [field]: value } }));
  it.each<[string, (value: number) => unknown, string]>([
    ['timeoutSeconds', (value) => ({ ...withTasks(simple('a')), timeoutSeconds: value }), timeout],
    ['tasks[0].startDelay', (value) => withTasks(simple('a', { startDelay: value })), delay],
    ...(
      [
        ['retryDelaySeconds', delay],
        ['maxRetryDelaySeconds', timeout],
        ['backoffJitterMs', 'must be at most 2147483647 milliseconds (24 days); check the unit'],
        ['timeoutSeconds', timeout],
        ['responseTimeoutSeconds', timeout],
        ['pollTimeoutSeconds', timeout],
        ['totalTimeoutSeconds', timeout],
        ['rateLimitFrequencyInSeconds', delay],
      ] as const
    ).map(([field, message]): [string, (value: number) => unknown, string] => [
      `tasks[0].taskDefinition.${field}`,
      (value) => defined(field, value),
      message,
    ]),
  ])('%s has a maximum, which is named', (path, json, message) => {
    expect(problemsOf(json(longest))).toEqual([]);
    expect(problemsOf(json(longest + 1))).toEqual([{ path, message }]);
    expect(problemsOf(json(1e300))).toContainEqual({ path, message });
  });
});

describe('a definition is refused', () => {
  it.each<[string, unknown, FieldProblem[]]>([
    [
      'for a reference name that is used twice, wherever',
      withTasks(simple('a'), switchOn('s', 1, { clean: [simple('a')] })),
      [
        {
          path: 'tasks[1].decisionCases.clean[0].taskReferenceName',
          message: '"a" is also the name of tasks[0]; it must be unique',
        },
      ],
    ],
    [
      'for a reserved name',
      withTasks(simple('workflow'), simple('a__1')),
      [
        { path: 'tasks[0].taskReferenceName', message: '"workflow" is reserved' },
        { path: 'tasks[1].taskReferenceName', message: 'must not contain "__", which marks iterations' },
      ],
    ],
    [
      'for a type that does not exist yet, by its name',
      withTasks(step('HTTP', 'call')),
      [
        {
          path: 'tasks[0].type',
          message:
            '"HTTP" is not supported yet; there are SIMPLE, SWITCH, FORK_JOIN, JOIN, HUMAN, WAIT, SET_VARIABLE, TERMINATE, DO_WHILE, SUB_WORKFLOW',
        },
      ],
    ],
    [
      "for a worker's task with the name of a type, whose rows would be taken for that type's",
      withTasks({ ...simple('a'), name: 'JOIN' }, { ...simple('b'), name: 'HUMAN' }),
      ['JOIN', 'HUMAN'].map((name, index) => ({
        path: `tasks[${index}].name`,
        message: `"${name}" is a task type of its own; give the worker's task another name, or set type`,
      })),
    ],
    [
      'for a loop that repeats nothing, or for ever',
      withTasks(
        loop('empty', [], undefined),
        loop('blank', [simple('a')], ' ', { items: 'a list', inputParameters: { keepLastN: 0 } }),
      ),
      [
        { path: 'tasks[0].loopOver', message: 'must have at least one task' },
        {
          path: 'tasks[0].loopCondition',
          message: 'is missing; give the JavaScript that says whether to go on, or a list in "items"',
        },
        {
          path: 'tasks[1].loopCondition',
          message: 'is missing; give the JavaScript that says whether to go on, or a list in "items"',
        },
        { path: 'tasks[1].items', message: 'must be a list, or an expression that gives one' },
        {
          path: 'tasks[1].inputParameters.keepLastN',
          message: 'must be a whole number of iterations, at least 1',
        },
      ],
    ],
    [
      'for what is wrong inside a loop',
      withTasks(loop('l', [simple('a'), simple('a')], '$.x', { items: '${nobody.output.list}' })),
      [
        {
          path: 'tasks[0].loopOver[1].taskReferenceName',
          message: '"a" is also the name of tasks[0].loopOver[0]; it must be unique',
        },
        {
          path: 'tasks[0].items',
          message: '${nobody.output.list}: no task has the reference name "nobody"',
        },
      ],
    ],
    [
      'for a JOIN that waits for something inside a loop beside it',
      withTasks(...fork('f', [[loop('l', [simple('a')], '$.x')]], ['a'])),
      [
        {
          path: 'tasks[1].joinOn[0]',
          message: '"a" is inside the loop "l"; wait for the loop instead',
        },
      ],
    ],
    [
      'for iterations of what is in no loop, or in two',
      withTasks(
        simple('a'),
        loop('o', [loop('l', [simple('b')], '1')], '1'),
        simple('c', {
          inputParameters: { x: '${a__1.output}', y: '${b__1.output}', z: '${b__1__2.output}' },
        }),
      ),
      [
        {
          path: 'tasks[2].inputParameters.x',
          message: '${a__1.output}: no task has the reference name "a__1"',
        },
        {
          path: 'tasks[2].inputParameters.y',
          message: '${b__1.output}: no task has the reference name "b__1"',
        },
      ],
    ],
    [
      'for a SUB_WORKFLOW that names none',
      withTasks(
        sub('a', { subWorkflowParam: undefined }),
        sub('b', { subWorkflowParam: {} }),
        sub('c', { subWorkflowParam: { workflowDefinition: 'text' } }),
        sub('d', { subWorkflowParam: { name: '${nobody.output.name}' } }),
      ),
      [
        { path: 'tasks[0].subWorkflowParam', message: 'is missing; it names the workflow to start' },
        {
          path: 'tasks[1].subWorkflowParam.name',
          message: 'is missing; name a workflow, or give a workflowDefinition',
        },
        {
          path: 'tasks[2].subWorkflowParam.workflowDefinition',
          message: 'must be a definition, or an expression that gives one',
        },
        {
          path: 'tasks[3].subWorkflowParam.name',
          message: '${nobody.output.name}: no task has the reference name "nobody"',
        },
      ],
    ],
    [
      'for what is wrong with a definition inside it',
      withTasks(
        sub('s', {
          subWorkflowParam: { workflowDefinition: { name: 'x', tasks: [simple('a'), simple('a')] } },
        }),
      ),
      [
        {
          path: 'tasks[0].subWorkflowParam.workflowDefinition.tasks[1].taskReferenceName',
          message: '"a" is also the name of tasks[0]; it must be unique',
        },
      ],
    ],
    [
      'for a script as evaluator',
      withTasks(switchOn('s', 1, {}, { evaluatorType: 'javascript' })),
      [{ path: 'tasks[0].evaluatorType', message: '"javascript" is not supported yet; use "value-param"' }],
    ],
    [
      'for a SWITCH whose expression names no input',
      withTasks(switchOn('s', 1, {}, { expression: 'other' })),
      [
        {
          path: 'tasks[0].expression',
          message: 'must name one of the inputParameters, whose value is the case',
        },
      ],
    ],
    [
      'for a fork without its JOIN',
      withTasks(fork('f', [[simple('a')]])[0], simple('b')),
      [{ path: 'tasks[0]', message: 'a FORK_JOIN must be followed directly by its JOIN' }],
    ],
    [
      'for a fork without branches, and an empty branch',
      withTasks(...fork('f', [], []), ...fork('g', [[simple('a')], []], ['a'])),
      [
        { path: 'tasks[0].forkTasks', message: 'must have at least one branch' },
        { path: 'tasks[2].forkTasks[1]', message: 'must have at least one task' },
      ],
    ],
    [
      'for a JOIN on what does not exist, itself or what comes later',
      withTasks(
        switchOn('s', 1, { clean: fork('f', [[simple('a')]], ['b', 'f_join', 'late']) }),
        simple('late'),
      ),
      [
        { path: 'tasks[0].decisionCases.clean[1].joinOn[0]', message: 'no task has the reference name "b"' },
        {
          path: 'tasks[0].decisionCases.clean[1].joinOn[1]',
          message: '"f_join" comes after this JOIN, which would wait for ever',
        },
        {
          path: 'tasks[0].decisionCases.clean[1].joinOn[2]',
          message: '"late" comes after this JOIN, which would wait for ever',
        },
      ],
    ],
    [
      'for a TERMINATE with a status that ends nothing',
      withTasks(step('TERMINATE', 't', { terminationStatus: 'PAUSED' }, { optional: true })),
      [
        {
          path: 'tasks[0].inputParameters.terminationStatus',
          message: 'must be one of COMPLETED, FAILED, TERMINATED',
        },
        { path: 'tasks[0].optional', message: 'a TERMINATE task cannot be optional' },
      ],
    ],
    [
      'for a WAIT both for and until',
      withTasks(step('WAIT', 'w', { duration: '1 day', until: '2030-01-01' })),
      [{ path: 'tasks[0].inputParameters', message: 'give either "duration" or "until", not both' }],
    ],
    [
      'for a WAIT whose time cannot be read',
      withTasks(step('WAIT', 'v', { duration: 'a while' }), step('WAIT', 'w', { until: '2030-02-30' })),
      [
        {
          path: 'tasks[0].inputParameters.duration',
          message: 'must read like "1 days 2 hours 3 minutes 4 seconds", any part of it, in this order',
        },
        {
          path: 'tasks[1].inputParameters.until',
          message: 'must read like "2030-12-31", "2030-12-31 23:59" or "2030-12-31 23:59 Europe/Vienna"',
        },
      ],
    ],
    [
      'for expressions that lead nowhere',
      {
        ...withTasks(
          simple('a', {
            inputParameters: { 'odd key': ['${b.output.x}'], y: '${workflow.inputs.x}', z: '${a..x}' },
          }),
        ),
        outputParameters: { o: 'x ${c.output}' },
        failureWorkflow: '${d.output.name}',
      },
      [
        {
          path: 'tasks[0].inputParameters["odd key"][0]',
          message: '${b.output.x}: no task has the reference name "b"',
        },
        {
          path: 'tasks[0].inputParameters.y',
          message:
            '${workflow.inputs.x}: a workflow has no "inputs"; there are input, output, status, workflowId, parentWorkflowId, parentWorkflowTaskId, workflowType, version, correlationId, reasonForIncompletion, schemaVersion, variables, secrets',
        },
        {
          path: 'tasks[0].inputParameters.z',
          message: '${a..x}: ".." (search at any depth) is not supported yet',
        },
        { path: 'outputParameters.o', message: '${c.output}: no task has the reference name "c"' },
        { path: 'failureWorkflow', message: '${d.output.name}: no task has the reference name "d"' },
      ],
    ],
    [
      'for steps nested more than 50 levels deep',
      withTasks(nested(50)),
      [
        {
          path: `tasks[0]${'.decisionCases.x[0]'.repeat(49)}.decisionCases.x`,
          message: 'tasks may be nested at most 50 levels deep',
        },
      ],
    ],
    [
      'for more than 10,000 steps',
      withTasks(...Array.from({ length: 10_001 }, (_, i) => simple(`t${i}`))),
      [{ path: 'tasks[10000]', message: 'a definition may have at most 10000 tasks' }],
    ],
  ])('%s', (_, json, problems) => {
    expect(problemsOf(json)).toEqual(problems);
  });

  it('with the path of a value of the wrong kind', () => {
    const problems = problemsOf(withTasks(switchOn('s', 1, { clean: [simple('a', { joinOn: 'b' })] })));
    expect(problems.map(({ path }) => path)).toEqual(['tasks[0].decisionCases.clean[0].joinOn']);
  });

  it.each([null, 7, 'text', [], {}, { name: 'x', tasks: [] }, { name: 'x', tasks: [null] }])(
    'when it is no definition at all: %j',
    (json) => {
      expect(problemsOf(json)).not.toEqual([]);
    },
  );

  it('when it nests so deeply that reading it would overflow', () => {
    let json: unknown = 1;
    for (let i = 0; i < 100_000; i++) json = [json];
    expect(problemsOf(withTasks(simple('a', { inputParameters: { json } })))).toHaveLength(1);
  });
});
