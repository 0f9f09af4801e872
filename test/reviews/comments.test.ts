import * as fc from 'fast-check';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_MENTIONS, mentionsIn } from '../../src/reviews/comments/mentions.js';
import { ReviewNewsHandler } from '../../src/reviews/channels/mail/review-news.handler.js';
import type { ReviewDetail } from '../../src/reviews/review.view.js';
import type { Review } from '../../src/reviews/review.js';
import { eventually } from '../support/eventually.js';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';
import { reviewsApp } from './app.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';
import { audited } from '../support/audit.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
let smtp: FakeSmtp;
let review: Review;
beforeEach(async () => {
  smtp = await startSmtp();
  stage = await reviewsStage();
  stage.reviewers.people = [
    { personId: 'alice', name: 'Alice', login: 'alice', email: 'alice@example.com' },
    { personId: 'bob', name: 'Bob', login: 'bob.b', email: 'bob@example.com' },
    { personId: 'dora', name: 'Dora', login: 'dora' },
    { personId: 'carl', name: 'Carl', login: 'carl', email: 'carl@example.com', queues: ['quarantine'] },
  ];
  stage.readers.more.push({
    id: 'otto',
    login: 'otto',
    name: 'Otto',
    email: 'otto@example.com',
    groups: [],
  });
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }, { smtpUrl: () => smtp.url }));
  review = await stage.open();
});
afterEach(async () => {
  await app.close();
  await stage.close();
  await smtp.close();
});

async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, as = 'alice', payload?: object) {
  const response = await app.inject({
    method,
    url: `/api/v1/reviews/${review.id}${path}`,
    headers: { 'x-test-user': as },
    ...(payload === undefined ? {} : { payload }),
  });
  const body = response.json<ReviewDetail & { winner?: object; version?: number }>();
  return { status: response.statusCode, body };
}
const news = async (): Promise<{ readonly to: string; readonly what: string }[]> => {
  const rows = await stage.db.query<{ to: string; what: string }>(
    `SELECT payload->>'personId' AS to, payload#>>'{news,what}' AS what FROM outbox
      WHERE kind = 'review.news' ORDER BY id`,
  );
  return rows;
};
const commentOf = (body: ReviewDetail): string => {
  const data = body.timeline.findLast(({ kind }) => kind === 'commented')?.data;
  return String(data?.['comment']);
};

describe('a comment', () => {
  it('is by its author as people call them, not by their login, on whichever way it is written', async () => {
    const { body } = await call('POST', '/comment', 'bob', { text: 'Mine' });
    const edit = { text: 'Mine, changed', version: 1 };
    const edited = await call('PUT', `/comments/${commentOf(body)}`, 'bob', edit);
    expect(edited.body.timeline.slice(-2).map(({ by }) => by)).toMatchObject([
      { id: 'bob', name: 'Bob' },
      { id: 'bob', name: 'Bob' },
    ]);
    const other = await call('PUT', `/comments/${commentOf(body)}`, 'alice', { ...edit, version: 2 });
    expect(JSON.stringify(other.body)).toContain("This comment is Bob's");
  });

  it('tells whoever it mentions and may see the review, and says of each name whether it did', async () => {
    const text = '@bob.b and @otto, please look. (@dora @carl @nobody) @bob.b alice@example.com @alice';
    const { body } = await call('POST', '/comment', 'alice', { text });
    expect(body.timeline.at(-1)?.data['mentions']).toEqual([
      { name: 'bob.b', told: 'mail' },
      { name: 'otto', told: 'mail' },
      { name: 'dora', told: 'no_address' },
      { name: 'carl', told: 'nobody' },
      { name: 'nobody', told: 'nobody' },
      { name: 'alice', told: 'self' },
    ]);
    expect(await news()).toEqual([
      { to: 'bob', what: 'mentioned' },
      { to: 'otto', what: 'mentioned' },
    ]);
  });

  it('is changed by its author alone, over the version that they saw, and keeps its history', async () => {
    const { body } = await call('POST', '/comment', 'alice', { text: 'Ask @bob.b' });
    const path = `/comments/${commentOf(body)}`;
    const edit = { text: 'Ask @bob.b or @otto', version: 1 };
    expect((await call('PUT', path, 'bob', edit)).status).toBe(403);
    const changed = await call('PUT', path, 'alice', edit);
    expect(changed.body.timeline.slice(-2).map(({ kind, data }) => [kind, data['text']])).toEqual([
      ['commented', 'Ask @bob.b'],
      ['comment_edited', 'Ask @bob.b or @otto'],
    ]);
    // Bob was told the first time.
    expect((await news()).map(({ to }) => to)).toEqual(['bob', 'otto']);
    const late = await call('PUT', path, 'alice', { text: 'something else', version: 1 });
    expect(late).toMatchObject({ status: 409, body: { version: 2, winner: { id: 'alice' } } });
    expect((await call('PUT', '/comments/11111111-1111-4111-8111-111111111111', 'alice', edit)).status).toBe(
      404,
    );
    const told = (await audited(stage.db)).filter(({ action }) => action.startsWith('review.comment'));
    expect(told.map(({ data }) => data['text'])).toEqual(['Ask @bob.b', 'Ask @bob.b or @otto']);
  });

  it('of two changes at once takes one, and tells the other', async () => {
    const { body } = await call('POST', '/comment', 'alice', { text: 'first' });
    const path = `/comments/${commentOf(body)}`;
    const both = await Promise.all(
      ['left', 'right'].map((text) => call('PUT', path, 'alice', { text, version: 1 })),
    );
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it('names people by their login, in whatever text, and no more than twenty', () => {
    expect(mentionsIn('@a.b. x@y.z (@c-d), "@E" @e @')).toEqual(['a.b', 'c-d', 'e']);
    expect(mentionsIn(Array.from({ length: 50 }, (_, n) => `@p${n}`).join(' '))).toHaveLength(MAX_MENTIONS);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        for (const name of mentionsIn(text)) expect(text.toLowerCase()).toContain(name.toLowerCase());
      }),
    );
  });
});

describe('a question back', () => {
  it('tells whoever it names, and its answer whoever that names, with the words themselves', async () => {
    const question = '@bob.b, is it\n<b>ours</b>? (@nobody)';
    const asked = await call('POST', '/ask', 'alice', { question });
    expect(asked.body.timeline.at(-1)).toMatchObject({
      kind: 'asked',
      data: {
        question,
        mentions: [
          { name: 'bob.b', told: 'mail' },
          { name: 'nobody', told: 'nobody' },
        ],
      },
    });
    const { body } = await call('POST', '/answer', 'bob', { text: 'Ask @otto, @alice' });
    expect(body.timeline.at(-1)?.data['mentions']).toEqual([
      { name: 'otto', told: 'mail' },
      { name: 'alice', told: 'mail' },
    ]);
    expect((await news()).map(({ to }) => to)).toEqual(['bob', 'otto', 'alice']);
    stage.deliver(app.get(ReviewNewsHandler, { strict: false }));
    await eventually(() => smtp.mails.length === 3, { what: 'three mails' });
    const to = (address: string) => smtp.mails.find((mail) => JSON.stringify(mail.to).includes(address));
    expect(to('bob@example.com')?.text).toContain(
      'Alice asks, and names you. The review waits for the answer.',
    );
    expect(to('bob@example.com')?.text).toContain('> [@]bob[.]b, is it\n> <b>ours</b>?');
    expect(to('bob@example.com')?.html).toContain('is it<br>&lt;b&gt;ours&lt;/b&gt;?');
    expect(to('otto@example.com')?.text).toContain('Bob answered a question, and names you.');
  });
});

describe('whoever watches a review', () => {
  it('hears of what others do and write, once each, and no more when they look away', async () => {
    const { body } = await call('PUT', '/watch', 'bob');
    expect(body.watchers).toEqual([{ id: 'bob', name: 'Bob' }]);
    await call('PUT', '/watch', 'bob');
    await call('POST', '/claim', 'alice', {});
    await call('POST', '/comment', 'alice', { text: 'looking' });
    await call('POST', '/comment', 'bob', { text: 'my own' });
    expect(await news()).toEqual([
      { to: 'bob', what: 'claimed' },
      { to: 'bob', what: 'commented' },
    ]);
    expect((await call('DELETE', '/watch', 'bob')).body.watchers).toEqual([]);
    await call('POST', '/decide', 'alice', { outcome: 'delete' });
    expect(await news()).toHaveLength(2);
    const told = await stage.db.query(
      `SELECT action FROM audit_event WHERE action LIKE 'review.%watched' ORDER BY id`,
    );
    expect(told.map(({ action }) => action)).toEqual(['review.watched', 'review.unwatched']);
  });

  it('gets a mail that asks nothing; whoever may see it no more gets none', async () => {
    await call('PUT', '/watch', 'bob');
    await call('PUT', '/watch', 'carl');
    await stage.reviews.act(
      review.id,
      { kind: 'decide', outcome: 'release', reason: '<b>a test</b> http://evil.example' },
      person('alice'),
    );
    stage.deliver(app.get(ReviewNewsHandler, { strict: false }));
    const mail = await eventually(() => smtp.mails[0], { what: 'a mail' });
    expect(JSON.stringify(mail.to)).toContain('bob@example.com');
    expect(mail.text).toContain('Alice: decided. You watch this review.');
    expect(mail.text).not.toContain('http://evil.example');
    expect(mail.html).not.toContain('<b>a test</b>');
    expect(mail.html).not.toContain('/r/');
    await eventually(
      async () =>
        (await stage.db.query(`SELECT 1 FROM outbox WHERE kind = 'review.news' AND state = 'sent'`))
          .length === 2 || undefined,
      { what: 'both are dealt with' },
    );
    expect(smtp.mails).toHaveLength(1);
  });

  it('is one of a hundred at most', async () => {
    await stage.db.query(
      `INSERT INTO review_watcher SELECT $1, 'p' || n, 'P', 1 FROM generate_series(1, 100) n`,
      [review.id],
    );
    expect((await call('PUT', '/watch', 'bob')).status).toBe(409);
  });
});
