import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
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
  let faultsAreWanted = false;

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

  const pageOf = async (role: string, name = role): Promise<Page> => {
    await service.api('/api/v1/users', {
      method: 'POST',
      body: { name, password: PASSWORD, roles: [role] },
    });
    const page = await watchedPage(browser, faults, () => faultsAreWanted);
    page.setDefaultTimeout(10_000);
    await page.goto(service.url);
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
    return page;
  };
  /** A new approver who looks at a question of its own. */
  const asking = async (name: string, input: object): Promise<{ page: Page; id: string }> => {
    const page = await pageOf('approver', name);
    const task = { name: 'ask', taskReferenceName: 'ask', type: 'HUMAN' };
    const asked = { title: `Asked of ${name}?`, queue: name, ...input };
    const workflow = { name, version: 1, schemaVersion: 2, tasks: [{ ...task, inputParameters: asked }] };
    await service.api('/api/metadata/workflow', { method: 'POST', body: workflow });
    await service.api('/api/workflow', { method: 'POST', body: { name, version: 1 } });
    const id = await eventually(
      async () =>
        (await service.api<{ items: { id: string }[] }>(`/api/v1/reviews?queue=${name}`)).items[0]?.id,
      { timeoutMs: 20_000, what: 'the review' },
    );
    return { page, id };
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

  it('the role approver say why four eyes keep a question from them, and have no button for it', async () => {
    const { page, id } = await asking('requester', { fourEyes: ['requester'], requester: 'requester' });
    await page.goto(`${service.url}/reviews/${id}`);
    await page
      .getByText(/four eyes/)
      .first()
      .waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Claim' }).count()).toBe(0);
  }, 60_000);

  it('the role approver tell at the field what is wrong with it', async () => {
    const form = {
      type: 'object',
      properties: { ticket: { type: 'string', title: 'Ticket', pattern: '^OPS-[0-9]+$' } },
    };
    const { page, id } = await asking('filler', { form });
    await page.goto(`${service.url}/reviews`);
    await page.getByText('Asked of filler?').waitFor();
    await page.getByRole('table').last().getByRole('columnheader', { name: 'Queue' }).waitFor();
    await page.goto(`${service.url}/reviews/${id}`);
    await page.getByLabel('Ticket').fill('none');
    await page.getByLabel(/Reason/).fill('Fine.');
    faultsAreWanted = true;
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.locator('label', { hasText: 'Ticket' }).getByText('It must match pattern').waitFor();
    faultsAreWanted = false;
    expect(await page.getByText('form.ticket').count()).toBe(0);
  }, 60_000);
});
