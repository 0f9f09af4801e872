import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { eventually } from '../support/eventually.js';
import { reviewsApp } from './app.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';
import { HOST, Visitor } from './visitor.js';

describe('the page behind a mail', () => {
  let stage: ReviewsStage;
  let smtp: FakeSmtp;
  let app: NestFastifyApplication;
  let openReview: (input?: JsonObject) => Promise<string>;

  beforeEach(async () => {
    stage = await reviewsStage();
    smtp = await startSmtp();
    const built = await reviewsApp(stage, {}, { smtpUrl: () => smtp.url });
    app = built.app;
    openReview = async (input = {}) => {
      const task = stage.engine.add({
        title: 'Release or delete?',
        scanId: '0d2f5f0e-0000-4000-8000-0000000000aa',
        verdict: 'secrets',
        reason: 'secrets_found',
        outcomes: ['release', 'delete'],
        ...input,
      });
      await built.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
      const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review WHERE task_id = $1', [
        task.taskId,
      ]);
      return row?.id ?? '';
    };
  });
  afterEach(async () => {
    await app.close();
    await smtp.close();
    await stage.close();
  });

  const mailTo = (address: string) =>
    eventually(() => smtp.mails.find((mail) => JSON.stringify(mail.to).includes(address)), {
      what: `mail to ${address}`,
    });
  const secretsOf = (text: string) => ({
    link: /http:\/\/\S+\/r\/[A-Za-z0-9_-]{43}/.exec(text)?.[0] ?? '',
    code: /code for the decision: ([\d ]+)/.exec(text)?.[1]?.replaceAll(' ', '') ?? '',
  });
  const snapshot = () =>
    stage.db.query(`SELECT (SELECT json_agg(r ORDER BY id) FROM review r) AS reviews,
      (SELECT json_agg(l ORDER BY id) FROM review_link l) AS links,
      (SELECT count(*) FROM review_event) AS events, (SELECT count(*) FROM audit_event) AS audited`);

  it('decides only by POST: a scanner that opens every link three times changes nothing, then the person decides', async () => {
    const id = await openReview();
    const mail = await mailTo('alice@example.com');
    const { link, code } = secretsOf(mail.text ?? '');
    await mailTo('bob@example.com');
    await eventually(async () => {
      const [row] = await stage.db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM outbox WHERE state = 'sent'`,
      );
      return row?.n === 2;
    });
    const before = await snapshot();
    const urls = new Set(
      [...`${mail.text} ${String(mail.html)}`.matchAll(/https?:\/\/[^\s"<]+/g)].map(([url]) => url),
    );
    for (const url of [...urls, ...urls, ...urls]) {
      for (const method of ['GET', 'HEAD'] as const) {
        const scanner = new Visitor(app);
        const answer = await app.inject({ method, url: new URL(url).pathname, headers: HOST });
        if (answer.statusCode === 303) await scanner.open(url);
      }
    }
    expect(await snapshot()).toEqual(before);

    const alice = new Visitor(app);
    const { redirect, path, page, hidden } = await alice.open(link);
    expect(redirect.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Lax/);
    expect(redirect.headers['referrer-policy']).toBe('no-referrer');
    expect(path).not.toContain(new URL(link).pathname.slice(3));
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('alice@example.com');
    expect(page.body).toContain('AWS_KEY=AKIA************');
    expect(page.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex, nofollow, noarchive',
    });
    expect(page.headers['content-security-policy']).toMatch(
      /default-src 'none'; style-src 'nonce-[^']+'.*frame-ancestors 'none'/,
    );

    const done = await alice.post(path, { ...hidden, do: 'decide:release', code, reason: 'a test file' });
    expect(done.statusCode).toBe(303);
    expect((await alice.get(path)).body).toMatch(/Decided: <strong>Release<\/strong>, by Alice/);
    expect(await stage.reviews.get(id)).toMatchObject({
      state: 'COMPLETED',
      decision: {
        outcome: 'release',
        by: { id: 'alice' },
        via: 'mail',
        method: 'mail-code',
        reason: 'a test file',
      },
    });
    await eventually(() => stage.engine.updates.length === 1);
  });

  it('says in the mail and on its page that not everything was looked at, how much and the first of it', async () => {
    const notCovered = Array.from({ length: 20 }, (_, n) => ({
      path: n === 0 ? '' : `a.zip!m${n}`,
      reason: 'encrypted' as const,
    }));
    stage.evidence.subject = { ...exampleSubject(), notCovered, notCoveredTotal: 25 };
    await openReview();
    const said = '25 parts: the object as a whole (it is encrypted); ';
    const { text = '' } = await mailTo('alice@example.com');
    expect(text).toContain(`Not looked at: ${said}`);
    expect(text).toContain('; and 22 more');
    expect((await new Visitor(app).open(secretsOf(text).link)).page.body).toContain(said);
  });

  it('shows how it ended to whoever comes second', async () => {
    await openReview();
    const alice = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const bob = secretsOf((await mailTo('bob@example.com')).text ?? '');
    const first = new Visitor(app);
    const second = new Visitor(app);
    const a = await first.open(alice.link);
    const b = await second.open(bob.link);
    expect((await second.get(b.path)).body).toContain('decide in the inbox instead');
    await first.post(a.path, { ...a.hidden, do: 'decide:delete', code: alice.code, reason: '' });
    const late = await second.post(b.path, {
      ...b.hidden,
      do: 'decide:release',
      code: bob.code,
      reason: 'fine',
    });
    expect(late.statusCode).toBe(303);
    const page = await second.get(b.path);
    expect(page.statusCode).toBe(200);
    expect(page.body).toMatch(/Decided: <strong>Delete<\/strong>, by Alice/);
    expect(page.body).not.toContain('<form');
    expect(page.body).not.toContain('decide in the inbox instead');
  });

  it('shows the votes so far where several must agree, and counts the same person once', async () => {
    const id = await openReview({ quorum: { approve: 2 } });
    const alice = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const bob = secretsOf((await mailTo('bob@example.com')).text ?? '');
    const vote = async ({ link, code }: { link: string; code: string }): Promise<string> => {
      const visitor = new Visitor(app);
      const { path, hidden } = await visitor.open(link);
      const answer = await visitor.post(path, { ...hidden, do: 'decide:release', code, reason: 'fine' });
      expect(answer.statusCode).toBe(303);
      return (await visitor.get(path)).body;
    };
    expect(await vote(alice)).toContain('2 must agree; Release by Alice');
    expect(await vote(alice)).toContain('<form');
    expect((await stage.reviews.get(id)).votes).toHaveLength(1);
    expect(await vote(bob)).toMatch(/Decided: <strong>Release<\/strong>, by Bob/);
  });

  it('has no form for what the clock decided', async () => {
    const id = await openReview({ deadline: '1h' });
    const { link } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    stage.clock.advance(3_600_000);
    await eventually(async () => {
      await stage.timekeeper.tick();
      return (await stage.reviews.get(id)).state === 'EXPIRED';
    });
    const { path } = await new Visitor(app).open(link);
    const page = await new Visitor(app).get(path);
    expect(page.body).not.toContain('<form');
  });

  it('says where the form is that an answer needs', async () => {
    await openReview({ form: { type: 'object', required: ['ticket'] } });
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    const answer = await alice.post(path, { ...hidden, do: 'decide:release', code, reason: 'fine' });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('needs its form filled in, on the web');
  });

  it('refuses whom a review does not ask any more: they left the group between the mail and the click', async () => {
    stage.reviewers.people = [
      { personId: 'alice', name: 'Alice', email: 'alice@example.com', groups: ['secops'] },
      { personId: 'bob', name: 'Bob', email: 'bob@example.com', groups: ['secops'] },
    ];
    const id = await openReview({ assign: { to: ['group:secops'] } });
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    stage.reviewers.people = stage.reviewers.people.map((one) =>
      one.personId === 'alice' ? { ...one, groups: [] } : one,
    );
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    const answer = await alice.post(path, { ...hidden, do: 'decide:delete', code, reason: '' });
    expect(answer.statusCode).toBe(403);
    expect(answer.body).toContain('asks the group secops');
    expect((await stage.reviews.get(id)).votes).toEqual([]);
  });

  it('has no form for whoever holds an older mail of what was given to somebody else meanwhile', async () => {
    const id = await openReview();
    const alice = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const visitor = new Visitor(app);
    const before = await visitor.open(alice.link);
    await stage.reviews.act(
      id,
      { kind: 'reassign', to: { id: 'bob', name: 'Bob' } },
      person('root', { isAdmin: true }),
    );
    const page = await visitor.get(before.path);
    expect(page.body).toContain('Bob was given this question');
    expect(page.body).not.toContain('<form');
    // Sent from a page that was open before.
    const answer = await visitor.post(before.path, {
      ...before.hidden,
      do: 'decide:delete',
      code: alice.code,
      reason: '',
    });
    expect(answer.statusCode).toBe(409);
    expect(answer.body).toContain('was given to Bob');
  });

  it('locks after five wrong codes, also for the right one, and says so in the audit trail', async () => {
    const id = await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const wrong = code === '00000000' ? '11111111' : '00000000';
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        alice.post(path, { ...hidden, do: 'decide:delete', code: wrong, reason: '' }),
      ),
    );
    expect(answers.map((answer) => answer.statusCode)).toEqual(Array.from({ length: 8 }, () => 403));
    const right = await alice.post(path, { ...hidden, do: 'decide:delete', code, reason: '' });
    expect(right.statusCode).toBe(403);
    expect(right.body).toContain('locked');
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
    const audited = await stage.db.query<{ action: string; n: number }>(
      `SELECT action, count(*)::int AS n FROM audit_event
        WHERE action IN ('review.link_locked', 'review.wrong_code') GROUP BY 1 ORDER BY 1`,
    );
    expect(audited).toEqual([
      { action: 'review.link_locked', n: 1 },
      { action: 'review.wrong_code', n: 5 },
    ]);
  });

  it('is not moved by a scanner that submits every form with every button before the person clicks', async () => {
    const id = await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const before = await stage.reviews.get(id);
    for (let round = 1; round <= 3; round++) {
      const scanner = new Visitor(app);
      const { path, page, hidden } = await scanner.open(link);
      const buttons = [...page.body.matchAll(/<button name="do" value="([^"]*)"/g)].map(([, value]) => value);
      expect(buttons).toEqual(expect.arrayContaining(['decide:release', 'decide:delete', 'claim']));
      for (const button of buttons) {
        const answer = await scanner.post(path, { ...hidden, do: button ?? '', reason: 'scanned', code: '' });
        expect(answer.statusCode).toBe(403);
      }
    }
    expect(await stage.reviews.get(id)).toEqual(before);
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    const done = await alice.post(path, { ...hidden, do: 'decide:delete', code, reason: '' });
    expect(done.statusCode).toBe(303);
    expect((await stage.reviews.get(id)).decision).toMatchObject({ outcome: 'delete', by: { id: 'alice' } });
  });

  it('lets only who has the code claim', async () => {
    const id = await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    expect((await alice.post(path, { ...hidden, do: 'claim' })).statusCode).toBe(403);
    expect((await alice.post(path, { ...hidden, do: 'claim', code })).statusCode).toBe(303);
    expect(await stage.reviews.get(id)).toMatchObject({ state: 'CLAIMED', claim: { by: { id: 'alice' } } });
  });

  it('asks for a missing reason without using up the code, and keeps what was typed', async () => {
    await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    const answer = await alice.post(path, { ...hidden, do: 'decide:release', code, reason: ' ' });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('aria-invalid="true"');
    const [row] = await stage.db.query<{ n: number }>('SELECT max(wrong_codes)::int AS n FROM review_link');
    expect(row?.n).toBe(0);
  });

  it('refuses a form that another site made, and one without the cookie', async () => {
    const id = await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    const form = { ...hidden, do: 'decide:delete', code, reason: '' };
    const foreign = await alice.post(path, form, {
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
    });
    expect(foreign.statusCode).toBe(403);
    expect((await alice.post(path, { ...form, csrf: 'guessed' })).statusCode).toBe(403);
    expect((await new Visitor(app).post(path, form)).statusCode).toBe(403);
    expect((await alice.post(path, { ...form, digest: 'something else' })).statusCode).toBe(409);
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
  });

  it('no longer speaks for somebody who is no reviewer any more, nor after three days', async () => {
    const id = await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const alice = new Visitor(app);
    const { path, hidden } = await alice.open(link);
    stage.reviewers.people = stage.reviewers.people.filter((one) => one.personId !== 'alice');
    const gone = await alice.post(path, { ...hidden, do: 'decide:delete', code, reason: '' });
    expect(gone.statusCode).toBe(403);
    expect(gone.body).toContain('may no longer decide');
    stage.clock.advance(73 * 3_600_000);
    expect((await alice.get(new URL(link).pathname)).statusCode).toBe(404);
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
  });

  it('keeps neither link nor code in the database', async () => {
    await openReview();
    const { link, code } = secretsOf((await mailTo('alice@example.com')).text ?? '');
    const dump = JSON.stringify(
      await stage.db
        .query(`SELECT (SELECT json_agg(o) FROM outbox o) AS o, (SELECT json_agg(l) FROM review_link l) AS l,
        (SELECT json_agg(e) FROM review_event e) AS e, (SELECT json_agg(a) FROM audit_event a) AS a`),
    );
    expect(dump).not.toContain(link.slice(-43));
    expect(dump).not.toContain(code);
  });

  it('shows a hostile name as a name, in the mail’s both parts and on the page', async () => {
    stage.evidence.subject = exampleSubject(
      `"><script>alert(1)</script>\u202egpj.exe\r\nBcc: victim@evil.example <https://evil.example/x.zip>`,
    );
    await openReview();
    const mail = await mailTo('alice@example.com');
    const { link } = secretsOf(mail.text ?? '');
    expect(mail.subject).not.toMatch(/[\r\n\u202e]/);
    expect(mail.bcc).toBeUndefined();
    const links = [...`${mail.text} ${String(mail.html)}`.matchAll(/https?:\/\/[^\s"<]+/g)].map(
      ([url]) => new URL(url).host,
    );
    expect(new Set(links)).toEqual(new Set(['127.0.0.1:8080']));
    expect(mail.text).not.toMatch(/evil\.example/);
    const { page } = await new Visitor(app).open(link);
    for (const html of [String(mail.html), page.body]) {
      expect(html).not.toContain('<script');
      expect(html).not.toContain('\u202e');
      expect(html).toContain('\\u{202e}');
    }
  });

  it('is asked for by a mail with stable headers and no remote content', async () => {
    const id = await openReview();
    const mail = await mailTo('bob@example.com');
    expect(mail.messageId).toMatch(new RegExp(`^<review-${id}\\.[0-9a-f]{12}@localhost>$`));
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail.headers.get('x-auto-response-suppress')).toBe('All');
    expect(String(mail.html)).not.toMatch(/<img|src=|url\(|@import/);
  });
});
