import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { keepPictures, picture, screenshots, watchedPage } from './visit.js';

interface ObjectRow {
  readonly id: string;
  readonly key: string;
  readonly workflowId: string;
  readonly openReviewId: string | null;
}

describe.skipIf(chromiumPath === undefined)('the pages in a real browser', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-browser-'));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'), { SEED_SAMPLES: 'true' });
    await service.start();
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const row = (key: string): Promise<ObjectRow> =>
    eventually(
      async () => {
        const { items } = await service.api<{ items: ObjectRow[] }>(
          `/api/v1/objects?key=${encodeURIComponent(key)}`,
        );
        return items.find(({ openReviewId }) => openReviewId !== null);
      },
      { timeoutMs: 40_000, what: `a review of ${key}` },
    );

  it('lets the admin in and shows what waits for a decision', async () => {
    await row('invoices/invoice-2026-014.zip');
    await page.goto(service.url);
    await page.getByLabel('Name').fill(service.credentials.admin.name);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('The name or the password is wrong').waitFor();
    await page.getByLabel('Password').fill(service.credentials.admin.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Reviews' }).click();
    await page.getByRole('link', { name: 'uploads/invoices/invoice-2026-014.zip' }).waitFor();
    await picture(page, 'reviews');
  }, 60_000);

  it('opens an execution and draws its graph with the taken path', async () => {
    const { workflowId } = await row('invoices/invoice-2026-014.zip');
    await page.goto(`${service.url}/executions/${workflowId}`);
    await page.getByTestId('node-review').waitFor();
    expect(await page.getByTestId('node-malware').getAttribute('data-state')).toBe('COMPLETED');
    expect(await page.getByTestId('node-review').getAttribute('data-state')).toBe('IN_PROGRESS');
    expect(await page.getByTestId('node-release').getAttribute('data-state')).toBe('NOT_REACHED');
    expect(await page.locator('.react-flow__edge.taken').count()).toBeGreaterThan(5);
    await page.getByTestId('node-malware').click();
    await page.getByRole('complementary', { name: 'Details' }).getByText('Output').waitFor();
    await picture(page, 'execution');
  }, 60_000);

  it('shows the object with its findings, masked', async () => {
    const { id } = await row('deploy/settings.ini');
    await page.goto(`${service.url}/objects/${id}`);
    await page.getByRole('heading', { name: 'uploads/deploy/settings.ini' }).waitFor();
    await page.getByRole('heading', { name: 'Findings' }).waitFor();
    await picture(page, 'object');
    await page.goto(`${service.url}/objects`);
    await page.getByRole('link', { name: 'uploads/deploy/settings.ini' }).first().waitFor();
    await picture(page, 'objects');
  }, 60_000);

  it('decides a review, and the execution goes on to its end', async () => {
    const { openReviewId, workflowId } = await row('hr/salaries.zip');
    await page.goto(`${service.url}/reviews/${openReviewId}`);
    await page.getByRole('heading', { name: 'Your decision' }).waitFor();
    await picture(page, 'review');
    await page.getByLabel('Reason (kept in the record)').fill('Nobody knows the password.');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Really delete' }).click();
    await page.getByRole('heading', { name: 'Decided' }).waitFor();
    await page.goto(`${service.url}/executions/${workflowId}`);
    await page.locator('[data-testid="node-delete"][data-state="COMPLETED"]').waitFor();
    await page.locator('[data-testid="node-close"][data-state="COMPLETED"]').waitFor();
  }, 60_000);

  it('makes a report of the week so far and shows it', async () => {
    await page.goto(`${service.url}/reports`);
    await page.getByRole('button', { name: 'Report on this week so far' }).click();
    await page.getByText('✓ yes').waitFor();
    await picture(page, 'reports');
    await page.locator('tbody a').first().click();
    const link = page.getByRole('link', { name: 'Page', exact: true });
    await link.waitFor();
    await page.getByRole('link', { name: 'Signed bundle' }).waitFor();
    await page.getByText('waits for somebody to read it').waitFor();
    await picture(page, 'report-page');
    const report = await page.context().newPage();
    await report.goto(new URL((await link.getAttribute('href')) ?? '', service.url).href);
    await report.getByRole('heading', { name: 'Coverage' }).waitFor();
    if (keepPictures) await report.screenshot({ path: join(screenshots, 'report.png') });
    await report.close();
  }, 60_000);

  it('gives an auditor whole populations, a sample and the audit record', async () => {
    await page.goto(`${service.url}/evidence`);
    await page.getByRole('button', { name: 'Draw' }).click();
    await page.getByText(/of \d+ by the seed/).waitFor();
    await page.getByRole('button', { name: 'Verify all of it' }).click();
    await page.getByText(/✓ whole: [\d,]+ events/).waitFor();
    await page.getByText('review.opened').first().waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download decisions' }).click();
    expect((await download).suggestedFilename()).toBe('decisions.csv');
    await page.getByLabel('What').fill('report.requested');
    await page.waitForURL(/action=report.requested/);
    await picture(page, 'auditors-evidence');
  }, 60_000);

  it('shows the caught mail', async () => {
    await page.goto(`${service.url}/mailbox`);
    await page.locator('tbody button').first().click();
    await page.locator('iframe.mail').waitFor();
    await picture(page, 'mailbox');
  }, 60_000);

  it('ran without a single script error', () => {
    expect(faults).toEqual([]);
  });
});
