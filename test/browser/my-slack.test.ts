import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { realProvider, signInAt } from '../support/oidc-provider.js';
import { ServiceProcess } from '../support/service-process.js';
import { buttonsOf, FakeSlack, textOf } from '../support/slack/fake-slack.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { fillLogin, watchedPage } from './visit.js';

const anna = { id: 'U0ANNA', name: 'anna.k' };

it.skipIf(chromiumPath === undefined)(
  'a person links the account that clicked in Slack, sees it below the reviews, and unlinks it there',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-my-slack-'));
    const slack = await FakeSlack.start();
    const service = await ServiceProcess.on(join(folder, 'home'), {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_SIGNING_SECRET: slack.signingSecret,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    });
    const browser = await launchChromium();
    try {
      await service.start();
      slack.useHttp(addressesOf(service));
      const said = async (): Promise<string> => {
        const before = slack.whispers.length;
        await slack.slash('/sallyport', 'mine', anna);
        const whisper = await eventually(() => slack.whispers[before], { what: 'a private answer' });
        return `${whisper.text}\n${textOf(whisper.blocks)}`;
      };
      expect(await said()).toMatch(/Link your Slack account first/);
      const address = buttonsOf(slack.whispers.at(-1)?.blocks ?? []).find(({ url }) => url !== undefined)?.[
        'url'
      ];

      const faults: string[] = [];
      const page = await watchedPage(browser, faults);
      page.setDefaultTimeout(15_000);
      // Not signed in yet: the login comes first, and leads back.
      await page.goto(String(address));
      expect(new URL(page.url()).pathname).toBe('/link-slack');
      await fillLogin(page, service);
      await page.getByText('anna.k (U0ANNA)').waitFor();
      await page.getByRole('button', { name: 'This is my Slack account' }).click();
      await page.getByRole('heading', { name: 'Linked' }).waitFor();
      expect(await said()).not.toMatch(/Link your Slack account/);

      await page.goto(`${service.url}/reviews`);
      await page.getByText('My account in Slack').click();
      await page.getByText('anna.k').waitFor();
      await page.getByRole('button', { name: 'Unlink' }).click();
      await page.getByRole('button', { name: 'Really unlink anna.k' }).click();
      await page.getByText('No account is linked any more').waitFor();
      expect(await said()).toMatch(/Link your Slack account first/);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await service.stop();
      await slack.close();
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);

it.skipIf(chromiumPath === undefined)(
  'a person who signs in at the provider comes back to the page that links the account',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-link-oidc-'));
    const slack = await FakeSlack.start();
    const settings: Record<string, string> = {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_SIGNING_SECRET: slack.signingSecret,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    };
    const service = await ServiceProcess.on(join(folder, 'home'), settings);
    const provider = await realProvider(`${service.url}/api/v1/session/oidc/callback`);
    Object.assign(settings, signInAt(provider), {
      OIDC_GROUPS: JSON.stringify({ eyes: { roles: ['analyst'] } }),
    });
    provider.person = {
      sub: 'sub-anna',
      claims: {
        preferred_username: 'anna',
        email: 'anna@example.com',
        email_verified: true,
        groups: ['eyes'],
      },
    };
    const browser = await launchChromium();
    try {
      await service.start();
      slack.useHttp(addressesOf(service));
      await slack.slash('/sallyport', 'mine', anna);
      const whisper = await eventually(() => slack.whispers[0], { what: 'a private answer' });
      const address = buttonsOf(whisper.blocks).find(({ url }) => url !== undefined)?.['url'];
      const page = await watchedPage(browser, []);
      page.setDefaultTimeout(15_000);
      await page.goto(String(address));
      await page.getByRole('link', { name: 'Sign in with Example Login' }).click();
      await page.getByText('anna.k (U0ANNA)').waitFor();
      expect(page.url()).toBe(`${service.url}/api/v1/slack/link`);
      await page.getByRole('button', { name: 'This is my Slack account' }).click();
      await page.getByRole('heading', { name: 'Linked' }).waitFor();
    } finally {
      await browser.close();
      await service.stop();
      await provider.close();
      await slack.close();
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);

const addressesOf = ({ url }: Pick<ServiceProcess, 'url'>) => ({
  interactionsUrl: `${url}/slack/interactions`,
  commandsUrl: `${url}/slack/commands`,
  eventsUrl: `${url}/slack/events`,
});
