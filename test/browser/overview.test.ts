import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

interface ObjectRow {
  readonly id: string;
  readonly verdict: string;
  readonly workflowId: string;
  readonly openReviewId: string | null;
}

/** What somebody meets who opens the pages for the first time; there is no clamd, so it works with limits. */
describe.skipIf(chromiumPath === undefined)('the first walk through the pages', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  let infected: ObjectRow;
  let secrets: ObjectRow;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-overview-'));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'), {
      SEED_SAMPLES: 'true',
      // Nobody answers there.
      SQS_QUEUE_URLS: 'http://127.0.0.1:9/000000000000/upload-events',
      SQS_ENDPOINT: 'http://127.0.0.1:9',
    });
    await service.start();
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
    page.setDefaultTimeout(15_000);
    [infected, secrets] = await Promise.all([
      asked('invoices/invoice-2026-014.zip'),
      asked('deploy/settings.ini'),
    ]);
    await eventually(
      async () =>
        (await service.api<{ counts: Record<string, number> }>('/api/v1/objects/summary')).counts[
          'pending'
        ] === undefined,
      { timeoutMs: 40_000, what: 'a verdict on every sample' },
    );
    await page.goto(service.url);
    await page.getByLabel('Name').waitFor();
    expect(await page.title()).toBe('Log in · Sallyport');
    await logIn(page, service);
  }, 150_000);

  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const asked = (key: string): Promise<ObjectRow> =>
    eventually(
      async () => {
        const { items } = await service.api<{ items: ObjectRow[] }>(
          `/api/v1/objects?key=${encodeURIComponent(key)}`,
        );
        return items.find(({ openReviewId }) => openReviewId !== null);
      },
      { timeoutMs: 40_000, what: `a review of ${key}` },
    );

  describe('begins with an overview, which', () => {
    const part = (name: string) => page.getByRole('region', { name, exact: true });

    it('calls degraded what is degraded, and names it', async () => {
      await page.locator('[data-testid=health][data-state=degraded]').waitFor();
      await part('Health').getByText('malware').waitFor();
    });

    it('counts what came in within a day and a week, by verdict', async () => {
      const row = part('Came in').getByRole('row').filter({ hasText: 'infected' });
      await row.waitFor();
      await eventually(
        async () => (await row.getByRole('cell').allTextContents()).slice(1).join() === '2,2',
        {
          timeoutMs: 15_000,
          what: 'two infected samples in both columns',
        },
      );
      expect(
        await part('Came in')
          .getByRole('row', { name: /^Uploads/ })
          .count(),
      ).toBe(1);
      await row.getByRole('link').click();
      await page.getByRole('heading', { name: 'Objects' }).waitFor();
      expect(page.url()).toContain('verdict=infected');
      await page.getByRole('link', { name: 'Sallyport' }).click();
    });

    it('says how many reviews wait, how many of them for me, and since when', async () => {
      await part('Reviews')
        .getByText(/^4 wait for a decision$/)
        .waitFor();
      await part('Reviews')
        .getByText(/since /)
        .waitFor();
      await service.api(`/api/v1/reviews/${infected.openReviewId}/claim`, { method: 'POST', body: {} });
      await page.reload();
      // The key that claimed it is another person than who is logged in.
      const held = part('Reviews').getByText('Held by others').locator('xpath=following-sibling::dd[1]');
      await held.getByText('1', { exact: true }).waitFor();
    });

    it('shows the backlog, and what somebody holds back', async () => {
      await part('Backlog')
        .getByText(/wait for a scan/)
        .waitFor();
      await service.api('/api/v1/queue/pause', {
        method: 'POST',
        body: { bucket: 'uploads', source: 'rescan', reason: 'new signatures come' },
      });
      await page.reload();
      await part('Fails or is held').getByRole('link', { name: 'the queue of uploads, rescans' }).waitFor();
      await service.api('/api/v1/queue/resume', {
        method: 'POST',
        body: { bucket: 'uploads', source: 'rescan' },
      });
    });

    it('says of each bucket whether its events arrive, and which event queue does not answer', async () => {
      await page.getByRole('row').filter({ hasText: 'uploads' }).getByText('arrive').waitFor();
      await part('Fails or is held').getByRole('link', { name: 'event queue upload-events' }).waitFor();
      await picture(page, 'overview');
      await part('Fails or is held').getByRole('link', { name: 'event queue upload-events' }).click();
      const queue = page.getByRole('row').filter({ hasText: 'upload-events' });
      await queue.getByText('To mend it:').waitFor();
    });
  });

  it('names each page in its tab', async () => {
    const titles: Record<string, string> = {
      '/': 'Overview',
      '/reviews': 'Reviews',
      [`/reviews/${secrets.openReviewId}`]: 'Release or delete uploads/deploy/settings.ini?',
      '/objects': 'Objects',
      [`/objects/${infected.id}`]: 'uploads/invoices/invoice-2026-014.zip',
      '/executions': 'Executions',
      [`/executions/${infected.workflowId}`]: 'scan_upload',
      '/reports': 'Reports',
      '/evidence': 'Evidence',
      '/buckets': 'Buckets',
      '/buckets/embedded/uploads': 'uploads',
      '/triggers': 'Triggers',
      '/queue': 'Queue',
      '/backfills': 'Backfills',
      '/mailbox': 'Mailbox',
      '/nowhere': 'Nothing here',
    };
    for (const [path, title] of Object.entries(titles)) {
      await page.goto(service.url + path);
      await expect.poll(() => page.title(), { timeout: 10_000 }).toBe(`${title} · Sallyport`);
    }
  }, 90_000);

  describe('tells what works with limits in a banner, which', () => {
    const say = async (detail: string): Promise<void> => {
      await page.unroute('**/health');
      await page.route('**/health', (route) =>
        route.fulfill({
          json: {
            healthy: true,
            degraded: true,
            healthResults: [
              {
                name: 'malware',
                healthy: true,
                details: { name: 'malware', healthy: true, degraded: true, detail },
              },
            ],
          },
        }),
      );
      await page.goto(`${service.url}/reviews`);
    };

    it('folds to one line, and stays so in this browser while the same is said', async () => {
      await say('no signatures for 25 s');
      await page.getByText('no signatures for 25 s').waitFor();
      await page.getByRole('button', { name: 'Fold what works with limits' }).click();
      await page.getByText('no signatures for 25 s').waitFor({ state: 'detached' });
      const line = page.getByText('Works with limits: malware');
      await line.waitFor();
      await page.setViewportSize({ width: 390, height: 844 });
      expect((await line.boundingBox())?.height).toBeLessThan(30);
      await page.setViewportSize({ width: 1440, height: 900 });
      await say('no signatures for 3 min 10 s');
      await page.getByText('Works with limits: malware').waitFor();
      expect(await page.getByText('no signatures for').count()).toBe(0);
    });

    it('comes back when it says something else, and when it is asked to', async () => {
      await say('clamd is gone');
      await page.getByText('clamd is gone').waitFor();
      await page.getByRole('button', { name: 'Fold what works with limits' }).press('Enter');
      await page.getByRole('button', { name: 'Show what works with limits' }).press('Enter');
      await page.getByText('clamd is gone').waitFor();
      await page.unroute('**/health');
    });
  });

  describe('shows what was found, so that', () => {
    it('a review has room for the findings, and says how sure each is', async () => {
      await page.goto(`${service.url}/reviews/${secrets.openReviewId}`);
      const table = page.getByRole('table', { name: 'Findings' });
      await table.waitFor();
      expect(await table.getByRole('columnheader').allTextContents()).toContain('Confidence');
      const row = table.getByRole('row').filter({ hasText: 'aws-access-token' });
      expect(await row.getByRole('cell').nth(3).textContent()).toBe('certain');
      // Nothing of a row is broken in pieces: a place is one line.
      expect((await row.getByRole('cell').nth(1).boundingBox())?.height).toBeLessThan(75);
      expect((await table.boundingBox())?.width).toBeGreaterThan(800);
    });

    it('an outcome that needs a reason says so in one line, and until there is one', async () => {
      const needs = page.getByText('Needs a reason.');
      expect((await needs.boundingBox())?.height).toBeLessThan(30);
      expect(await page.getByRole('button', { name: 'Release' }).isDisabled()).toBe(true);
      await page.getByLabel('Reason (kept in the record)').fill('A test.');
      await needs.waitFor({ state: 'detached' });
      expect(await page.getByRole('button', { name: 'Release' }).isEnabled()).toBe(true);
    });

    it('an infected object names, below its findings, what was not looked at and why', async () => {
      await page.goto(`${service.url}/objects/${infected.id}`);
      await page.getByText('EICAR-Test-File').first().waitFor();
      const headings = await page.getByRole('heading', { level: 2 }).allTextContents();
      expect(headings.slice(-2)).toEqual(['Findings', 'Not looked at']);
      await page.getByText('What was found stands.').waitFor();
      await page.getByText('The object as a whole: no malware engine with signatures was there.').waitFor();
      await page.getByRole('link', { name: 'not looked at everywhere' }).click();
      expect(page.url()).toContain('#not-looked-at');
    });

    it('the list of objects counts the findings of each', async () => {
      await page.goto(`${service.url}/objects`);
      const findings = async (key: string) =>
        page.getByRole('row').filter({ hasText: key }).getByRole('cell').nth(2).textContent();
      await page.getByRole('link', { name: 'uploads/deploy/settings.ini' }).waitFor();
      expect(await findings('deploy/settings.ini')).toMatch(/^\d certain(, \d uncertain)?$/);
      expect(await findings('minutes/board-meeting.txt')).toBe('–');
    });
  });

  it('fits on a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of [
      '/',
      `/reviews/${secrets.openReviewId}`,
      `/objects/${infected.id}`,
      '/buckets',
      '/queue',
    ]) {
      await page.goto(service.url + path);
      await page.locator('main h1').waitFor();
      await page.waitForTimeout(500);
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(390);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  }, 60_000);

  it('ran without a single script error', () => {
    expect(faults).toEqual([]);
  });
});
