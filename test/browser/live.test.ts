import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture } from './visit.js';

const step = (name: string, more: object = {}) => ({
  name,
  taskReferenceName: name,
  type: 'SIMPLE',
  ...more,
});

const ORDER = {
  name: 'order',
  version: 1,
  schemaVersion: 2,
  tasks: [
    step('reserve'),
    {
      name: 'both',
      taskReferenceName: 'both',
      type: 'FORK_JOIN',
      forkTasks: [[step('charge')], [step('pack'), step('label')]],
    },
    { name: 'joined', taskReferenceName: 'joined', type: 'JOIN', joinOn: ['charge', 'label'] },
    step('ship'),
  ],
};

interface Claimed {
  readonly taskId: string;
  readonly workflowInstanceId: string;
}

describe.skipIf(chromiumPath === undefined)('a page that shows what happens', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  let workflowId: string;
  const asked: string[] = [];
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-live-'));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'));
    await service.start();
    const retry = { retryCount: 2, retryDelaySeconds: 0, timeoutSeconds: 0, responseTimeoutSeconds: 600 };
    await service.api('/api/metadata/taskdefs', {
      method: 'POST',
      body: ['reserve', 'charge', 'pack', 'label', 'ship'].map((name) => ({ name, ...retry })),
    });
    await service.api('/api/metadata/workflow', { method: 'PUT', body: [ORDER] });
    workflowId = await service.api<string>('/api/workflow/order', { method: 'POST', body: { basket: 7 } });
    browser = await launchChromium();
    page = await (
      await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' })
    ).newPage();
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    page.on('pageerror', (error) => faults.push(error.message));
    await logIn(page, service);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const claim = async (taskType: string): Promise<Claimed> =>
    eventually(
      async () =>
        (await service.api<Claimed[]>(`/api/tasks/poll/batch/${taskType}?workerid=packer-7&count=1`))[0],
      { what: `a task of type ${taskType}` },
    );
  const report = ({ taskId, workflowInstanceId }: Claimed, status: string, reason?: string) =>
    service.api('/api/tasks', {
      method: 'POST',
      body: {
        taskId,
        workflowInstanceId,
        status,
        reasonForIncompletion: reason,
        outputData: { done: 'yes' },
      },
    });
  const state = (ref: string, status: string) =>
    page.locator(`[data-testid="node-${ref}"][data-state="${status}"]`).waitFor({ timeout: 10_000 });
  const liveness = (kind: string) =>
    page.locator(`[data-testid="liveness"][data-state="${kind}"]`).waitFor({ timeout: 20_000 });

  it('follows a lease, a failure and its retry, with the attempts stacked', async () => {
    await page.goto(`${service.url}/executions/${workflowId}?task=reserve`);
    await liveness('live');
    await state('reserve', 'SCHEDULED');
    await page.getByText(/reserve waits for/).waitFor();
    const first = await claim('reserve');
    await state('reserve', 'IN_PROGRESS');
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.getByText('packer-7').waitFor();
    await details.getByText('Held until').waitFor();
    await page.getByText(/reserve is being worked on by packer-7/).waitFor();
    await report(first, 'FAILED', 'The shelf is empty');
    await details.getByText('attempt 2').waitFor();
    await details.getByText('attempt 1').waitFor();
    await details.getByText('The shelf is empty').waitFor();
    expect(await page.getByTestId('node-reserve').textContent()).toContain('2×');
  }, 60_000);

  it('shows both branches of a fork and a payload that came later', async () => {
    await report(await claim('reserve'), 'COMPLETED');
    await state('reserve', 'COMPLETED');
    await page.getByRole('complementary', { name: 'Details' }).getByText('"done": "yes"').first().waitFor();
    await claim('charge');
    await state('charge', 'IN_PROGRESS');
    await report(await claim('pack'), 'COMPLETED');
    await state('label', 'SCHEDULED');
    await page.getByText(/^label waits for/).waitFor();
    await picture(page, 'execution-live');
  }, 60_000);

  it('asks for nothing while nothing happens', async () => {
    await liveness('live');
    // What the last event asked for may come a second later.
    await page.waitForTimeout(1_500);
    asked.length = 0;
    await page.waitForTimeout(3_000);
    expect(asked.filter((path) => path !== '/health')).toEqual([]);
  }, 30_000);

  it('says that it is cut off, comes back and catches up', async () => {
    await service.kill();
    await liveness('reconnecting');
    await service.start();
    await service.api(`/api/workflow/${workflowId}/pause`, { method: 'PUT' });
    await liveness('live');
    await page.getByText('It is paused.').waitFor({ timeout: 20_000 });
  }, 90_000);

  it('shows new runs in the list without being asked', async () => {
    await page.goto(`${service.url}/executions`);
    await liveness('live');
    const another = await service.api<string>('/api/workflow/order', { method: 'POST', body: {} });
    await page.getByText(another.slice(-8)).waitFor({ timeout: 5_000 });
    asked.length = 0;
    await page.waitForTimeout(3_500);
    expect(asked.filter((path) => path === '/api/v1/executions')).toEqual([]);
    await picture(page, 'executions');
  }, 60_000);

  it('shows the iterations of a loop, and the way to a sub-workflow and back', async () => {
    const set = (name: string) => ({ ...step(name), type: 'SET_VARIABLE', inputParameters: { n: 1 } });
    const base = { version: 1, schemaVersion: 2 };
    const child = { ...base, name: 'child', tasks: [set('only')] };
    const looped = {
      ...base,
      name: 'looped',
      tasks: [
        {
          ...step('loop'),
          type: 'DO_WHILE',
          loopCondition: 'if ($.loop.iteration < 3) { true; } else { false; }',
          loopOver: [set('each')],
        },
        { ...step('sub'), type: 'SUB_WORKFLOW', subWorkflowParam: { name: 'child', version: 1 } },
      ],
    };
    await service.api('/api/metadata/workflow', { method: 'PUT', body: [child, looped] });
    const id = await service.api<string>('/api/workflow/looped', { method: 'POST', body: {} });
    await page.goto(`${service.url}/executions/${id}?task=each`);
    await state('sub', 'COMPLETED');
    const details = page.getByRole('complementary', { name: 'Details' });
    for (const iteration of [1, 2, 3]) await details.getByText(`iteration ${iteration}`).waitFor();
    expect(await page.getByTestId('node-each').textContent()).toContain('#3');
    await page.getByTestId('node-sub').click();
    await details.getByText('The workflow that it started').click();
    await page.getByRole('heading', { name: 'child' }).waitFor();
    await page.getByRole('link', { name: 'its parent' }).click();
    await page.getByRole('heading', { name: 'looped' }).waitFor();
  }, 60_000);

  it('stays smooth with two thousand tasks', async () => {
    const refs = Array.from({ length: 2_000 }, (_, index) => `part_${index}`);
    const wide = {
      name: 'wide',
      version: 1,
      schemaVersion: 2,
      tasks: [
        {
          name: 'many',
          taskReferenceName: 'many',
          type: 'FORK_JOIN',
          forkTasks: refs.map((ref) => [{ name: 'label', taskReferenceName: ref, type: 'SIMPLE' }]),
        },
        { name: 'all', taskReferenceName: 'all', type: 'JOIN', joinOn: refs },
      ],
    };
    await service.api('/api/metadata/workflow', { method: 'PUT', body: [wide] });
    const id = await service.api<string>('/api/workflow/wide', { method: 'POST', body: {} });
    await page.goto(`${service.url}/executions/${id}`);
    await state('many', 'COMPLETED');
    await liveness('live');
    await page.evaluate(() => {
      const target = globalThis as unknown as { longest: number };
      target.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) target.longest = Math.max(target.longest, duration);
      }).observe({ type: 'longtask' as 'measure' });
    });
    const node = page.locator('.react-flow__node', { has: page.getByTestId('node-many') });
    const place = await node.getAttribute('style');
    asked.length = 0;
    const claimed = await service.api<Claimed[]>(
      '/api/tasks/poll/batch/label?workerid=w&count=500&timeout=1000',
    );
    await Promise.all(claimed.slice(0, 100).map((task) => report(task, 'COMPLETED')));
    await page.locator('.react-flow__node .tone-good').nth(2).waitFor();
    const longest = await page.evaluate(() => (globalThis as unknown as { longest: number }).longest);
    // Nothing is laid out or fetched anew; the bound in time is a wide one, for a machine that is busy with other things.
    expect(await node.getAttribute('style')).toBe(place);
    expect(asked).not.toContain(`/api/v1/executions/${id}`);
    expect(longest).toBeLessThan(5_000);
  }, 90_000);

  it('ran without a single script error', () => {
    expect(faults).toEqual([]);
  });
});
