import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { prepareScripts } from '../../support/scripts.js';
import { loop, simple, sub } from '../runtime/children.suite.js';
import { restApp, type RestApp } from './app.js';

let rest: RestApp;
const call: RestApp['call'] = (method, path, body) => rest.call(method, path, body);

beforeAll(async () => {
  await prepareScripts();
  rest = await restApp();
});

interface Polled {
  readonly taskId: string;
  readonly workflowInstanceId: string;
  readonly inputData: { readonly n: number; readonly round: number };
}

const branch = (name: string) => ({
  ...simple('square', name),
  inputParameters: { n: '${workflow.input.n}', round: '${workflow.input.round}' },
});

/** Three rounds of a sub-workflow whose fork is done by workers that poll. */
const definitions = [
  {
    name: 'squares',
    tasks: [
      {
        name: 'f',
        taskReferenceName: 'f',
        type: 'FORK_JOIN',
        forkTasks: [[branch('a')], [branch('b')], [branch('c')]],
      },
      { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['a', 'b', 'c'] },
    ],
    outputParameters: { sum: ['${a.output.square}', '${b.output.square}', '${c.output.square}'] },
  },
  {
    name: 'rounds',
    tasks: [
      loop(
        'l',
        [
          sub('s', 'squares', {
            inputParameters: { n: '${workflow.input.n}', round: '${l.output.iteration}' },
          }),
        ],
        "if ($.l['iteration'] < $.most) { true; } else { false; }",
        { inputParameters: { most: '${workflow.input.most}' } },
      ),
    ],
    outputParameters: { last: '${s.output.sum}' },
  },
];

describe('a loop around a sub-workflow with a fork', () => {
  test('is run by workers that poll, and shown as Conductor shows it', async () => {
    for (const def of definitions)
      expect((await call('POST', '/api/metadata/workflow', def)).status).toBe(200);
    const { text: id } = await call('POST', '/api/workflow', { name: 'rounds', input: { n: 4, most: 3 } });
    const seen: number[] = [];
    const isOver = async () => (await call('GET', `/api/workflow/${id}/status`)).json.status === 'COMPLETED';
    await eventually(
      async () => {
        const polled = await call('GET', '/api/tasks/poll/batch/square?workerid=w&count=5&timeout=50');
        await Promise.all(
          (polled.json as Polled[]).map(({ taskId, workflowInstanceId, inputData }) => {
            seen.push(inputData.round);
            const outputData = { square: inputData.n ** 2 + inputData.round };
            return call('POST', '/api/tasks', {
              taskId,
              workflowInstanceId,
              status: 'COMPLETED',
              outputData,
            });
          }),
        );
        return isOver();
      },
      { timeoutMs: 15_000 },
    );
    expect(seen.sort((a, b) => a - b)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);

    const { json } = await call('GET', `/api/workflow/${id}`);
    expect(json.output).toEqual({ last: [19, 19, 19] });
    expect(json.parentWorkflowId).toBeUndefined();
    expect(
      json.tasks.map((one: Record<string, unknown>) => [
        one['referenceTaskName'],
        one['iteration'],
        one['loopOverTask'],
      ]),
    ).toEqual([
      ['l', 3, true],
      ['s__1', 1, true],
      ['s__2', 2, true],
      ['s__3', 3, true],
    ]);
    const [whole, first, second] = json.tasks;
    expect(whole).toMatchObject({
      taskType: 'DO_WHILE',
      status: 'COMPLETED',
      outputData: { iteration: 3, 2: { s: { sum: [18, 18, 18] } } },
    });
    expect(whole.subWorkflowId).toBeUndefined();
    expect(second).toMatchObject({
      taskType: 'SUB_WORKFLOW',
      outputData: { subWorkflowId: second.subWorkflowId },
    });
    expect(second.subWorkflowId).not.toBe(first.subWorkflowId);
    const child = (await call('GET', `/api/workflow/${second.subWorkflowId}`)).json;
    expect(child).toMatchObject({
      status: 'COMPLETED',
      workflowName: 'squares',
      parentWorkflowId: id,
      parentWorkflowTaskId: second.taskId,
      input: { n: 4, round: 2 },
    });
  });

  test('its tasks are answered by their step’s name or with the iteration', async () => {
    const def = { name: 'asks', tasks: [loop('l', [{ ...simple('answer', 'a') }], '$.l.iteration < 3')] };
    await call('POST', '/api/metadata/workflow', def);
    const { text: id } = await call('POST', '/api/workflow', { name: 'asks' });
    const refs = async () =>
      (await call('GET', `/api/workflow/${id}`)).json.tasks.map(
        (one: { referenceTaskName: string }) => one.referenceTaskName,
      );
    expect((await call('POST', `/api/tasks/${id}/a__1/COMPLETED`, { n: 1 })).status).toBe(200);
    await eventually(async () => (await refs()).includes('a__2'));
    expect((await call('POST', `/api/tasks/${id}/a/COMPLETED`, { n: 2 })).status).toBe(200);
    await eventually(async () => (await refs()).includes('a__3'));
    expect((await call('POST', `/api/tasks/${id}/a__4/COMPLETED`, {})).status).toBe(404);
  });
});
