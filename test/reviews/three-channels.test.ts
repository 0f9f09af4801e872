import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';
import { reviewsApp } from './app.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

const ORIGIN = 'http://127.0.0.1:8080';
const PEOPLE = 100;

/** What came of one person's click. */
interface Told {
  readonly status: number;
  readonly text: string;
}

describe('a hundred people who decide at once over the web, the API and mail', () => {
  let stage: ReviewsStage;
  let smtp: FakeSmtp;
  let app: NestFastifyApplication;
  let reviewId: string;

  beforeEach(async () => {
    stage = await reviewsStage();
    stage.reviewers.people = Array.from({ length: PEOPLE }, (_, n) => ({
      personId: `p${n}`,
      name: `Person ${n}`,
      email: `p${n}@example.com`,
    }));
    smtp = await startSmtp();
    const built = await reviewsApp(stage, {}, { smtpUrl: () => smtp.url });
    app = built.app;
    const task = stage.engine.add({ title: 'Go?', outcomes: ['approve', 'reject'] });
    await built.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
    const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review');
    reviewId = row?.id ?? '';
    await eventually(() => smtp.mails.length === PEOPLE, { what: 'a mail to each', timeoutMs: 30_000 });
  }, 60_000);
  afterEach(async () => {
    await app.close();
    await smtp.close();
    await stage.close();
  });

  const overHttp = async (n: number, method: 'session' | 'apikey'): Promise<Told> => {
    const answer = await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${reviewId}/decide`,
      headers: {
        host: '127.0.0.1:8080',
        origin: ORIGIN,
        'x-test-user': `p${n}`,
        'x-test-method': method,
      },
      payload: { outcome: n % 2 === 0 ? 'approve' : 'reject', reason: 'because' },
    });
    return { status: answer.statusCode, text: answer.body };
  };

  /** Opens the link of the person's mail; what it returns clicks. */
  const mailPage = async (n: number): Promise<() => Promise<Told>> => {
    const mail = smtp.mails.find(({ to }) => JSON.stringify(to).includes(`"p${n}@example.com"`));
    const link = /\/r\/[A-Za-z0-9_-]{43}/.exec(mail?.text ?? '')?.[0] ?? '';
    const code = /code for the decision: ([\d ]+)/.exec(mail?.text ?? '')?.[1]?.replaceAll(' ', '') ?? '';
    const followed = await app.inject({ url: link, headers: { host: '127.0.0.1:8080' } });
    const path = String(followed.headers['location']);
    const cookie = String(followed.headers['set-cookie']).split(';')[0] ?? '';
    const page = await app.inject({ url: path, headers: { host: '127.0.0.1:8080', cookie } });
    const hidden = Object.fromEntries(
      [...page.body.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    return async () => {
      const answer = await app.inject({
        method: 'POST',
        url: path,
        headers: {
          host: '127.0.0.1:8080',
          origin: ORIGIN,
          'sec-fetch-site': 'same-origin',
          cookie,
          'content-type': 'application/x-www-form-urlencoded',
        },
        payload: new URLSearchParams({
          ...hidden,
          do: n % 2 === 0 ? 'decide:approve' : 'decide:reject',
          code,
          reason: 'because',
        }).toString(),
      });
      // The mail's page says by a redirect to itself that it is over, and then by whom.
      if (answer.statusCode !== 303) return { status: answer.statusCode, text: answer.body };
      const after = await app.inject({ url: path, headers: { host: '127.0.0.1:8080', cookie } });
      return { status: answer.statusCode, text: after.body };
    };
  };

  it('make one decision, the ninety-nine others are told whose, and the workflow goes on once', async () => {
    const pages = new Map<number, () => Promise<Told>>();
    for (let n = 2; n < PEOPLE; n += 3) pages.set(n, await mailPage(n));
    const told = await Promise.all(
      Array.from({ length: PEOPLE }, (_, n) => {
        const click = pages.get(n);
        return click?.() ?? overHttp(n, n % 3 === 0 ? 'session' : 'apikey');
      }),
    );

    const review = await stage.reviews.get(reviewId);
    expect(review.state).toBe('COMPLETED');
    const winner = review.decision?.by;
    expect(review.votes).toHaveLength(1);
    expect(['web', 'api', 'mail']).toContain(review.decision?.via);
    const others = told.filter((_, n) => `p${n}` !== winner?.id);
    expect(others).toHaveLength(PEOPLE - 1);
    for (const { status, text } of others) {
      expect([303, 409]).toContain(status);
      expect(text).toContain(winner?.name);
    }
    expect(told.filter(({ status }) => status === 201 || status === 200).length).toBeLessThanOrEqual(1);
    const decided = await stage.db.query(`SELECT 1 FROM review_event WHERE kind = 'decided'`);
    expect(decided).toHaveLength(1);
    await eventually(() => stage.engine.updates.length === 1);
    expect(stage.engine.updates).toHaveLength(1);
  }, 60_000);
});
