import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { logIn, picture, watchedPage } from './visit.js';

/** What an operator sets and watches, clicked through in a real browser. */
describe.skipIf(chromiumPath === undefined)('the pages of an operator', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];
  let isRefusing = false;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-operators-'));
    chmodSync(folder, 0o711);
    // A second endpoint of the test is on this machine.
    service = await ServiceProcess.on(join(folder, 'home'), {
      S3_ALLOW_PRIVATE_ENDPOINTS: 'true',
      // Less than a rule may add to an input: such a start is refused for good.
      PAYLOAD_WORKFLOW_THRESHOLD_KB: '8',
      PAYLOAD_WORKFLOW_MAX_KB: '12',
    });
    await service.start();
    browser = await launchChromium();
    page = await watchedPage(browser, faults, () => isRefusing);
    page.setDefaultTimeout(15_000);
    await logIn(page, service);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Something that the service is to refuse: the browser complains of the status, we do not. */
  async function refused(deed: () => Promise<void>): Promise<void> {
    isRefusing = true;
    await deed();
    // What the console is told arrives after what the page shows.
    await page.waitForTimeout(200);
    isRefusing = false;
  }
  /** Every field that can be seen has a name for who cannot see it. */
  async function expectNames(): Promise<void> {
    // As text: the page's types are not the test's.
    const nameless = await page.evaluate(`
      [...document.querySelectorAll('main :is(input, select, textarea, button, progress)')]
        .filter((one) => one.closest('label') === null && (one.getAttribute('aria-label') ?? one.textContent).trim() === '')
        .map((one) => one.outerHTML)
    `);
    expect(nameless).toEqual([]);
  }

  describe('for buckets', () => {
    it('add an endpoint and a bucket on it, and say what is wrong before', async () => {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Buckets' }).click();
      await page.getByRole('link', { name: 'uploads', exact: true }).waitFor();
      await picture(page, 'buckets');
      await page.getByRole('link', { name: 'Add an endpoint' }).click();
      await page.getByLabel('Name', { exact: true }).fill('second');
      await page.getByLabel('Address').fill(`http://127.0.0.1:${service.s3Port}`);
      await page.getByLabel('Buckets in the path').check();
      await page.getByLabel('Access key id').fill(service.credentials.s3.accessKeyId);
      await page.getByLabel('Secret access key').fill(service.credentials.s3.secretAccessKey);
      await expectNames();
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('link', { name: 'second', exact: true }).waitFor();
      await page.getByRole('link', { name: 'Add a bucket' }).click();
      await page.getByLabel('Endpoint').selectOption('second');
      await page.getByLabel('Bucket', { exact: true }).fill('a/b');
      await refused(async () => {
        await page.getByRole('button', { name: 'Add it' }).click();
        await page
          .getByRole('alert')
          .filter({ hasText: /^bucket: / })
          .waitFor();
      });
      await page.getByLabel('Bucket', { exact: true }).fill('invoices');
      await page.getByLabel('Action').selectOption('quarantine');
      await page.getByLabel('Quarantine bucket').fill('invoices-quarantine');
      await page.getByLabel('Reviewers').fill('finance');
      await page.getByLabel('Archive passwords').fill('first\nsecond');
      await expectNames();
      await picture(page, 'bucket');
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('heading', { name: 'invoices' }).waitFor();
      const bucket = await service.api('/api/v1/buckets/second/invoices');
      expect(bucket).toMatchObject({
        actionMode: 'quarantine',
        quarantineBucket: 'invoices-quarantine',
        reviewers: 'finance',
        archivePasswordCount: 2,
      });
    }, 60_000);

    it('change it without touching its passwords, and see what somebody else changed meanwhile', async () => {
      await page.goto(`${service.url}/buckets/second/invoices`);
      await page.getByLabel('Scans at once').fill('4');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Version 2').waitFor();
      const changed = await service.api('/api/v1/buckets/second/invoices');
      expect(changed).toMatchObject({ quotas: { maxRunning: 4 }, archivePasswordCount: 2 });
      await service.api('/api/v1/buckets/second/invoices', {
        method: 'PATCH',
        body: { version: 2, priority: 7 },
      });
      await page.getByLabel('Owner group').fill('finance');
      await refused(async () => {
        await page.getByRole('button', { name: 'Save' }).click();
        await page.getByRole('alert').waitFor();
      });
      expect(await page.getByLabel('Owner group').inputValue()).toBe('finance');
      await page.getByRole('button', { name: 'Show what stands now' }).click();
      await page.getByText('Version 3').waitFor();
      expect(await page.getByLabel('Priority').inputValue()).toBe('7');
    }, 60_000);

    it('say what a new one lacks, until the page is loaded again', async () => {
      await page.goto(`${service.url}/new/bucket`);
      await page.getByLabel('Endpoint').selectOption('embedded');
      await page.getByLabel('Bucket', { exact: true }).fill('to-come');
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('heading', { name: 'to-come' }).waitFor();
      const warning = page.getByText('There is no bucket to-come on embedded yet.');
      await warning.waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Save' }).waitFor();
      expect(await warning.count()).toBe(0);
      await service.api('/api/v1/buckets/embedded/to-come?version=1', { method: 'DELETE' });
    }, 60_000);

    it('examine one, and say of what does not work how it is mended', async () => {
      await page.goto(`${service.url}/buckets/second/invoices`);
      await page.getByRole('button', { name: 'Examine' }).click();
      // There is no such bucket on the endpoint.
      await page.getByText('Something does not work.').waitFor({ timeout: 60_000 });
      await page.getByText('To mend it:').first().waitFor();
      await page.goto(`${service.url}/buckets/embedded/uploads`);
      await page.getByRole('button', { name: 'Examine' }).click();
      await page.getByRole('row').filter({ hasText: 'uploads' }).first().waitFor({ timeout: 60_000 });
      await picture(page, 'doctor', page.getByRole('region', { name: 'Doctor' }));
    }, 150_000);

    it('remove it when the button is pressed twice', async () => {
      await page.goto(`${service.url}/buckets/second/invoices`);
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByText('what is under way comes to its end').waitFor();
      await page.getByRole('button', { name: 'Really remove' }).click();
      await page.getByRole('heading', { name: 'Buckets' }).waitFor();
      await page.getByRole('link', { name: 'uploads', exact: true }).waitFor();
      expect(await page.getByRole('link', { name: 'invoices' }).count()).toBe(0);
    }, 60_000);
  });

  describe('for trigger rules', () => {
    const nav = () => page.getByRole('navigation', { name: 'Main' });

    it('add one that skips, and say which rule wins for an object, and why', async () => {
      await nav().getByRole('link', { name: 'Triggers' }).click();
      await page.getByRole('link', { name: 'Add a rule' }).click();
      await page.getByLabel('Name', { exact: true }).fill('no-drafts');
      await page.getByLabel('What it does').selectOption('deny');
      await page.getByLabel('Key begins with').fill('drafts/');
      await page.getByRole('textbox', { name: 'Tags' }).fill('state=draft');
      await expectNames();
      await refused(async () => {
        await page.getByRole('button', { name: 'Add it' }).click();
        await page
          .getByRole('alert')
          .filter({ hasText: /^trustTags: / })
          .waitFor();
      });
      await page.getByRole('textbox', { name: 'Tags' }).fill('');
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('link', { name: 'no-drafts' }).waitFor();
      await page.getByRole('textbox', { name: 'Object' }).fill('s3://uploads/drafts/a?b#c.txt');
      await page.getByRole('button', { name: 'Which rule wins?' }).click();
      await page.getByText('no-drafts wins: it would be skipped.').waitFor();
      await page.getByRole('textbox', { name: 'Object' }).fill('s3://uploads/final/a.txt');
      await page.getByRole('button', { name: 'Which rule wins?' }).click();
      await page.getByText('it would start scan_upload').waitFor();
      await page.getByText('it wants drafts/, and there is final/a.txt').waitFor();
      await picture(page, 'triggers');
    }, 60_000);

    it('change, switch off and remove it', async () => {
      await page.getByRole('link', { name: 'no-drafts' }).first().click();
      await page.getByLabel('What it does').selectOption('allow');
      await page.getByRole('button', { name: 'Give a share to another version' }).click();
      await page.getByLabel('Workflow of the share').fill('scan_upload');
      await page.getByLabel('Percent').fill('20');
      await page.getByLabel('Input').fill('{"team": "${event.tags.team}"}');
      await expectNames();
      await picture(page, 'trigger');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Version 2').waitFor();
      expect(await service.api('/api/v1/triggers/no-drafts')).toMatchObject({
        effect: 'allow',
        prefix: 'drafts/',
        shares: [{ workflow: 'scan_upload', percent: 20 }],
        input: { team: '${event.tags.team}' },
      });
      await nav().getByRole('link', { name: 'Triggers' }).click();
      await page.getByRole('button', { name: 'Switch off no-drafts' }).click();
      await page.getByRole('button', { name: 'Switch on no-drafts' }).waitFor();
      await page.getByRole('link', { name: 'no-drafts' }).click();
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Really remove' }).click();
      await page.getByRole('heading', { name: 'Trigger rules' }).waitFor();
      expect(await page.getByRole('link', { name: 'no-drafts' }).count()).toBe(0);
    }, 60_000);
  });

  describe('for schedules', () => {
    it('add one, saying when it would be due while the cron is typed', async () => {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Triggers' }).click();
      await page.getByRole('link', { name: 'Add a schedule' }).click();
      await page.getByLabel('Name').fill('month-end');
      await page.getByLabel('Does').fill('workflow');
      await page.getByLabel('Time zone').fill('Europe/Berlin');
      await refused(async () => {
        await page.getByLabel('Cron').fill('61 3 * * *');
        await page.locator('p.problem[role=status]').waitFor();
      });
      await page.getByLabel('Cron').fill('0 3 1 * *');
      await page.getByText(/Due next, in your own time: .*·/).waitFor();
      await page.getByLabel('Payload').fill('{"name": ');
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('alert').filter({ hasText: 'The payload is no JSON' }).waitFor();
      await page.getByLabel('Payload').fill('{"name": "weekly_audit_report", "input": {"reportId": "none"}}');
      await expectNames();
      await page.getByRole('button', { name: 'Add it' }).click();
      await page.getByRole('heading', { name: 'month-end' }).waitFor();
    }, 60_000);

    it('pause, resume and run it, and show what became of it', async () => {
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('button', { name: 'Pause' }).waitFor();
      expect(await page.getByText('Somebody changed it meanwhile').count()).toBe(0);
      await page.getByRole('button', { name: 'Run it now' }).click();
      await page.getByRole('row').getByText('done').waitFor();
      await picture(page, 'schedule');
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Triggers' }).click();
      await page.getByRole('link', { name: 'month-end' }).waitFor();
    }, 60_000);
  });

  describe('for the queue', () => {
    const upload = (key: string) =>
      service.s3().send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: 'nothing to see' }));

    it('pause everything, show what waits, and resume', async () => {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Queue' }).click();
      await page.getByLabel('Why everything is to stop').fill('a storm');
      await page.getByRole('button', { name: 'Pause everything' }).click();
      await page.getByText(/paused everything since .*: a storm/).waitFor();
      await upload('queued/first.txt');
      await upload('queued/second.txt');
      await page.getByLabel('State').selectOption('waiting');
      await page.getByRole('link', { name: 'uploads/queued/first.txt' }).waitFor();
      await page.getByRole('row').filter({ hasText: 'uploads, new uploads' }).getByText('paused').waitFor();
      const held = page.getByRole('row').filter({ hasText: 'queued/first.txt' });
      await held.getByText(/^with everything since .*: a storm$/).waitFor();
      await expectNames();
      await picture(page, 'queue');
      const second = page.getByRole('row').filter({ hasText: 'queued/second.txt' });
      await second.getByRole('button', { name: /^Scan soon/ }).click();
      await second.getByText('priority 90').waitFor();
      const first = page.getByRole('row').filter({ hasText: 'queued/first.txt' });
      await first.getByRole('button', { name: 'Give up' }).click();
      await first.getByRole('button', { name: 'Really give up' }).click();
      await first.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Resume everything' }).click();
      await page.getByText('None.', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Pause everything' }).waitFor();
    }, 60_000);

    it('show a dead letter with its reason, and redrive it', async () => {
      const name = 'too-much';
      await service.api('/api/v1/triggers', {
        method: 'POST',
        body: { name, prefix: 'dead/', workflow: 'scan_upload', input: { padding: 'x'.repeat(15_000) } },
      });
      await upload('dead/letter.txt');
      await page.getByLabel('State').selectOption('dead');
      const letter = page.getByRole('row').filter({ hasText: 'dead/letter.txt' });
      await letter.getByText('TOO_LARGE').waitFor();
      await letter.getByRole('button', { name: /^Redrive/ }).click();
      // Nothing was mended: it comes back.
      await page.getByRole('button', { name: 'Redrive all' }).waitFor();
      await letter.getByText('TOO_LARGE').waitFor();
    }, 60_000);

    it('show a rejected event as it was sent, and take it in again', async () => {
      const post = (bucket: string) =>
        fetch(`${service.url}/events/s3`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${service.credentials.eventsToken}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ objects: [{ bucket, key: 'x' }] }),
        });
      await post('nobodys-bucket');
      const reject = page.getByRole('row').filter({ hasText: 'unknown bucket' });
      await reject.waitFor();
      await reject.getByRole('button', { name: 'What was sent' }).click();
      await reject.getByText('nobodys-bucket').first().waitFor();
      await expectNames();
      await reject.getByRole('button', { name: 'Take it in again' }).click();
      await page.getByText(/^It still cannot be used: /).waitFor();
      await reject.getByRole('button', { name: 'Forget' }).click();
      await reject.getByRole('button', { name: 'Really forget' }).click();
      await page.getByText('None: every event could be used.').waitFor();
    }, 60_000);
  });

  describe('for backfills', () => {
    it('estimate what was there before, start it when that was seen, and show how far it is', async () => {
      const Bucket = 'older';
      await service.s3().send(new CreateBucketCommand({ Bucket }));
      for (let n = 0; n < 12; n += 1) {
        await service.s3().send(new PutObjectCommand({ Bucket, Key: `2019/${n}.txt`, Body: `object ${n}` }));
      }
      await service.api('/api/v1/buckets', {
        method: 'POST',
        body: { endpointId: 'embedded', bucket: Bucket, actionMode: 'tag' },
      });
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Backfills' }).click();
      await page.getByRole('link', { name: 'New backfill' }).click();
      await page.getByLabel('Bucket').selectOption({ label: 'older (embedded)' });
      await page.getByLabel('Keys that begin with').fill('2019/');
      await expectNames();
      await page.getByRole('button', { name: 'Estimate it' }).click();
      await page.getByRole('heading', { name: 'What it comes to' }).waitFor();
      await page.getByText('To scan').waitFor();
      await picture(page, 'backfill-estimate');
      await page.getByRole('button', { name: 'Start it' }).click();
      await page.getByText('100 %').waitFor();
      await page.getByText('completed').waitFor();
      await page.getByText('12 of 12 objects').waitFor();
      await expectNames();
      await picture(page, 'backfill');
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Backfills' }).click();
      await page.getByRole('link', { name: 'older/2019/' }).waitFor();
      await expectNames();
      await picture(page, 'backfills');
    }, 90_000);

    it('offer no start of what has nothing to scan, and show an estimate as one', async () => {
      await page.goto(`${service.url}/new/backfill`);
      await page.getByLabel('Bucket').selectOption({ label: 'older (embedded)' });
      await page.getByRole('button', { name: 'Estimate it' }).click();
      await page.getByText(/^There is nothing to scan: /).waitFor();
      await page.getByText('less than $0.01').waitFor();
      expect(await page.getByRole('button', { name: 'Start it' }).count()).toBe(0);
      // It is over with the count, so there is nothing to cancel either.
      await page.getByText('completed').waitFor();
      expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
      const body = { bucket: 'older', rescan: true, dryRun: true };
      await service.api('/api/v1/backfills', { method: 'POST', body });
      await page.goto(`${service.url}/backfills?bucket=older`);
      await page.getByText('12 objects, nothing to scan').waitFor();
      const estimate = page.getByRole('row').filter({ hasText: '12 objects, 12 to scan' });
      await estimate.getByText('only estimated').waitFor();
      await estimate.getByText('less than $0.01').waitFor();
    }, 60_000);

    it('rescan a bucket once it was seen how much that is', async () => {
      await page.goto(`${service.url}/buckets/embedded/older`);
      await page.getByText('Rescan', { exact: true }).first().click();
      await page.getByLabel('incomplete (12)').waitFor();
      await page.getByText('12 objects are scanned again.').waitFor();
      await page.getByLabel('Key begins with').fill('2019/1');
      await page.getByText('3 objects are scanned again.').waitFor();
      await page.getByLabel('incomplete').uncheck();
      await page.getByText(/^The ledger knows no object like this/).waitFor();
      expect(await page.getByRole('button', { name: 'Rescan' }).isDisabled()).toBe(true);
      await page.getByLabel('incomplete').check();
      await expectNames();
      await page.getByRole('button', { name: 'Rescan' }).click();
      await page.getByRole('button', { name: 'Really rescan 3' }).click();
      await page.getByRole('heading', { name: 'older/2019/1' }).waitFor();
      await page.getByText('3 of 3 objects').waitFor();
      await page.getByText('completed').waitFor();
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Backfills' }).click();
    }, 60_000);

    it('pause, resume and cancel one', async () => {
      await service.api('/api/v1/queue/pause', { method: 'POST', body: {} });
      await page.getByRole('link', { name: 'New backfill' }).click();
      await page.getByLabel('Bucket').selectOption({ label: 'older (embedded)' });
      await page.getByLabel('Also what has a verdict already').check();
      await page.getByRole('button', { name: 'Estimate it' }).click();
      await page.getByRole('button', { name: 'Start it' }).click();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Really cancel' }).click();
      await page.getByText('cancelled').waitFor();
      expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
      await service.api('/api/v1/queue/resume', { method: 'POST', body: {} });
    }, 60_000);
  });

  it('ran without a single script error', () => {
    expect(faults).toEqual([]);
  });
});
