import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { fakeClamd, type FakeClamd } from '../tasks/scan/malware/fake-clamd.js';
import { githubToken } from '../tasks/scan/secrets/support/tokens.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

/** What a person does with the evidence of a review, on the built program with a real browser. */
describe.skipIf(chromiumPath === undefined)('the evidence on a review’s page', () => {
  const token = githubToken(77);
  let folder: string;
  let clamd: FakeClamd;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  let reviewId: string;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-evidence-'));
    chmodSync(folder, 0o711);
    clamd = await trustedClamd();
    service = await ServiceProcess.on(join(folder, 'home'), {
      SEED_SAMPLES: 'false',
      CLAMD_HOST: clamd.at.host,
      CLAMD_PORT: String(clamd.at.port),
    });
    await service.start();
    await service.s3().send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: 'deploy/app.env',
        Body: `HOST=app.example.org\nTOKEN=${token}\nDB_PASSWORD=hunter2\nDEBUG=1\n`,
      }),
    );
    reviewId = await eventually(
      async () => {
        const { items } = await service.api<{ items: { openReviewId: string | null }[] }>(
          '/api/v1/objects?key=deploy/app.env',
        );
        return items[0]?.openReviewId ?? undefined;
      },
      { timeoutMs: 60_000, what: 'a review' },
    );
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
    await logIn(page, service);
    await page.goto(`${service.url}/reviews/${reviewId}`);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await clamd?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the lines around a finding out of quarantine, and no secret in them', async () => {
    await page.getByRole('button', { name: 'Show the lines around them' }).click();
    await page.getByRole('heading', { name: 'The lines around them' }).waitFor();
    const text = (await page.locator('figure.context').first().innerText()).replaceAll('\u00a0', ' ');
    expect(text).toContain('HOST=app.example.org');
    expect(text).toContain('DEBUG=1');
    expect(await page.content()).not.toContain(token);
    expect(await page.content()).not.toContain('hunter2');
  }, 60_000);

  it('sends the object as a file, once, to who says why', async () => {
    await page.getByText('Download the object').click();
    await page.getByLabel('Reason', { exact: true }).fill('To see which service it is of.');
    await page.getByRole('button', { name: 'Ask for a download' }).click();
    const arrives = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download', exact: true }).click();
    expect((await arrives).suggestedFilename()).toBe('app.env');
    await eventually(async () => {
      const { items } = await service.api<{ items: { state: string }[] }>(
        `/api/v1/reviews/${reviewId}/downloads`,
      );
      return items[0]?.state === 'whole';
    });
  }, 60_000);

  it('takes files beside the review: scanned first, refused with why, or fetched by a link', async () => {
    const attach = async (name: string, buffer: Buffer): Promise<void> => {
      await page.getByLabel('Attach a file').setInputFiles({ name, mimeType: 'text/plain', buffer });
      await page.getByRole('button', { name: 'Attach it' }).click();
    };
    await attach('from the vendor.txt', Buffer.from('This is what they wrote.'));
    const link = page.getByRole('link', { name: 'from the vendor.txt' });
    await link.waitFor();
    await attach('invoice.txt', eicar());
    await page
      .getByText(/^It is malware/)
      .first()
      .waitFor();
    expect(await page.getByRole('link', { name: 'invoice.txt' }).count()).toBe(0);
    const arrives = page.waitForEvent('download');
    await link.click();
    expect((await arrives).suggestedFilename()).toBe('from the vendor.txt');
    await picture(page, 'attachments', page.locator('form', { hasText: 'Attach a file' }));
  }, 60_000);

  it('says who can be asked, where nobody knows the uploader', async () => {
    await page.getByRole('heading', { name: 'The uploader cannot be asked' }).waitFor();
    await page.getByText(/An admin can say who the principal is/).waitFor();
    expect(await page.getByText('Ask the uploader', { exact: true }).count()).toBe(0);
    await picture(page, 'evidence');
    expect(faults).toEqual([]);
  }, 60_000);
});

/** A daemon with official signatures that knows the test file; it says of its own tests what a good one does. */
function trustedClamd(): Promise<FakeClamd> {
  const today = new Date().toUTCString().replace(/^(...), (..) (...) (....) (.*) GMT$/, '$1 $3 $2 $5 $4');
  return fakeClamd(
    ({ socket, ended, start }) => {
      if (!ended) return;
      if (start.includes('level.zip')) socket.end('stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND\0');
      else if (start.includes('locked.txt')) socket.end('stream: Heuristics.Encrypted.Zip FOUND\0');
      else socket.end(`stream: ${start.includes(eicar()) ? 'Eicar FOUND' : 'OK'}\0`);
    },
    { version: `ClamAV 1.4.6/27834/${today}` },
  );
}
