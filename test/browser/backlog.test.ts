import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

const ASK = {
  name: 'ask',
  version: 1,
  schemaVersion: 2,
  tasks: [
    {
      name: 'ask',
      taskReferenceName: 'ask',
      type: 'HUMAN',
      inputParameters: {
        title: '${workflow.input.title}',
        scanId: '${workflow.input.scanId}',
        outcomes: ['release', 'delete'],
      },
    },
  ],
};

interface Row {
  readonly id: string;
  readonly title: string;
  readonly scanId: string | null;
  readonly caseId: string | null;
  readonly state: string;
}

describe.skipIf(chromiumPath === undefined)('the backlog in a real browser', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-backlog-'));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'), { SEED_SAMPLES: 'true' });
    await service.start();
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
    await logIn(page, service);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const rows = (query: string, atLeast: number): Promise<readonly Row[]> =>
    eventually(
      async () => {
        const { items } = await service.api<{ items: Row[] }>(`/api/v1/reviews?${query}`);
        return items.length >= atLeast ? items : undefined;
      },
      { timeoutMs: 60_000, what: `${atLeast} reviews of ${query}` },
    );

  it('selects rows by keyboard, does one thing to all, and says what came of each', async () => {
    const waiting = await rows('state=WAITING', 3);
    await page.goto(`${service.url}/reviews`);
    const boxes = page.locator('td.pick input');
    await boxes.first().focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.getByText('2 selected').waitFor();
    await picture(page, 'reviews-bulk');
    await page.getByRole('button', { name: 'Claim', exact: true }).click();
    await page.getByText('2 of 2 done').waitFor();
    const claimed = (await rows('state=CLAIMED', 2)).length;
    expect(claimed).toBe(2);
    expect(waiting.length).toBeGreaterThanOrEqual(3);
  }, 90_000);

  it('finds by words, and keeps the list under a name', async () => {
    await page.goto(`${service.url}/reviews`);
    await page.getByLabel('Search').fill('invoice');
    await eventually(async () => (await page.locator('td.pick').count()) === 1 || undefined, {
      timeoutMs: 10_000,
      what: 'one row',
    });
    await page.getByText('Columns, and keeping this list').click();
    // The address holds the columns: the box follows it a moment later.
    await page.getByLabel('Risk').click();
    await page.getByRole('columnheader', { name: 'Risk' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Invoices');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Invoices', pressed: true }).waitFor();
    await page.reload();
    await page.getByRole('columnheader', { name: 'Risk' }).waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('invoice');
    await eventually(async () => (await page.locator('td.pick').count()) === 1 || undefined, {
      timeoutMs: 10_000,
      what: 'one row of the list that was kept',
    });
    await picture(page, 'reviews-view');
  }, 60_000);

  it('decides a case, and leaves open what joined since it was looked at', async () => {
    const [known] = (await rows('state=WAITING', 1)).filter(({ scanId }) => scanId !== null);
    await service.api('/api/metadata/workflow', { method: 'POST', body: ASK });
    const ask = (title: string) =>
      service.api('/api/workflow', {
        method: 'POST',
        body: { name: 'ask', version: 1, input: { title, scanId: known?.scanId } },
      });
    await ask('First copy?');
    await ask('Second copy?');
    const caseId = await eventually(
      async () =>
        (await rows('state=WAITING', 1)).find(
          ({ title, caseId: id }) => title.endsWith('copy?') && id !== null,
        )?.caseId ?? undefined,
      { timeoutMs: 30_000, what: 'a case' },
    );
    await page.goto(`${service.url}/reviews/cases/${caseId}`);
    await page.getByText('Your decision on 2 of 2').waitFor();
    await ask('Third copy?');
    await page.getByText('1 joined, or changed, since you looked').waitFor();
    await page.getByLabel(/Reason/).fill('A test file.');
    await picture(page, 'case');
    await page.getByRole('button', { name: 'Release', exact: true }).click();
    await page.getByText('2 of 2 done').waitFor();
    await page.getByText('What comes later begins another case').waitFor();
    const states = (await rows('limit=200', 3)).filter(({ title }) => title.endsWith('copy?'));
    expect(Object.fromEntries(states.map(({ title, state }) => [title, state]))).toEqual({
      'First copy?': 'COMPLETED',
      'Second copy?': 'COMPLETED',
      'Third copy?': 'OPEN',
    });
    await picture(page, 'case-decided');
    await page.goto(`${service.url}/reviews`);
    await page.getByRole('cell', { name: 'Third copy?' }).first().waitFor();
  }, 90_000);

  it('takes a comment, says who was told, and lets its author change it and watch', async () => {
    const [review] = await rows('state=WAITING', 1);
    await page.goto(`${service.url}/reviews/${review?.id}`);
    await page.getByLabel(/Comment/).fill('Ask @nobody.here');
    await page.getByRole('button', { name: 'Write it' }).click();
    await page.getByText('@nobody.here is nobody who may see this').waitFor();
    await page.getByRole('button', { name: 'Change my last one' }).click();
    await page.getByLabel('Your last comment').fill('Ask the owner');
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByText('comment edited').waitFor();
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    await page.getByText('watched by admin').waitFor();
    await picture(page, 'review-comments');
  }, 60_000);

  it('complained of nothing', () => {
    expect(faults).toEqual([]);
  });
});
