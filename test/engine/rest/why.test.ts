import { beforeAll, describe, expect, test } from 'vitest';
import { chain } from '../../support/engine.js';
import { restApp, type RestApp } from './app.js';

describe('GET /api/v1/executions/{id}/why', () => {
  let it: RestApp;
  beforeAll(async () => {
    it = await restApp();
    await it.call('POST', '/api/metadata/workflow', { ...chain('asked', 'asked_step'), ownerEmail: 'a@b.c' });
  });

  test('answers with facts and a sentence for each reason', async () => {
    const id = (await it.call('POST', '/api/workflow', { name: 'asked' })).text;
    const { status, json } = await it.call('GET', `/api/v1/executions/${id}/why`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      workflowId: id,
      status: 'RUNNING',
      leftOut: 0,
      why: [
        {
          kind: 'no_worker',
          reference: 'asked_step_0',
          taskType: 'asked_step',
          everAsked: false,
          sentence: expect.stringContaining('none has ever asked for asked_step') as string,
        },
      ],
    });
  });

  test('answers 404 for a workflow that is not there', async () => {
    expect((await it.call('GET', '/api/v1/executions/nobody/why')).status).toBe(404);
  });
});
