import { beforeAll, expect, test } from 'vitest';
import { chain } from '../../support/engine.js';
import { testDatabase } from '../../support/database.js';
import { restApp, type RestApp } from './app.js';

let rest: RestApp;
const call: RestApp['call'] = (method, path, body) => rest.call(method, path, body);
beforeAll(async () => {
  rest = await restApp();
});

async function started(): Promise<string> {
  expect((await call('POST', '/api/metadata/workflow', chain('kept', 'work'))).status).toBe(200);
  return (await call('POST', '/api/workflow', { name: 'kept' })).text;
}

test('a policy is set per name, shown with the default, and taken back', async () => {
  expect((await call('GET', '/api/v1/retention')).json).toEqual({ defaultDays: 90, overrides: [] });
  const set = (days: unknown) => call('PUT', '/api/v1/retention', { workflowName: 'kept', days });
  expect((await set(30)).json.overrides).toEqual([{ workflowName: 'kept', days: 30 }]);
  expect((await set(0)).json.overrides).toEqual([{ workflowName: 'kept', days: 0 }]);
  expect((await set(null)).json.overrides).toEqual([]);
  for (const days of [-1, 1.5, 40_000, 'a', undefined]) expect((await set(days)).status).toBe(400);
});

test('an execution is held with a reason, by name, until it is released; each is audited', async () => {
  const id = await started();
  const path = `/api/v1/executions/${id}/hold`;
  expect((await call('GET', path)).status).toBe(404);
  expect((await call('POST', path, { reason: ' ' })).status).toBe(400);
  const held = await call('POST', path, { reason: 'case 12' });
  expect(held.json).toMatchObject({ workflowId: id, reason: 'case 12', heldBy: 'user:erin' });
  expect((await call('GET', path)).json).toEqual(held.json);
  expect((await call('DELETE', path)).status).toBe(204);
  expect((await call('DELETE', path)).status).toBe(404);
  expect((await call('POST', '/api/v1/executions/none/hold', { reason: 'x' })).status).toBe(404);
  const database = await testDatabase();
  const audit = await database.query<{ action: string }>(
    `SELECT action FROM audit_event WHERE subject = $1 AND action <> 'workflow.started' ORDER BY id`,
    [`workflow:${id}`],
  );
  expect(audit.map(({ action }) => action)).toEqual(['workflow.held', 'workflow.released']);
});
