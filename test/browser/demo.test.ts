import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { picture, watchedPage } from './visit.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const REASON = 'A key made for trying this out; it opens nothing.';

describe.skipIf(chromiumPath === undefined)('npm run demo', () => {
  let demo: ChildProcess;
  let ended: Promise<unknown[]>;
  let printed = '';
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    const ports = {
      '--port': await freePort(),
      '--s3-port': await freePort(),
      '--chat-port': await freePort(),
    };
    const args = Object.entries(ports).flatMap(([option, port]) => [option, String(port)]);
    demo = spawn(process.execPath, [join(root, 'scripts', 'demo.mjs'), 'week', '--days', '2', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    ended = once(demo, 'exit');
    for (const stream of [demo.stdout, demo.stderr])
      stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await eventually(() => demo.exitCode !== null || printed.includes('Ctrl-C ends'), {
      timeoutMs: 150_000,
      what: 'the demonstration is ready',
    });
    expect(printed).toContain('Three uploads wait for you');
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
    page.setDefaultTimeout(30_000);
  }, 170_000);
  afterAll(async () => {
    await browser?.close();
    if (demo.exitCode === null) demo.kill('SIGTERM');
    await ended;
  }, 30_000);

  const said = (pattern: RegExp): string => {
    const found = pattern.exec(printed)?.[1];
    if (found === undefined) throw new Error(`the demonstration does not say ${pattern.source}:\n${printed}`);
    return found;
  };

  it('lets a newcomer approve in the chat, by mail and on the web within two minutes', async () => {
    const began = performance.now();
    await inTheChat();
    await logIn();
    await byMail();
    await onTheWeb();
    await eventually(() => printed.includes('All three'), { timeoutMs: 30_000, what: 'all three are seen' });
    const took = performance.now() - began;
    await eventually(() => printed.includes('until Ctrl-C'), { timeoutMs: 90_000, what: 'the report' });
    expect(printed).toMatch(/ended with 0\)[^]*one decision changed[^]*decisions\.csv[^]*ended with 1\)/);
    expect(faults).toEqual([]);
    await page.close();
    demo.kill('SIGINT');
    const [code] = await ended;
    expect(code, printed).toBe(0);
    expect(printed).toMatch(/1-approve-in-chat\.ini was decided in the chat by Alice/);
    expect(printed).toMatch(/2-approve-by-mail\.ini was decided by mail by Alice/);
    expect(printed).toMatch(/3-approve-on-the-web\.ini was decided on the web by Alice/);
    expect(took).toBeLessThan(120_000);
  }, 240_000);

  async function inTheChat(): Promise<void> {
    await page.goto(said(/in the chat\s+(\S+)/));
    const message = page.locator('#messages > *').filter({ hasText: 'for-you/1-approve' }).last();
    await message.getByRole('button', { name: 'Release' }).waitFor();
    await picture(page, 'demo-chat');
    await message.getByRole('button', { name: 'Release' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Why?').fill(REASON);
    await picture(page, 'demo-chat-reason');
    await form.getByRole('button', { name: 'Release' }).click();
    await message.getByText(/decided by Alice/).waitFor();
    expect(await message.getByRole('button', { name: 'Release' }).count()).toBe(0);
    // What the workflow does next is shown until it ends.
    await message.getByText('Done').waitFor();
    expect(await message.textContent()).toMatch(/Done: released and verified/);
    await message.scrollIntoViewIfNeeded();
    await picture(page, 'demo-chat-decided');
  }

  async function logIn(): Promise<void> {
    await page.goto(said(/by mail\s+(\S+)/));
    await page.getByLabel('Name').fill(said(/Log in with {2}(\S+)/));
    await page.getByLabel('Password').fill(said(/Log in with {2}\S+ {2}\/ {2}(\S+)/));
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  async function byMail(): Promise<void> {
    // Of everybody's mails the newcomer sees their own, newest first.
    await page
      .getByLabel('Mails to')
      .getByText(/^you: alice@/)
      .waitFor({ state: 'attached' });
    const rows = page.locator('tbody').getByRole('row');
    await rows.first().waitFor();
    expect(await rows.filter({ hasNotText: 'alice@example.com' }).count()).toBe(0);
    // On some days the report of the week before asks to be read as well.
    await rows.filter({ hasText: 'for-you/' }).first().waitFor();
    const row = rows.filter({ hasText: 'for-you/2' });
    await row.getByRole('button').click();
    const mail = page.frameLocator('iframe.mail');
    const code = await mail.locator('.code').textContent();
    const opened = page.context().waitForEvent('page');
    await mail.getByRole('link', { name: 'Read and decide' }).click();
    const question = await opened;
    await question.getByLabel('Code from the mail').fill(code ?? '');
    await question.getByLabel(/^Reason/).fill(REASON);
    await picture(question, 'demo-mail-page');
    await question.getByRole('button', { name: 'Release' }).click();
    await question.getByText(/Decided: Release/).waitFor();
    await question.close();
  }

  async function onTheWeb(): Promise<void> {
    await page.goto(said(/on the web\s+(\S+)/));
    await page
      .getByRole('link', { name: /for-you\/3/ })
      .first()
      .click();
    await page.getByLabel('Reason (kept in the record)').fill(REASON);
    await page.getByRole('button', { name: 'Release' }).click();
    await page
      .getByText(/Release/)
      .first()
      .waitFor();
  }
});
