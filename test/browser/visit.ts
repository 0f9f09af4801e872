import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import type { ServiceProcess } from '../support/service-process.js';

export const screenshots = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
// Pictures are kept only when asked for, so that a test run leaves the tree as it was.
export const keepPictures = process.env['UPDATE_SCREENSHOTS'] === 'true';

/** A page as on a desk, whose complaints become faults. @param isExpected says of a complaint now that it is wanted. */
export async function watchedPage(
  browser: Browser,
  faults: string[],
  isExpected: () => boolean = () => false,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // The first question for the session is answered 401 by design.
    if (message.type() === 'error' && !message.text().includes('401') && !isExpected())
      faults.push(message.text());
  });
  return page;
}

/** As the admin of the first start, from the page that is first shown to the overview. */
export async function logIn(page: Page, service: ServiceProcess): Promise<void> {
  await page.goto(service.url);
  await fillLogin(page, service);
  await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
}

/** The same on the login that is shown. */
export async function fillLogin(page: Page, service: ServiceProcess): Promise<void> {
  await page.getByLabel('Name').fill(service.credentials.admin.name);
  await page.getByLabel('Password').fill(service.credentials.admin.password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** The page, or a part of it, in both themes. */
export async function picture(page: Page, name: string, part: Page | Locator = page): Promise<void> {
  if (!keepPictures) return;
  mkdirSync(screenshots, { recursive: true });
  await page.evaluate('scrollTo(0, 0)');
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await part.screenshot({
      path: join(screenshots, colorScheme === 'light' ? `${name}.png` : `${name}-dark.png`),
    });
  }
}
