import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

it.skipIf(chromiumPath === undefined)(
  'an admin makes people, groups and grants on one page, and sees why something is refused',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-accounts-'));
    const service = await ServiceProcess.on(join(folder, 'home'));
    const browser = await launchChromium();
    try {
      await service.start();
      const faults: string[] = [];
      const page = await watchedPage(browser, faults, () => true);
      page.setDefaultTimeout(10_000);
      await logIn(page, service);
      await page.getByRole('link', { name: 'Accounts' }).click();
      await page.getByRole('heading', { name: 'Accounts', exact: true }).waitFor();

      await page.getByText('Add a group').click();
      await page.getByLabel('Name of the group').fill('Night shift');
      await page.getByRole('button', { name: 'Add the group' }).click();
      await page.getByRole('cell', { name: 'Night shift', exact: true }).waitFor();
      await page.getByText('Add a group').click();

      await page.getByText('Add a person').click();
      await page.getByLabel('Name', { exact: true }).fill('anna');
      await page.getByLabel('E-mail').fill('anna@example.com');
      await page.getByLabel('First password').fill('too short');
      await page.getByLabel('viewer').first().check();
      await page.getByRole('button', { name: 'Add the person' }).click();
      await page.getByText('must be at least 12 characters').waitFor();
      await page.getByLabel('First password').fill('correct horse battery');
      await page.getByRole('button', { name: 'Add the person' }).click();
      await page.getByRole('cell', { name: 'anna@example.com' }).waitFor();
      await page.getByText('Add a person').click();

      await page.getByRole('button', { name: 'Members of Night shift: 0' }).click();
      await page.getByLabel('Add a member').selectOption('anna');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('button', { name: 'Take anna out of Night shift' }).waitFor();

      await page.getByText('Give a grant').click();
      await page.getByRole('combobox', { name: 'Role', exact: true }).selectOption('owner');
      await page.getByRole('combobox', { name: 'Group', exact: true }).selectOption('Night shift');
      await page.getByLabel('Held by').selectOption('anna');
      await page.getByRole('button', { name: 'Give the grant' }).click();
      await page.getByRole('cell', { name: 'group Night shift', exact: true }).waitFor();

      await page.getByRole('button', { name: 'Roles of anna' }).click();
      await picture(page, 'accounts');
      await page.getByLabel('analyst').first().check();
      await page.getByRole('button', { name: 'Set the roles of anna' }).click();
      await page.getByRole('cell', { name: 'analyst, viewer' }).waitFor();

      await page.getByRole('button', { name: 'Disable' }).last().click();
      await page.getByRole('button', { name: 'Disable anna' }).click();
      await page.getByRole('button', { name: 'Enable anna' }).waitFor();

      // The last admin stays one.
      await page.getByRole('button', { name: 'Disable' }).first().click();
      await page.getByRole('button', { name: 'Disable admin' }).click();
      await page.getByText('This would leave nobody with a password and the role admin').waitFor();

      await page.getByRole('button', { name: 'Take', exact: true }).click();
      await page.getByRole('button', { name: 'Take it back' }).click();
      await page.getByText('No grant yet').waitFor();
      const { items } = await service.api<{ items: { name: string; disabled: boolean; roles: string[] }[] }>(
        '/api/v1/users',
      );
      expect(items.find(({ name }) => name === 'anna')).toMatchObject({
        disabled: true,
        roles: ['analyst', 'viewer'],
      });
    } finally {
      await browser.close();
      await service.stop();
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);
