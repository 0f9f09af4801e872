import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { realProvider, signInAt } from '../support/oidc-provider.js';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { picture, watchedPage } from './visit.js';

it.skipIf(chromiumPath === undefined)(
  'a person signs in at the provider in a real browser, sees why it failed before, and logs out here',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-sign-in-'));
    const settings: Record<string, string> = {};
    const service = await ServiceProcess.on(join(folder, 'home'), settings);
    const provider = await realProvider(`${service.url}/api/v1/session/oidc/callback`);
    Object.assign(settings, signInAt(provider));
    const browser = await launchChromium();
    try {
      await service.start();
      const faults: string[] = [];
      const page = await watchedPage(browser, faults);
      await page.goto(`${service.url}/objects?verdict=clean`);
      await page.getByRole('link', { name: 'Sign in with Example Login' }).click();
      expect(await page.getByRole('alert').textContent()).toContain('The sign-in was cancelled');
      await picture(page, 'login');

      provider.person = {
        sub: 'sub-anna',
        claims: { preferred_username: 'anna', email: 'anna@example.com', email_verified: true },
      };
      await page.goto(`${service.url}/objects?verdict=clean`);
      await page.getByRole('link', { name: 'Sign in with Example Login' }).click();
      await page.locator('.me').getByText('anna').waitFor();
      expect(page.url()).toBe(`${service.url}/objects?verdict=clean`);
      const cookies = await page.context().cookies(service.url);
      expect(cookies.find(({ name }) => name === 'sallyport_session')).toMatchObject({
        httpOnly: true,
        sameSite: 'Lax',
      });
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByRole('button', { name: 'Log in' }).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await service.stop();
      await provider.close();
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);
