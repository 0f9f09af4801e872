import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { buttonsOf, FakeSlack } from '../support/slack/fake-slack.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

const PASSWORD = 'correct horse battery';

describe.skipIf(chromiumPath === undefined)('the page Slack', () => {
  let folder: string;
  let slack: FakeSlack;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];
  let isRefusing = false;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-slack-page-'));
    chmodSync(folder, 0o711);
    slack = await FakeSlack.start();
    slack.addUser({ id: 'U0ALICE', name: 'alice.w', email: 'alice@example.com' });
    slack.addChannel({ id: 'C0PAY', name: 'payments', botIsMember: false });
    slack.scopes = slack.scopes.filter((scope) => scope !== 'chat:write.public');
    service = await ServiceProcess.on(join(folder, 'home'), { SLACK_API_URL: slack.apiUrl });
    await service.start();
    for (const [name, role] of [
      ['alice', 'analyst'],
      ['oscar', 'operator'],
    ] as const)
      await service.api('/api/v1/users', {
        method: 'POST',
        body: { name, email: `${name}@example.com`, roles: [role], password: PASSWORD },
      });
    browser = await launchChromium();
    page = await watchedPage(browser, faults, () => isRefusing);
    page.setDefaultTimeout(15_000);
    await logIn(page, service);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service.stop();
    await slack.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Every field that can be seen has a name for who cannot see it. */
  async function expectNames(of: Page = page): Promise<void> {
    const nameless = await of.evaluate(`
      [...document.querySelectorAll('main :is(input, select, textarea, button)')]
        .filter((one) => one.closest('label') === null && (one.getAttribute('aria-label') ?? one.textContent).trim() === '')
        .map((one) => one.outerHTML)
    `);
    expect(nameless).toEqual([]);
  }
  async function refused(deed: () => Promise<void>): Promise<void> {
    isRefusing = true;
    await deed();
    await page.waitForTimeout(200);
    isRefusing = false;
  }

  it('says what is missing, and shows the manifest to copy, before anything is set', async () => {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Slack' }).click();
    await page.getByRole('heading', { name: 'Slack', exact: true }).waitFor();
    await page.getByText('There is no bot token.').waitFor();
    const manifest = page.getByLabel('Manifest');
    expect(JSON.parse(await manifest.inputValue())).toMatchObject({
      settings: { socket_mode_enabled: true },
    });
    await page.getByLabel('Slash command').fill('/gate');
    await eventually(async () => (await manifest.inputValue()).includes('"/gate"'), {
      what: 'the new command',
    });
    await page.getByRole('button', { name: 'Copy it' }).click();
    await page.getByText(/^(Copied\.|Selected: )/).waitFor();
    await expectNames();
  }, 60_000);

  it('takes tokens in, says what Slack thinks of them, and never shows them again', async () => {
    await refused(async () => {
      await page.getByLabel('Bot token', { exact: true }).fill(`${slack.botToken}00`);
      await page.getByRole('button', { name: 'Store the tokens' }).click();
      await page.getByText('Slack does not know this token').waitFor();
    });
    await page.getByLabel('Bot token', { exact: true }).fill(slack.botToken);
    await page.getByLabel('App token', { exact: true }).fill(slack.appToken);
    await page.getByRole('button', { name: 'Store the tokens' }).click();
    await page.getByText(`…${slack.botToken.slice(-4)}`).waitFor();
    await page.getByText('Slack last greeted it').waitFor({ timeout: 30_000 });
    const html = await page.content();
    for (const secret of [slack.botToken, slack.appToken]) expect(html).not.toContain(secret);
    expect(await page.getByLabel('Another bot token').inputValue()).toBe('');
  }, 60_000);

  it('sets the default channel and that of a queue, tries one, and says what keeps one from working', async () => {
    await page.getByText('Set a channel').click();
    await page.getByRole('combobox', { name: 'Channel', exact: true }).selectOption('C0REVIEWS');
    await page.getByRole('button', { name: 'Set the default channel' }).click();
    await page.getByText('every queue without a channel of its own').waitFor();
    await page.getByLabel('Name or id of the channel').fill('pay');
    await page.getByRole('combobox', { name: 'Channel', exact: true }).selectOption('C0PAY');
    await page.getByLabel('Review queue').fill('payments');
    await page.getByRole('button', { name: 'Set the channel of payments' }).click();
    await page.getByText('Nothing sends reviews to the queue payments yet').waitFor();
    await page.getByText('The channel does not have the app as a member.').waitFor();
    await page.getByRole('button', { name: 'Send a test to #reviews' }).click();
    await page.getByText('and taken away').waitFor();
    await page.getByRole('button', { name: 'Send a test to #payments' }).click();
    await page.getByText('not_in_channel').waitFor();
    await page.getByText('Set a channel').click();
    await expectNames();
  }, 60_000);

  it('proposes accounts by e-mail, shows who confirmed, and unlinks one', async () => {
    await page.getByRole('button', { name: 'Propose accounts by e-mail' }).click();
    await page.getByText('1 asked by a direct message.').waitFor();
    await page.getByRole('row').filter({ hasText: 'alice' }).getByText('asked, not confirmed yet').waitFor();
    await picture(page, 'slack');

    const direct = slack.messages.find(({ channel }) => channel.startsWith('D'));
    const link = buttonsOf(direct?.blocks ?? [])[0]?.['url'] as string;
    const hers = await (await browser.newContext()).newPage();
    await hers.goto(service.url);
    await hers.getByLabel('Name').fill('alice');
    await hers.getByLabel('Password').fill(PASSWORD);
    await hers.getByRole('button', { name: 'Log in' }).click();
    await hers.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
    await hers.goto(link);
    await hers.getByRole('button', { name: 'This is my Slack account' }).click();
    await hers.getByRole('heading', { name: 'Linked' }).waitFor();

    await page.reload();
    const row = page.getByRole('row').filter({ hasText: 'alice.w' });
    await row.getByText('linked').first().waitFor();
    await row.getByRole('button', { name: 'Unlink alice' }).click();
    await row.getByRole('button', { name: 'Really unlink alice' }).click();
    await page.getByRole('row').filter({ hasText: 'alice' }).getByText('not asked').waitFor();
    await page.getByRole('button', { name: 'Propose accounts by e-mail' }).click();
    await page.getByRole('row').filter({ hasText: 'alice' }).getByText('asked, not confirmed yet').waitFor();
  }, 60_000);

  it('offers an operator channels and people, and no tokens', async () => {
    const his = await watchedPage(browser, faults);
    await his.goto(service.url);
    await his.getByLabel('Name').fill('oscar');
    await his.getByLabel('Password').fill(PASSWORD);
    await his.getByRole('button', { name: 'Log in' }).click();
    await his.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
    await his.getByRole('link', { name: 'Slack' }).click();
    await his.getByText('Only an admin sets them').waitFor();
    expect(await his.getByRole('button', { name: 'Store the tokens' }).count()).toBe(0);
    expect(await his.getByRole('button', { name: /^Unlink/ }).count()).toBe(0);
    await his.getByRole('button', { name: 'Propose accounts by e-mail' }).waitFor();
    expect(faults).toEqual([]);
  }, 60_000);
});
