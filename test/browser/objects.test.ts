import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, watchedPage } from './visit.js';

interface ObjectRow {
  readonly id: string;
  readonly key: string;
  readonly verdict: string;
  readonly reason: string | null;
  readonly action: string | null;
  readonly openReviewId: string | null;
}

const { samples } = JSON.parse(
  readFileSync(new URL('../../samples/samples.json', import.meta.url), 'utf8'),
) as { samples: { expected: string; base64?: string[] }[] };
const encrypted = Buffer.from(
  samples.find(({ expected }) => expected === 'encrypted')?.base64?.join('') ?? '',
  'base64',
);

// As long as S3 allows, with no place to break.
const LONG = `very/${'k'.repeat(1019)}`;

/** What the pages say of objects that were looked into, of those that were not, and of those that are elsewhere. */
describe.skipIf(chromiumPath === undefined)('the pages of objects', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-objects-'));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'), { SEED_SAMPLES: 'true' });
    await service.start();
    await service.s3().send(new CreateBucketCommand({ Bucket: 'plain' }));
    await service.api('/api/v1/buckets', {
      method: 'POST',
      body: { endpointId: 'embedded', bucket: 'plain', actionMode: 'tag', required: ['secrets'] },
    });
    await service.api('/api/v1/triggers', {
      method: 'POST',
      body: { name: 'no_thumbs', effect: 'deny', prefix: 'thumbs/' },
    });
    await Promise.all([
      upload('uploads', LONG, encrypted),
      upload('uploads', 'thumbs/a.png'),
      upload('plain', 'notes.txt'),
    ]);
    await object(LONG, (row) => row.openReviewId !== null);
    await service.api('/api/v1/backfills', {
      method: 'POST',
      body: { bucket: 'uploads', prefix: LONG, dryRun: true },
    });
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
    page.setDefaultTimeout(15_000);
    await logIn(page, service);
  }, 150_000);

  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const upload = (bucket: string, key: string, body: string | Buffer = 'nothing to see') =>
    service.s3().send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));

  const object = (key: string, isIt: (row: ObjectRow) => boolean): Promise<ObjectRow> =>
    eventually(
      async () => {
        const { items } = await service.api<{ items: ObjectRow[] }>(
          `/api/v1/objects?prefix=${encodeURIComponent(key)}`,
        );
        return items.find(isIt);
      },
      { timeoutMs: 40_000, what: `${key} as it is to be` },
    );

  /** In both themes, where SCREENSHOTS names a folder. */
  async function picture(name: string): Promise<void> {
    const into = process.env['SCREENSHOTS'];
    if (into === undefined) return;
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: join(into, `${name}-${colorScheme}.png`), fullPage: true });
    }
  }

  async function open(row: ObjectRow): Promise<void> {
    await page.goto(`${service.url}/objects/${row.id}`);
    await page.getByRole('heading', { name: 'What happened' }).waitFor();
  }

  const text = () => page.locator('main').innerText();

  describe('with the longest key', () => {
    // So that something waits in the queue.
    beforeAll(async () => {
      await service.api('/api/v1/queue/pause', { method: 'POST', body: {} });
      await upload('uploads', LONG);
    });
    afterAll(() => service.api('/api/v1/queue/resume', { method: 'POST', body: {} }));

    it.each([
      ['objects', '/objects?prefix=very/'],
      ['reviews', '/reviews'],
      ['the queue', '/queue?state=waiting'],
      ['backfills', '/backfills'],
    ])('keep the other columns of the list of %s whole', async (_, path) => {
      await page.goto(service.url + path);
      const link = page.getByRole('link', { name: `uploads/${LONG}` }).first();
      await link.waitFor();
      expect(await link.getAttribute('title')).toBe(`uploads/${LONG}`);
      expect((await link.boundingBox())?.height).toBeLessThan(80);
      // As text: the page's types are not the test's.
      const lines = await page.evaluate(`
      [...document.querySelectorAll('tbody tr:has(.name) :is(td.when, td.word > a)')].map((one) => {
        const range = document.createRange();
        range.selectNodeContents(one.firstChild);
        return range.getClientRects().length;
      })
    `);
      expect(lines).not.toEqual([]);
      expect(Math.max(...(lines as number[]))).toBeLessThan(3);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1440);
      await picture(path.replaceAll(/\W/g, '-'));
    });
  });

  it('name the rule that skipped an object as it is, and claim nothing of what is in it', async () => {
    const row = await object('thumbs/', ({ verdict }) => verdict === 'skipped');
    await page.goto(`${service.url}/objects?prefix=thumbs/`);
    await page.getByText('rule no_thumbs', { exact: true }).waitFor();
    await open(row);
    await page.getByRole('heading', { name: 'Not scanned' }).waitFor();
    await page.getByText('The rule no_thumbs skipped it, so nobody looked into it.').waitFor();
    expect(await text()).not.toMatch(/Nothing was found|Not looked at|were read/);
    await picture('skipped');
    await page.getByRole('link', { name: 'no_thumbs', exact: true }).click();
    await page.getByRole('heading', { name: 'no_thumbs' }).waitFor();
  }, 60_000);

  it('do not call it a lack that no engine looked for malware where malware is not required', async () => {
    await open(await object('notes.txt', ({ verdict }) => verdict === 'clean (secrets)'));
    await page.getByText('Malware was not required here, and was not looked for by an engine.').waitFor();
    expect(await text()).not.toMatch(/not looked at everywhere|Not looked at|were read| ,/);
    await picture('clean-secrets');
  }, 60_000);

  it('show with an encrypted object what could not be looked into, where it is decided', async () => {
    const { openReviewId } = await object('hr/salaries.zip', (row) => row.openReviewId !== null);
    await page.goto(`${service.url}/reviews/${openReviewId}`);
    await page.getByRole('heading', { name: 'Not looked at' }).waitFor();
    await page
      .getByText(/: it is encrypted\./)
      .first()
      .waitFor();
    await picture('review');
  }, 60_000);

  it('say where an object is that is in quarantine, and offer no scan of it', async () => {
    await open(await object('hr/salaries.zip', ({ action }) => action === 'quarantined'));
    await page
      .getByText(/^It is in quarantine since .*, at quarantine\/embedded\/uploads\/hr\/salaries\.zip/)
      .waitFor();
    expect(await page.getByRole('button', { name: 'Scan again' }).count()).toBe(0);
    await picture('quarantined');
  }, 60_000);

  it('say of a released copy that it was not scanned itself, and lead to what was', async () => {
    const scanned = await object('deploy/settings.ini', (row) => row.openReviewId !== null);
    const review = await service.api<{ subjectDigest: string }>(`/api/v1/reviews/${scanned.openReviewId}`);
    await service.api(`/api/v1/reviews/${scanned.openReviewId}/decide`, {
      method: 'POST',
      body: { outcome: 'release', reason: 'A test.', digest: review.subjectDigest },
    });
    const copy = await object('deploy/settings.ini', ({ reason }) => reason === 'released_by_review');
    await open(copy);
    await page.getByRole('heading', { name: 'Not scanned' }).waitFor();
    await page.getByText(/^This is the copy that a release wrote, decided by /).waitFor();
    expect(await text()).not.toMatch(/Nothing was found|Not looked at|were read|apikey:/);
    await picture('released');
    await page.getByRole('link', { name: 'what had been scanned, with its findings' }).click();
    await page.getByRole('table', { name: 'Findings' }).waitFor();
    expect(page.url()).toContain(scanned.id);
    await page.getByText('It was released out of quarantine').waitFor();
    const decided = page.getByRole('listitem').filter({ hasText: 'A test.' });
    expect(await decided.innerText()).not.toContain('apikey:');
    expect(await page.getByRole('button', { name: 'Scan again' }).count()).toBe(0);
    await picture('released-original');
  }, 60_000);

  it('offer no scan of what was deleted', async () => {
    const { id, openReviewId } = await object('invoices/', (row) => row.openReviewId !== null);
    const review = await service.api<{ subjectDigest: string }>(`/api/v1/reviews/${openReviewId}`);
    await service.api(`/api/v1/reviews/${openReviewId}/decide`, {
      method: 'POST',
      body: { outcome: 'delete', reason: 'A test.', digest: review.subjectDigest },
    });
    await open(await object('invoices/', (row) => row.id === id && row.action === 'deleted'));
    await page.getByText(/^It was deleted, .*: there is nothing left to scan\.$/).waitFor();
    expect(await page.getByRole('button', { name: 'Scan again' }).count()).toBe(0);
    await picture('deleted');
  }, 60_000);

  it('ran without a single script error', () => {
    expect(faults).toEqual([]);
  });
});
