import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { watchedPage } from './visit.js';

const PASSWORD = 'correct horse battery';

/** The pages offer nobody what the server would refuse them. */
describe.skipIf(chromiumPath === undefined)('the pages of somebody with', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-roles-'));
    service = await ServiceProcess.on(join(folder, 'home'));
    await service.start();
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  const pageOf = async (role: string): Promise<Page> => {
    await service.api('/api/v1/users', {
      method: 'POST',
      body: { name: role, password: PASSWORD, roles: [role] },
    });
    const page = await watchedPage(browser, faults);
    page.setDefaultTimeout(10_000);
    await page.goto(service.url);
    await page.getByLabel('Name').fill(role);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
    return page;
  };
  const places = (page: Page): Promise<string[]> =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('link').allInnerTexts();

  it('the role viewer say that reviews are not for them, and ask for none', async () => {
    const page = await pageOf('viewer');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    for (const path of ['/', '/reviews']) {
      await page.goto(service.url + path);
      await page.getByText('Your roles see no reviews, whether some wait or not.').waitFor();
      await page.getByText('An admin can give you the role analyst or approver').waitFor();
    }
    expect(await page.getByText('Nothing waits for a decision').count()).toBe(0);
    expect(asked.filter((path) => path.startsWith('/api/v1/review'))).toEqual([]);
    expect(faults).toEqual([]);
  }, 60_000);

  it.each([
    ['approver', []],
    ['analyst', ['Mailbox']],
    ['auditor', ['Accounts']],
  ])(
    'the role %s offer, of mailbox and accounts, %j',
    async (role, offered) => {
      const names = await places(await pageOf(role));
      expect(names).toContain('Backfills');
      expect(names.filter((name) => name === 'Mailbox' || name === 'Accounts')).toEqual(offered);
    },
    60_000,
  );
});
