import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { githubToken } from '../tasks/scan/secrets/support/tokens.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

interface Waiting {
  readonly items: readonly { readonly id: string; readonly queue: string }[];
}

/** What a person does about findings for a time, on the built program with a real browser. */
describe.skipIf(chromiumPath === undefined)('the pages about findings', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  let objectId: string;
  const faults: string[] = [];

  let cookie: string;
  /** Another person than who asked, with an account of their own. */
  const logInAsCarol = async (): Promise<string> => {
    const login = { name: 'carol', password: randomBytes(12).toString('hex') };
    await service.api('/api/v1/users', { method: 'POST', body: { ...login, roles: ['approver'] } });
    const answer = await post('/api/v1/session', login, {});
    return String(answer.headers.get('set-cookie')).split(';')[0] ?? '';
  };
  const post = async (path: string, body: object, headers: Record<string, string>): Promise<Response> => {
    const answer = await fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: service.url, ...headers },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };

  /** Decided by her. */
  const decide = async (queue: string, outcome: string): Promise<void> => {
    const id = await eventually(
      async () => (await service.api<Waiting>(`/api/v1/reviews?queue=${queue}&state=WAITING`)).items[0]?.id,
      { timeoutMs: 20_000, what: `a review in ${queue}` },
    );
    await post(`/api/v1/reviews/${id}/decide`, { outcome, reason: 'agreed' }, { cookie });
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-findings-'));
    chmodSync(folder, 0o711);
    service = await ServiceProcess.on(join(folder, 'home'));
    await service.start();
    cookie = await logInAsCarol();
    await service
      .s3()
      .send(
        new PutObjectCommand({ Bucket: 'uploads', Key: 'deploy/app.env', Body: `T=${githubToken(78)}\n` }),
      );
    objectId = await eventually(
      async () => {
        const { items } = await service.api<{ items: { id: string; openReviewId: string | null }[] }>(
          '/api/v1/objects?key=deploy/app.env',
        );
        return items[0]?.openReviewId == null ? undefined : items[0].id;
      },
      { timeoutMs: 60_000, what: 'a review' },
    );
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
    await logIn(page, service);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lead from a finding to an exception that is looked at, asked for, agreed to and withdrawn', async () => {
    await page.goto(`${service.url}/objects/${objectId}`);
    await page.getByRole('link', { name: 'Ask for an exception' }).first().click();
    const form = page.getByRole('form', { name: 'New exception' });
    await form.getByLabel('Reason').fill('It is of a test account.');
    const nextWeek = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
    await form.getByLabel('Until').fill(nextWeek);
    await form.getByRole('button', { name: 'See what it answers for' }).click();
    await form.getByText('finding in 1 object known now').waitFor();
    await form.getByRole('link', { name: 'uploads/deploy/app.env' }).waitFor();
    await picture(page, 'exception-asked');
    await form.getByRole('button', { name: 'Ask for it' }).click();
    await page.locator('table .state', { hasText: 'asked for' }).waitFor();
    await decide('exceptions', 'approve');
    await page.locator('table .state', { hasText: 'in force' }).waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Withdraw' }).click();
    await page.getByLabel('Why').fill('It was rotated.');
    await picture(page, 'exceptions');
    await page.getByRole('button', { name: 'Withdraw it' }).click();
    await page.getByText('None: every finding counts as it was found.').waitFor();
    await page.getByLabel('Which').selectOption('over');
    await page.locator('table .state', { hasText: 'withdrawn' }).waitFor();
  }, 90_000);

  it('say what cannot be asked for, in the server’s words', async () => {
    await page.goto(`${service.url}/findings?finding=999999`);
    const form = page.getByRole('form', { name: 'New exception' });
    await form.getByLabel('Reason').fill('r');
    await form.getByLabel('Until').fill('2099-01-01');
    await form.getByRole('button', { name: 'See what it answers for' }).click();
    await form.getByText('No finding 999999').waitFor();
  }, 30_000);

  it('tell of remedies: whose they are, until when, and what they come to', async () => {
    const { findings } = await service.api<{ findings: { id: string }[] }>(`/api/v1/objects/${objectId}`);
    await service.api('/api/v1/remedies', {
      method: 'POST',
      body: { findingId: findings[0]!.id, owner: ['user:admin'], dueDays: 3 },
    });
    await decide('findings', 'real');
    await page.getByRole('link', { name: 'Remedies' }).click();
    const open = page.getByRole('table', { name: 'Open' });
    await open.getByText('uploads/deploy/app.env').waitFor({ timeout: 20_000 });
    await open.getByText('user:admin').waitFor();
    await page.reload();
    const figures = page.getByRole('table', { name: 'Time to remedy' });
    expect(await figures.getByRole('row').nth(1).innerText()).toMatch(/admin\s+1\s+0\s+0/);
    await picture(page, 'remedies');
    // What was not found is answered 404 by design.
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
  }, 60_000);
});
