import { beforeAll, describe, expect, test } from 'vitest';
import { restApp, type RestApp } from './app.js';

let rest: RestApp;
const call: RestApp['call'] = (method, path, body) => rest.call(method, path, body);

beforeAll(async () => {
  rest = await restApp();
  const set = { name: 'set', taskReferenceName: 'set', type: 'SET_VARIABLE', inputParameters: { a: 1 } };
  const wait = { name: 'wait', taskReferenceName: 'gate', type: 'WAIT' };
  for (const def of [
    { name: 'quick', version: 2, tasks: [set], outputParameters: { got: '${workflow.input.given}' } },
    { name: 'gated', version: 1, tasks: [set, wait] },
    { name: 'slow', version: 1, tasks: [{ name: 'nobody', taskReferenceName: 'nobody', type: 'SIMPLE' }] },
  ]) {
    expect((await call('POST', '/api/metadata/workflow', { schemaVersion: 2, ...def })).status).toBe(200);
  }
});

describe('POST /workflow/execute', () => {
  test('answers with the workflow as it ended', async () => {
    const { status, json } = await call('POST', '/api/workflow/execute/quick/0?requestId=r-1', {
      name: 'ignored',
      version: 9,
      input: { given: 5 },
      correlationId: 'c',
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      responseType: 'TARGET_WORKFLOW',
      requestId: 'r-1',
      targetWorkflowId: json.workflowId,
      targetWorkflowStatus: 'COMPLETED',
      status: 'COMPLETED',
      correlationId: 'c',
      input: { given: 5 },
      output: { got: 5 },
      variables: { a: 1 },
    });
    expect(json.tasks).toHaveLength(1);
    expect(json.signalTimeout).toBeUndefined();
    expect((await call('GET', `/api/workflow/${json.workflowId}`)).json).toMatchObject({
      workflowVersion: 2,
      status: 'COMPLETED',
    });
  });

  test('needs no body', async () => {
    expect((await call('POST', '/api/workflow/execute/quick/2')).json.status).toBe('COMPLETED');
  });

  test('answers at a WAIT, with the task when asked for it', async () => {
    const { json } = await call('POST', '/api/workflow/execute/gated/1', {});
    expect(json).toMatchObject({ status: 'RUNNING', variables: { a: 1 } });
    const task = await call('POST', '/api/workflow/execute/gated/1?returnStrategy=BLOCKING_TASK', {});
    expect(task.json).toMatchObject({
      responseType: 'BLOCKING_TASK',
      targetWorkflowStatus: 'RUNNING',
      referenceTaskName: 'gate',
      taskType: 'WAIT',
      status: 'IN_PROGRESS',
    });
    const none = await call('POST', '/api/workflow/execute/quick/2?returnStrategy=BLOCKING_TASK', {});
    expect(none).toMatchObject({ status: 200, text: '' });
  });

  test('answers when a named task has ended', async () => {
    const { json } = await call(
      'POST',
      '/api/workflow/execute/gated/1?waitUntilTaskRef=nobody,set&returnStrategy=BLOCKING_TASK',
      {},
    );
    expect(json).toMatchObject({ referenceTaskName: 'set', status: 'COMPLETED' });
  });

  test('says that the time was up', async () => {
    const { status, json } = await call('POST', '/api/workflow/execute/slow/1?waitForSeconds=0', {});
    expect({ status, late: json.signalTimeout, run: json.status }).toEqual({
      status: 200,
      late: true,
      run: 'RUNNING',
    });
  });

  test('refuses what it cannot do, by name', async () => {
    expect((await call('POST', '/api/workflow/execute/unknown/1', {})).status).toBe(404);
    const tooLong = await call('POST', '/api/workflow/execute/quick/2?waitForSeconds=600', {});
    expect({ status: tooLong.status, message: tooLong.json.message }).toEqual({
      status: 400,
      message: expect.stringContaining('waitForSeconds') as string,
    });
    expect((await call('POST', '/api/workflow/execute/quick/x', {})).status).toBe(400);
  });
});
