import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../src/errors.js';
import { AskUploader } from '../../src/reviews/ask-uploader/ask-uploader.service.js';
import type { Review } from '../../src/reviews/review.js';
import type { ReviewDetail } from '../../src/reviews/review.view.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';
import { reviewsApp } from './app.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';
import { HOST, Visitor } from './visitor.js';

const HOUR = 3_600_000;
const PRINCIPAL = 'AWS:AIDAEXAMPLE';
const alice = person('alice');

let stage: ReviewsStage;
let smtp: FakeSmtp;
let app: NestFastifyApplication;
let questions: AskUploader;
beforeEach(async () => {
  stage = await reviewsStage();
  smtp = await startSmtp();
  ({ app } = await reviewsApp(
    stage,
    { ROLES: 'api,notify', UPLOADER_MAIL_DOMAINS: 'Partner.example' },
    { smtpUrl: () => smtp.url },
  ));
  questions = app.get(AskUploader, { strict: false });
  const subject = exampleSubject();
  if (subject.object !== undefined)
    stage.evidence.subject = { ...subject, object: { ...subject.object, uploader: PRINCIPAL } };
  stage.accounts.more = [
    { id: 'ursula', login: 'ursula', name: 'Ursula', email: 'ursula@example.com', disabled: false },
  ];
});
afterEach(async () => {
  await app.close();
  await smtp.close();
  await stage.close();
});

const isUrsula = () =>
  stage.uploaders.add({ principal: PRINCIPAL, kind: 'user', target: 'ursula', note: '' }, 'user:root');
const ask = (id: string, payload: object = { question: 'Is this <b>yours</b>?\nWhy?' }) =>
  app.inject({
    method: 'POST',
    url: `/api/v1/reviews/${id}/ask-uploader`,
    headers: { ...HOST, 'x-test-user': 'alice' },
    payload,
  });
const mailTo = async (address: string, nth = 0) => {
  const mail = await eventually(
    () => smtp.mails.filter((one) => JSON.stringify(one.to).includes(address))[nth],
    { what: `mail to ${address}` },
  );
  const text = mail.text ?? '';
  return {
    text,
    link: /http:\/\/\S+\/q\/[A-Za-z0-9_-]{43}/.exec(text)?.[0] ?? '',
    code: /code for the answer: ([\d ]+)/.exec(text)?.[1]?.replaceAll(' ', '') ?? '',
  };
};
const timeline = async ({ id }: Review) =>
  (await reviewTimeline(stage.db, id)).map(({ kind, data, by }) => ({ kind, data, by: by.name }));
const stateOf = async ({ id }: Review) => (await stage.reviews.get(id)).state;
const answer = async (
  mail: { link: string; code: string },
  text = 'Yes: a test file.',
  visitor = new Visitor(app),
) => {
  const { path, hidden } = await visitor.open(mail.link);
  return visitor.post(path, { ...hidden, answer: text, code: mail.code });
};

describe('a question to the uploader', () => {
  it('goes by mail to the person behind the event’s principal; the review waits, and their answer is in its timeline', async () => {
    await isUrsula();
    const review = await stage.open();
    expect((await ask(review.id)).json()).toMatchObject({
      state: 'INFO_REQUESTED',
      info: { question: 'Is this <b>yours</b>?\nWhy?' },
    });
    const mail = await mailTo('ursula@example.com');
    expect(mail.text).toContain('> Is this <b>yours</b>?');
    // Nothing of what was found leaves for who is no reviewer.
    expect(mail.text).not.toContain('AKIA');
    expect(mail.text).not.toContain('AWS access key');
    expect((await answer(mail)).statusCode).toBe(303);
    expect(await stateOf(review)).toBe('OPEN');
    const events = await timeline(review);
    expect(events).toContainEqual({
      kind: 'answered',
      by: 'Ursula',
      data: { question: 'Is this <b>yours</b>?\nWhy?', answer: 'Yes: a test file.' },
    });
    expect(events.find(({ kind }) => kind === 'uploader_asked')?.data).toMatchObject({
      to: { name: 'Ursula' },
      isConfirmed: true,
    });
    expect(JSON.stringify(events)).not.toContain('ursula@example.com');
  });

  it('is changed by nothing but the form: a scanner that opens every link, and posts it, answers nothing', async () => {
    await isUrsula();
    const review = await stage.open();
    await ask(review.id);
    const mail = await mailTo('ursula@example.com');
    for (let time = 0; time < 3; time++) {
      const scanner = new Visitor(app);
      const { path, page, hidden } = await scanner.open(mail.link);
      expect(page.statusCode).toBe(200);
      expect(page.body).toContain('Is this &lt;b&gt;yours&lt;/b&gt;?');
      expect((await scanner.post(path, hidden)).statusCode).toBe(400);
      expect((await scanner.post(path, { answer: 'x', code: mail.code })).statusCode).toBe(403);
    }
    expect((await new Visitor(app).post('/q/v/0d2f5f0e-0000-4000-8000-000000000001', {})).statusCode).toBe(
      403,
    );
    expect(await stateOf(review)).toBe('INFO_REQUESTED');
    expect((await answer(mail)).statusCode).toBe(303);
    expect(await stateOf(review)).toBe('OPEN');
  });

  it('is answered once: of ten at once one is kept, and the page says so ever after', async () => {
    await isUrsula();
    const review = await stage.open();
    await ask(review.id);
    const mail = await mailTo('ursula@example.com');
    const visitors = Array.from({ length: 10 }, () => new Visitor(app));
    await Promise.all(visitors.map((visitor, n) => answer(mail, `answer ${n}`, visitor)));
    expect((await timeline(review)).filter(({ kind }) => kind === 'answered')).toHaveLength(1);
    const { page } = await new Visitor(app).open(mail.link);
    expect(page.body).toContain('your answer is kept');
    expect(page.body).not.toContain('<textarea');
  });

  it('needs the code from the mail, and locks after five wrong ones', async () => {
    await isUrsula();
    const review = await stage.open();
    await ask(review.id);
    const mail = await mailTo('ursula@example.com');
    for (let time = 0; time < 5; time++)
      expect((await answer({ ...mail, code: '00000001' })).statusCode).toBe(403);
    expect((await answer(mail)).body).toContain('locked');
    expect(await stateOf(review)).toBe('INFO_REQUESTED');
  });

  it('that nobody answers in time is noted, once, and the review goes on', async () => {
    await isUrsula();
    const review = await stage.open({ deadline: '2d', holdStopsClock: true });
    await ask(review.id, { question: 'Yours?', answerWithinMinutes: 60 });
    const mail = await mailTo('ursula@example.com');
    expect(await questions.sweep()).toBe(0);
    stage.clock.advance(HOUR);
    await Promise.all([questions.sweep(), questions.sweep()]);
    expect(await questions.sweep()).toBe(0);
    expect(await stateOf(review)).toBe('OPEN');
    const events = await timeline(review);
    expect(events.filter(({ kind }) => kind === 'uploader_silent')).toHaveLength(1);
    // The wait moved the deadline, as its policy says.
    expect((await stage.reviews.get(review.id)).dueAt).toBe((review.dueAt ?? 0) + HOUR);
    expect((await new Visitor(app).get(new URL(mail.link).pathname)).statusCode).toBe(404);
    // And may be asked again.
    expect((await ask(review.id)).statusCode).toBe(200);
  });

  it('is one at a time, and an answer after the review went on is kept beside it', async () => {
    await isUrsula();
    const review = await stage.open();
    await ask(review.id);
    expect((await ask(review.id, { question: 'And this?' })).statusCode).toBe(409);
    const mail = await mailTo('ursula@example.com');
    await stage.reviews.act(review.id, { kind: 'resume' }, alice);
    // Another question by somebody else: the uploader's answer is none to that.
    await stage.reviews.act(review.id, { kind: 'ask', question: 'What says legal?' }, person('bob'));
    expect((await answer(mail, 'late')).statusCode).toBe(303);
    expect(await stateOf(review)).toBe('INFO_REQUESTED');
    expect((await timeline(review)).find(({ kind }) => kind === 'answered')).toMatchObject({
      data: { answer: 'late' },
    });
  });

  it('about a review that was decided meanwhile changes nothing, and says so', async () => {
    await isUrsula();
    const review = await stage.open();
    await ask(review.id);
    const mail = await mailTo('ursula@example.com');
    await stage.reviews.act(review.id, { kind: 'resume' }, alice);
    await stage.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: 'bad' }, alice);
    const late = await answer(mail);
    expect(late.statusCode).toBe(409);
    expect(late.body).toContain('decided without your answer');
    stage.clock.advance(100 * HOUR);
    await questions.sweep();
    expect((await timeline(review)).map(({ kind }) => kind)).not.toContain('uploader_silent');
  });

  it('is shown as unconfirmed where only the names agree', async () => {
    const review = await stage.open();
    await stage.db.query(
      `UPDATE review SET subject = jsonb_set(subject::jsonb, '{object,uploader}', '"AWS:AROAEXAMPLEID:ursula"')::json`,
    );
    expect((await ask(review.id)).statusCode).toBe(200);
    expect((await timeline(review)).find(({ kind }) => kind === 'uploader_asked')?.data).toMatchObject({
      isConfirmed: false,
    });
  });

  it('to somebody without an account goes only to domains that the operator allows', async () => {
    const review = await stage.open();
    const mapped = await stage.uploaders.add(
      { principal: PRINCIPAL, kind: 'mail', target: 'eve@elsewhere.example', note: '' },
      'user:root',
    );
    const refused = await ask(review.id);
    expect(refused.statusCode).toBe(409);
    expect(refused.body).toContain('UPLOADER_MAIL_DOMAINS');
    expect(await stateOf(review)).toBe('OPEN');
    await stage.uploaders.remove(mapped.id, 'user:root');
    await stage.uploaders.add(
      { principal: PRINCIPAL, kind: 'mail', target: 'pat@partner.example', note: '' },
      'user:root',
    );
    expect((await ask(review.id)).statusCode).toBe(200);
    expect((await answer(await mailTo('pat@partner.example'))).statusCode).toBe(303);
    expect((await timeline(review)).at(-1)).toMatchObject({ kind: 'answered', by: 'pat@partner.example' });
  });

  it('has nobody to go to where the uploader is unknown, a machine or disabled, and says what mends it', async () => {
    const review = await stage.open();
    expect((await ask(review.id)).body).toContain('uploader-identities');
    // The page says so before anybody writes a question.
    const shown = async () =>
      (
        await app.inject({
          url: `/api/v1/reviews/${review.id}`,
          headers: { ...HOST, 'x-test-user': 'alice' },
        })
      ).json<ReviewDetail>().uploaderNotAsked;
    expect(await shown()).toContain('uploader-identities');
    const machine = await stage.uploaders.add(
      { principal: PRINCIPAL, kind: 'service', target: '', note: '' },
      'user:root',
    );
    expect((await ask(review.id)).body).toContain('machine');
    await stage.uploaders.remove(machine.id, 'user:root');
    await isUrsula();
    expect(await shown()).toBeNull();
    stage.accounts.more = stage.accounts.more.map((one) => ({ ...one, disabled: true }));
    await expect(questions.ask(review, 'Yours?', HOUR, alice)).rejects.toThrow(Conflict);
    expect(await stateOf(review)).toBe('OPEN');
    for (const payload of [{}, { question: ' ' }, { question: 'x', answerWithinMinutes: 1 }])
      expect((await ask(review.id, payload)).statusCode).toBe(400);
  });

  it('leaves neither link nor code in the database', async () => {
    await isUrsula();
    const review = await stage.open();
    await ask(review.id);
    const { link, code } = await mailTo('ursula@example.com');
    const token = link.slice(-43);
    const [row] = await stage.db.query<{ all: string }>(
      `SELECT concat((SELECT json_agg(q) FROM uploader_question q), (SELECT json_agg(l) FROM uploader_question_link l),
              (SELECT json_agg(o) FROM outbox o)) AS all`,
    );
    expect(row?.all).not.toContain(token);
    expect(row?.all).not.toContain(code);
  });
});
