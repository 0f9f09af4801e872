import { expect, it } from 'vitest';
import { chromiumPath, launchChromium } from '../browser/chromium.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { startSmtp } from '../support/smtp.js';
import { reviewsApp } from './app.js';
import { reviewsStage } from './stage.js';

it.skipIf(chromiumPath === undefined)(
  'a person decides with the mail’s link and code in a real browser, by Enter never by accident',
  async () => {
    const stage = await reviewsStage();
    const smtp = await startSmtp();
    const port = await freePort();
    const { app, worker } = await reviewsApp(stage, { PORT: String(port) }, { smtpUrl: () => smtp.url });
    const browser = await launchChromium();
    try {
      await app.listen(port, '127.0.0.1');
      const task = stage.engine.add({ scanId: 's', verdict: 'secrets', outcomes: ['release', 'delete'] });
      await worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
      const { text = '' } = await eventually(() => smtp.mails[0]);
      const link = /http:\/\/\S+\/r\/[A-Za-z0-9_-]{43}/.exec(text)?.[0] ?? '';
      const code = /code for the decision: ([\d ]+)/.exec(text)?.[1] ?? '';
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));

      await page.goto(link);
      expect(page.url()).not.toContain(link.slice(-43));
      await page.fill('#reason', 'our own test file');
      await page.fill('#code', code);
      await page.press('#code', 'Enter');
      expect((await stage.db.query(`SELECT 1 FROM review WHERE state = 'OPEN'`)).length).toBe(1);
      await page.click('button:has-text("Release")');
      await page.waitForSelector('text=Decided:');
      expect(await page.textContent('main')).toContain('our own test file');
      expect(await page.locator('form').count()).toBe(0);
      // A style or script that the page's own policy refuses would be told here.
      expect(complaints.filter((line) => !line.includes('favicon'))).toEqual([]);
    } finally {
      await browser.close();
      await app.close();
      await smtp.close();
      await stage.close();
    }
  },
  60_000,
);
