import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FormBrowser, hiddenFields } from '../support/form-browser.js';
import { ServiceProcess } from '../support/service-process.js';
import { buttonsOf, FakeSlack, textOf, type FakeMessage } from '../support/slack/fake-slack.js';
import { uploadNumber, type Upload } from '../support/uploads.js';

const APPROVE = 'review.decide:release';
const REJECT = 'review.decide:delete';

interface Waiting {
  readonly reviewId: string;
  readonly workflowId: string;
  readonly key: string;
}

interface ReviewRow {
  readonly state: string;
  readonly decision?: { readonly outcome: string; readonly via: string; readonly reason: string };
}

describe('one review in all its channels', () => {
  let folder: string;
  let slack: FakeSlack;
  let service: ServiceProcess;
  let infected: Waiting;
  let secrets: Waiting;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-channels-'));
    // The service makes its home inside, with the rights that it wants.
    chmodSync(folder, 0o711);
    slack = await FakeSlack.start();
    service = await ServiceProcess.on(join(folder, 'home'), {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    });
    await service.start();
    await eventually(() => slack.connections === 1, { timeoutMs: 15_000, what: 'connected to Slack' });
    [infected, secrets] = await Promise.all([waiting(uploadNumber(3)), waiting(uploadNumber(7))]);
  }, 60_000);

  afterAll(async () => {
    await service.stop();
    await slack.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Uploads it and waits until a person is asked about it. */
  async function waiting({ key, body, verdict }: Upload): Promise<Waiting> {
    const s3 = service.s3();
    await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
    s3.destroy();
    return eventually(
      async () => {
        const { items } = await service.api<{
          items: { verdict: string; workflowId: string; openReviewId: string | null }[];
        }>(`/api/v1/objects?key=${encodeURIComponent(key)}`);
        const row = items.find((item) => item.verdict === verdict && item.openReviewId !== null);
        return row?.openReviewId == null
          ? undefined
          : { key, reviewId: row.openReviewId, workflowId: row.workflowId };
      },
      { timeoutMs: 30_000, what: `a review of ${key}` },
    );
  }

  const review = ({ reviewId }: Waiting) => service.api<ReviewRow>(`/api/v1/reviews/${reviewId}`);

  const messageOf = ({ reviewId }: Waiting): Promise<FakeMessage> =>
    eventually(() => slack.messages.find(({ metadata }) => JSON.stringify(metadata).includes(reviewId)), {
      timeoutMs: 15_000,
      what: 'its message in Slack',
    });

  /** Link and code of the mail about a review. */
  const mailOf = ({ reviewId }: Waiting): Promise<{ path: string; code: string }> =>
    eventually(
      async () => {
        const { items } = await service.api<{ items: { id: string }[] }>('/api/v1/mailbox');
        for (const { id } of items) {
          const { text } = await service.api<{ text: string }>(`/api/v1/mailbox/${id}`);
          if (!text.includes(reviewId)) continue;
          const path = /https?:\/\/[^/\s]+(\/r\/[A-Za-z0-9_-]{43})/.exec(text)?.[1];
          const code = /code for the decision: ([\d ]+)/.exec(text)?.[1]?.replaceAll(' ', '');
          if (path !== undefined && code !== undefined) return { path, code };
        }
        return undefined;
      },
      { timeoutMs: 15_000, what: 'its mail' },
    );

  async function openMail(waits: Waiting) {
    const { path, code } = await mailOf(waits);
    const browser = new FormBrowser(service.url);
    const page = (await browser.get(path)).location;
    const { status, html } = await browser.get(page);
    expect(status).toBe(200);
    return { browser, page, code, html, hidden: hiddenFields(html) };
  }

  const finished = ({ workflowId }: Waiting): Promise<unknown> =>
    eventually(
      async () =>
        (await service.api<{ status: string }>(`/api/v1/executions/${workflowId}`)).status === 'COMPLETED',
      { timeoutMs: 20_000, what: 'its workflow ends' },
    );

  const locked = (message: FakeMessage): Promise<unknown> =>
    eventually(() => buttonsOf(message.blocks).every((button) => button['url'] !== undefined), {
      timeoutMs: 15_000,
      what: 'no button that decides is left in Slack',
    });

  it('is decided on the page behind the mail, which ends its workflow and locks Slack and the web', async () => {
    const message = await messageOf(infected);
    const { browser, page, code, hidden } = await openMail(infected);
    expect((await review(infected)).state).toBe('OPEN');
    const wrong = code === '00000000' ? '11111111' : '00000000';
    const refused = await browser.post(page, { ...hidden, do: 'decide:delete', code: wrong, reason: '' });
    expect(refused.status).toBe(403);
    expect((await review(infected)).state).toBe('OPEN');

    const done = await browser.post(page, { ...hidden, do: 'decide:delete', code, reason: 'known bad' });
    expect(done.status).toBe(303);
    expect((await browser.get(page)).html).toMatch(/Decided: <strong>Delete<\/strong>/);
    expect(await review(infected)).toMatchObject({
      state: 'COMPLETED',
      decision: { outcome: 'delete', via: 'mail', reason: 'known bad' },
    });
    await finished(infected);
    await locked(message);
    await expect(
      service.api(`/api/v1/reviews/${infected.reviewId}/decide`, {
        method: 'POST',
        body: { outcome: 'release', reason: 'too late' },
      }),
    ).rejects.toThrow(/ 409 .*Delete/);
  }, 40_000);

  it('is not decided by a Slack account that nobody linked', async () => {
    const message = await messageOf(secrets);
    const stranger = { id: 'U0NOBODY', name: 'nobody' };
    for (const action of [APPROVE, REJECT, 'review.claim']) await slack.click(message, action, stranger);
    await eventually(() => slack.whispers.filter(({ user }) => user === stranger.id).length === 3, {
      what: 'the stranger is told so',
    });
    expect(slack.views.has(stranger.id)).toBe(false);
    expect((await review(secrets)).state).toBe('OPEN');
  }, 20_000);

  it('is decided in Slack by whoever linked the account while signed in, which ends its workflow and locks the mail', async () => {
    const message = await messageOf(secrets);
    const mail = await openMail(secrets);
    const admin = { id: 'U0ADMIN', name: 'admin' };
    await slack.click(message, APPROVE, admin);
    const whisper = await eventually(() => slack.whispers.find(({ user }) => user === admin.id));
    const link = new URL(String(buttonsOf(whisper.blocks)[0]?.['url']));
    const stranger = new FormBrowser(service.url);
    const { location } = await stranger.get(link.pathname + link.search);
    expect(location).not.toContain('token');
    // To the login first, and nothing of the account is shown before it.
    expect(await stranger.get(location)).toMatchObject({
      status: 303,
      location: '/link-slack',
    });

    const browser = new FormBrowser(service.url);
    await browser.logIn(service.credentials.admin);
    const asked = await browser.get((await browser.get(link.pathname + link.search)).location);
    expect(asked.html).toContain('U0ADMIN');
    expect((await browser.post(link.pathname, hiddenFields(asked.html))).status).toBe(200);

    await slack.click(message, APPROVE, admin);
    await eventually(() => slack.views.has(admin.id), { what: 'the form opens' });
    expect((await review(secrets)).state).toBe('OPEN');
    expect(await slack.submit(admin, { reason: { text: 'a test key' } })).toEqual({});
    expect(await review(secrets)).toMatchObject({
      state: 'COMPLETED',
      decision: { outcome: 'release', via: 'slack', reason: 'a test key' },
    });
    await finished(secrets);
    await locked(message);
    expect(textOf(message.blocks)).toMatch(/Release: decided by admin/);

    const { browser: late, page, code, hidden } = mail;
    await late.post(page, { ...hidden, do: 'decide:delete', code, reason: '' });
    const { html } = await late.get(page);
    expect(html).toMatch(/Decided: <strong>Release<\/strong>, by admin/);
    expect(html).not.toContain('<form');
    expect((await review(secrets)).decision?.outcome).toBe('release');
  }, 40_000);
});
