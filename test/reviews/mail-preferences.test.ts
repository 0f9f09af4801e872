import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wanting } from '../../src/reviews/channels/mail/preferences/wanted.js';
import type { Telling } from '../../src/reviews/channels/channel.js';
import { MailChannel } from '../../src/reviews/channels/mail/mail.channel.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { eventually } from '../support/eventually.js';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';
import { reviewsApp } from './app.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

const ORIGIN = 'http://127.0.0.1:8080';

describe('less mail', () => {
  let stage: ReviewsStage;
  let smtp: FakeSmtp;
  let app: NestFastifyApplication;
  beforeEach(async () => {
    stage = await reviewsStage(() => [new MailChannel({ REVIEW_TO: [] })]);
    smtp = await startSmtp();
    ({ app } = await reviewsApp(stage, { ROLES: 'api,notify' }, { smtpUrl: () => smtp.url }));
  });
  afterEach(async () => {
    await app.close();
    await smtp.close();
    await stage.close();
  });

  const call = (method: 'GET' | 'PUT' | 'POST', url: string, as?: string, payload?: object, more = {}) =>
    app.inject({
      method,
      url,
      headers: {
        host: '127.0.0.1:8080',
        origin: ORIGIN,
        ...(as === undefined ? {} : { 'x-test-user': as }),
        ...more,
      },
      ...(payload === undefined ? {} : { payload }),
    });
  const wants = (who: string, reviews: string) => call('PUT', '/api/v1/me/mail', who, { reviews });
  /** Who was mailed of what was opened last. */
  const mailedOf = async (input: JsonObject): Promise<string[]> => {
    const { id } = await stage.open(input);
    const rows = await stage.db.query<{ email: string }>(
      `SELECT payload->>'email' AS email FROM outbox WHERE kind = 'review.mail' AND payload->>'reviewId' = $1 ORDER BY 1`,
      [id],
    );
    return rows.map(({ email }) => email);
  };

  it('leaves out questions for everybody, and brings those that name the person or are given to them', async () => {
    expect((await wants('bob', 'mine')).statusCode).toBe(200);
    expect((await call('GET', '/api/v1/me/mail', 'bob')).json()).toEqual({ reviews: 'mine' });
    expect(await mailedOf({})).toEqual(['alice@example.com']);
    expect(await mailedOf({ assign: { to: ['user:Bob', 'user:Alice'] } })).toEqual([
      'alice@example.com',
      'bob@example.com',
    ]);
    await wants('bob', 'all');
    expect(await mailedOf({})).toEqual(['alice@example.com', 'bob@example.com']);
    const audited = await stage.db.query<{ data: object }>(
      `SELECT data FROM audit_event WHERE action = 'mail.preference' ORDER BY id`,
    );
    expect(audited.map(({ data }) => data)).toEqual([{ reviews: 'mine' }, { reviews: 'all' }]);
  });

  it('leaves no question without anybody who hears of it', async () => {
    await wants('alice', 'mine');
    await wants('bob', 'mine');
    expect(await mailedOf({})).toEqual(['alice@example.com', 'bob@example.com']);
  });

  it('is asked for by one click in a digest, by POST alone, and undone by whoever logs in', async () => {
    for (let n = 0; n < 5; n++) await stage.open({ reminders: ['1h'] });
    stage.clock.advance(3_600_000);
    await stage.timekeeper.tick();
    const digest = await eventually(() =>
      smtp.mails.find(
        (mail) => mail.subject?.includes('5 reviews wait') && JSON.stringify(mail.to).includes('bob@'),
      ),
    );
    const header = digest.headerLines.find(({ key }) => key === 'list-unsubscribe')?.line ?? '';
    expect(digest.headerLines.find(({ key }) => key === 'list-unsubscribe-post')?.line).toBe(
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    );
    const path = new URL(/<([^>]+)>/.exec(header.replaceAll(/\s+/g, ''))?.[1] ?? '').pathname;
    for (let n = 0; n < 3; n++) expect((await call('GET', path)).statusCode).toBe(200);
    expect((await call('GET', '/api/v1/me/mail', 'bob')).json()).toEqual({ reviews: 'all' });
    // As a mail program posts it: no cookie, no origin, a body of its own.
    const clicked = await app.inject({
      method: 'POST',
      url: path,
      headers: { host: '127.0.0.1:8080', 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'List-Unsubscribe=One-Click',
    });
    expect(clicked.statusCode).toBe(200);
    expect((await call('GET', '/api/v1/me/mail', 'bob')).json()).toEqual({ reviews: 'mine' });
    expect((await call('GET', '/api/v1/me/mail', 'alice')).json()).toEqual({ reviews: 'all' });
  });

  it('is for people alone, by their own link', async () => {
    expect(
      (await call('GET', '/api/v1/me/mail', 'key', undefined, { 'x-test-method': 'apikey' })).statusCode,
    ).toBe(403);
    for (const token of ['alice.guessed', 'alice', '.', '%00', 'a'.repeat(3000)])
      expect([400, 404, 414]).toContain((await call('POST', `/u/${token}`)).statusCode);
    expect((await wants('bob', 'none')).statusCode).toBe(400);
  });
});

it('of those who are asked somebody is always told, and everybody who wants all', async () => {
  const stage = await reviewsStage();
  const review = await stage.open({});
  await stage.close();
  const people = fc.uniqueArray(
    fc.record({
      personId: fc.string({ minLength: 1, maxLength: 8 }),
      name: fc.constant('N'),
      mail: fc.constantFrom('mine' as const, undefined),
    }),
    { selector: ({ personId }) => personId, maxLength: 6 },
  );
  const telling = fc.constantFrom<Telling>(
    { kind: 'opened' },
    { kind: 'reminder', step: 0 },
    { kind: 'assigned', version: 1 },
  );
  fc.assert(
    fc.property(people, telling, (asked, what) => {
      const told = wanting(review, what, asked);
      expect(told.length === 0).toBe(asked.length === 0);
      expect(asked).toEqual(expect.arrayContaining([...told]));
      for (const one of asked) if (one.mail === undefined) expect(told).toContain(one);
    }),
  );
});
