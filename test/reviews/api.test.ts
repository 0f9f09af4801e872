import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Mailbox } from '../../src/outbound/mailbox/mailbox.js';
import { reviewsApp } from './app.js';
import { exampleSubject, reviewsStage, type ReviewsStage } from './stage.js';
import { audited as auditedOf } from '../support/audit.js';

class OneMail extends Mailbox {
  private readonly mail = {
    id: 'm1',
    from: 'a@example.com',
    to: ['b@example.com'],
    subject: 'Hello',
    date: '2026-11-23T09:00:00.000Z',
  };
  async list() {
    return [this.mail];
  }
  async get(id: string) {
    return id === 'm1' ? { ...this.mail, text: 'hi', html: '<p>hi</p>' } : undefined;
  }
}

describe('the reviews API', () => {
  let stage: ReviewsStage;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    stage = await reviewsStage();
    ({ app } = await reviewsApp(stage, { ROLES: 'api' }, { mailbox: new OneMail() }));
  });
  afterAll(async () => {
    await app.close();
    await stage.close();
  });
  beforeEach(async () => {
    await stage.db.query(
      'TRUNCATE review, review_event, review_vote, review_link, review_message, outbox CASCADE',
    );
  });

  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    user = 'alice',
    roles = 'analyst',
    proof = 'session',
  ) => {
    const answer = await app.inject({
      method,
      url: path,
      headers: { host: '127.0.0.1:8080', 'x-test-user': user, 'x-test-roles': roles, 'x-test-method': proof },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  const path = (id: string, verb = '') => `/api/v1/reviews/${id}${verb}`;

  it('shows one review with its evidence and timeline', async () => {
    const review = await stage.open();
    const { status, body } = await call('GET', path(review.id));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: review.id,
      state: 'OPEN',
      verdict: 'secrets',
      object: { bucket: 'uploads', key: 'incoming/config.zip', sizeBytes: 2048, quarantined: true },
      outcomes: [
        { name: 'release', label: 'Release', needsReason: true },
        { name: 'delete', label: 'Delete', needsReason: false },
      ],
      findings: [{ ruleId: 'aws-access-key', excerpt: 'AWS_KEY=AKIA************' }],
      timeline: [{ kind: 'opened' }],
      createdAt: '2026-11-23T09:00:00.000Z',
    });
  });

  it('shows what was filled in to whoever votes next, with the decision, and in the audit record', async () => {
    const { id, subjectDigest: digest } = await stage.open({
      form: { type: 'object', properties: { ticket: { type: 'string' }, days: { type: 'integer' } } },
      quorum: { approve: 2 },
    });
    const vote = (user: string, form: unknown) =>
      call('POST', path(id, '/decide'), { outcome: 'release', reason: 'fine', digest, form }, user);
    expect((await vote('alice', { ticket: 'SEC-7', days: 3 })).status).toBe(200);
    const between = (await call('GET', path(id), undefined, 'bob')).body;
    expect(between).toMatchObject({
      votes: [{ by: { id: 'alice' }, form: { ticket: 'SEC-7', days: 3 } }],
      decision: null,
    });
    expect((await vote('bob', { ticket: 'SEC-8' })).status).toBe(200);
    expect((await call('GET', path(id))).body).toMatchObject({
      votes: [{ form: { ticket: 'SEC-7', days: 3 } }, { form: { ticket: 'SEC-8' } }],
      decision: { by: { id: 'bob' }, form: { ticket: 'SEC-8' } },
    });
    const told = await auditedOf(stage.db, { subject: `review:${id}` });
    expect(told.filter(({ action }) => /voted|decided/.test(action))).toMatchObject([
      { action: 'review.voted', data: { form: { ticket: 'SEC-7', days: 3 } } },
      { action: 'review.decided', data: { form: { ticket: 'SEC-8' } } },
    ]);
  });

  it('shows what was not looked at to whoever may decide, also who may not see the object', async () => {
    const notCovered = [{ path: 'config.zip!locked.zip', reason: 'encrypted' as const }];
    const gaps = { notCovered, notCoveredTotal: 25, bytes: { scanned: 10, total: 2048 } };
    stage.evidence.subject = { ...exampleSubject(), ...gaps };
    const review = await stage.open({ scanId: '0d2f5f0e-0000-4000-8000-0000000000aa' });
    stage.evidence.subject = exampleSubject();
    const { status, body } = await call('GET', path(review.id), undefined, 'alice', 'approver');
    expect(status).toBe(200);
    expect(body).toMatchObject({ notCovered, notCoveredTotal: 25, bytesScanned: 10, bytesTotal: 2048 });
  });

  it('says of an outcome what comes of it in the bucket’s mode now', async () => {
    const { id } = await stage.open({ quarantine: { moved: false } });
    const effects = async (mode: string) => {
      await stage.db.query('TRUNCATE bucket CASCADE');
      await stage.db.query(
        `INSERT INTO s3_endpoint (id, kind, region, path_style, credentials, version, created_at, updated_at, updated_by)
         VALUES ('embedded', 'embedded', 'r', true, 'default', 1, 1, 1, 'user:a') ON CONFLICT DO NOTHING`,
      );
      await stage.db.query(
        `INSERT INTO bucket (endpoint_id, name, action_mode, required, quarantine_bucket, requester_pays, enabled,
           managed_by, version, created_at, updated_at, updated_by)
         VALUES ('embedded', 'uploads', $1, '{secrets}', 'q', false, true, 'people', 1, 1, 1, 'user:a')`,
        [mode],
      );
      const { body } = await call('GET', path(id));
      return (body['outcomes'] as { effect: string }[]).map(({ effect }) => effect);
    };
    expect(await effects('tag')).toEqual([
      expect.stringMatching(/stays available.*never moved/),
      'It is only recorded: the object stays where it is, because the bucket’s mode is tag.',
    ]);
    expect((await effects('observe'))[1]).toMatch(/mode is observe/);
    expect((await effects('quarantine'))[1]).toMatch(/deleted for good/);
  });

  it('counts what waits, since when, and what is mine', async () => {
    expect((await call('GET', path('waiting'))).body).toEqual({
      open: 0,
      claimed: 0,
      mine: 0,
      oldestAt: null,
    });
    const { id } = await stage.open();
    await stage.open();
    await stage.open();
    await call('POST', path(id, '/claim'), {});
    const oldestAt = '2026-11-23T09:00:00.000Z';
    expect((await call('GET', path('waiting'))).body).toEqual({ open: 2, claimed: 1, mine: 1, oldestAt });
    const other = await call('GET', path('waiting'), undefined, 'bob');
    expect(other.body).toEqual({ open: 2, claimed: 1, mine: 0, oldestAt });
  });

  it('is claimed, commented, released, reassigned and decided', async () => {
    const { id, subjectDigest } = await stage.open();
    expect((await call('POST', path(id, '/claim'), {})).body).toMatchObject({
      claim: { by: { id: 'alice' } },
    });
    expect((await call('POST', path(id, '/comment'), { text: 'looks like a test' })).status).toBe(200);
    expect((await call('POST', path(id, '/release'), {})).body).toMatchObject({ state: 'OPEN', claim: null });
    expect((await call('POST', path(id, '/reassign'), { to: 'bob' })).body).toMatchObject({
      claim: { by: { name: 'Bob' } },
    });
    const decided = await call(
      'POST',
      path(id, '/decide'),
      { outcome: 'release', reason: 'ok', digest: subjectDigest },
      'bob',
    );
    expect(decided.body).toMatchObject({
      state: 'COMPLETED',
      decision: {
        outcome: 'release',
        by: { id: 'bob' },
        via: 'web',
        method: 'session',
        completion: 'pending',
      },
    });
    expect((decided.body['timeline'] as { kind: string }[]).map(({ kind }) => kind)).toEqual([
      'opened',
      'claimed',
      'commented',
      'released',
      'reassigned',
      'decided',
    ]);
  });

  it.each(['apikey', 'token'])(
    'says of a decision with an API key (%s) that it came by the API',
    async (method) => {
      const { id } = await stage.open();
      const body = { outcome: 'delete' };
      const decided = await call('POST', path(id, '/decide'), body, 'first key', 'analyst', method);
      expect(decided.body).toMatchObject({ decision: { via: 'api', method } });
      const audited = await stage.db.query<{ actor: string }>(
        `SELECT actor FROM audit_event WHERE action = 'review.decided' AND subject = $1`,
        [`review:${id}`],
      );
      expect(audited).toEqual([{ actor: 'apikey:first key' }]);
    },
  );

  it('answers a lost race with 409, the winner and the time', async () => {
    const { id } = await stage.open();
    await call('POST', path(id, '/decide'), { outcome: 'delete' });
    const { status, body } = await call(
      'POST',
      path(id, '/decide'),
      { outcome: 'release', reason: 'x' },
      'bob',
    );
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'CONFLICT',
      state: 'COMPLETED',
      winner: { id: 'alice', name: 'Alice' },
      at: '2026-11-23T09:00:00.000Z',
      outcome: 'delete',
    });
    const again = await call('POST', path(id, '/decide'), { outcome: 'delete' });
    expect(again.status).toBe(200);
  });

  it('names the field that is wrong', async () => {
    const { id } = await stage.open();
    const wrong: [string, unknown, string][] = [
      ['/decide', { outcome: 'release' }, 'reason'],
      ['/decide', { outcome: 'explode', reason: 'x' }, 'outcome'],
      ['/decide', {}, 'outcome'],
      ['/decide', { outcome: 'release', reason: 'a\u0000b' }, 'reason'],
      ['/comment', { text: '' }, 'text'],
      ['/comment', { text: '\ud800' }, 'text'],
      ['/reassign', { to: 'nobody' }, 'to'],
    ];
    for (const [verb, body, field] of wrong) {
      const answer = await call('POST', path(id, verb), body);
      const [problem] = answer.body['errors'] as { path: string }[];
      expect([answer.status, verb, problem?.path.replace(/^body\./, '')]).toEqual([400, verb, field]);
    }
    const detail = async (query: string) => (await call('GET', `/api/v1/reviews${query}`)).body['detail'];
    expect(await detail('?limit=x')).toMatch(/limit: must be a number/);
    expect(await detail('?state=NOPE')).toMatch(
      /state.*: must be one of: OPEN, ASSIGNED, CLAIMED, ON_HOLD, INFO_REQUESTED, COMPLETED, EXPIRED, SKIPPED, CANCELLED, WAITING/,
    );
    for (const query of ['?limit=0', '?limit=x', '?cursor=zzz', '?state=NOPE', '?mine=perhaps'])
      expect((await call('GET', `/api/v1/reviews${query}`)).status).toBe(400);
  });

  it('knows no review of an unknown id, and takes no other text for one', async () => {
    const unknown = '0d2f5f0e-0000-4000-8000-00000000dead';
    expect((await call('GET', path(unknown))).status).toBe(404);
    expect((await call('POST', path(unknown, '/claim'), {})).status).toBe(404);
    expect((await call('POST', path(unknown, '/comment'), { text: 'x' })).status).toBe(404);
    expect((await call('GET', path("x'--"))).status).toBe(400);
  });

  it('lets an auditor look and decide nothing', async () => {
    const { id } = await stage.open();
    expect((await call('GET', path(id), undefined, 'eve', 'auditor')).status).toBe(200);
    expect((await call('POST', path(id, '/decide'), { outcome: 'delete' }, 'eve', 'auditor')).status).toBe(
      403,
    );
    expect((await call('GET', '/api/v1/reviews', undefined, 'w', 'worker')).status).toBe(403);
  });

  it('says why whoever looks may not decide, in the words of the refusal', async () => {
    const { id } = await stage.open({ fourEyes: ['requester'], requester: 'Alice' });
    const kept = async (user: string, roles?: string) =>
      (await call('GET', path(id), undefined, user, roles)).body['keptFrom'];
    const decide = (user: string) => call('POST', path(id, '/decide'), { outcome: 'delete' }, user);
    expect(await kept('alice')).toMatch(/four eyes.*asked for it/);
    expect((await decide('alice')).body['detail']).toBe(await kept('alice'));
    expect(await kept('eve', 'auditor')).toBe('Deciding takes the role analyst or approver.');
    expect(await kept('bob')).toBeNull();
    expect((await decide('bob')).body['keptFrom']).toBeNull();
    expect(await kept('alice')).toBeNull();
  });

  it('says to who is not asked that they are not', async () => {
    const { id } = await stage.open({ assign: { to: ['user:bob'] } });
    expect((await call('GET', path(id))).body['keptFrom']).toMatch(/Bob/);
    expect((await call('GET', path(id), undefined, 'bob')).body['keptFrom']).toBeNull();
  });

  it('pages through all reviews, each once, newest first', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) {
      ids.unshift((await stage.open()).id);
      // Two share a moment, so that the order within it matters too.
      if (n % 2 === 0) stage.clock.advance(1000);
    }
    await stage.reviews.act(
      ids[0] ?? '',
      { kind: 'claim' },
      { id: 'alice', name: 'A', isAdmin: false, via: 'web', method: 'session' },
    );
    const seen: string[] = [];
    let cursor: unknown = '';
    do {
      const query = cursor === '' ? '' : `&cursor=${String(cursor)}`;
      const { body } = await call('GET', `/api/v1/reviews?limit=3${query}`);
      seen.push(...(body['items'] as { id: string }[]).map(({ id }) => id));
      cursor = body['nextCursor'];
    } while (cursor !== null);
    expect([...seen].sort()).toEqual([...ids].sort());
    const mine = await call('GET', '/api/v1/reviews?mine=true');
    expect((mine.body['items'] as { id: string }[]).map(({ id }) => id)).toEqual([ids[0]]);
    const open = await call('GET', '/api/v1/reviews?state=OPEN,COMPLETED');
    expect(open.body['items']).toHaveLength(6);
  });

  it('shows admins what the embedded mailbox caught, and others what is addressed to them', async () => {
    const read = async (mail: string, roles: string, email?: string) => {
      const answer = await app.inject({
        url: `/api/v1/mailbox${mail}`,
        headers: {
          host: '127.0.0.1:8080',
          'x-test-user': 'somebody',
          'x-test-roles': roles,
          ...(email === undefined ? {} : { 'x-test-email': email }),
        },
      });
      return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
    };
    for (const [roles, email] of [['admin'], ['analyst', 'B@example.com']] as const) {
      expect((await read('', roles, email)).body).toMatchObject({ items: [{ id: 'm1' }] });
      expect((await read('/m1', roles, email)).body).toMatchObject({ text: 'hi', html: '<p>hi</p>' });
    }
    for (const email of [undefined, '', 'a@example.com', 'example.com']) {
      expect((await read('', 'analyst', email)).body).toMatchObject({ items: [] });
      expect((await read('/m1', 'analyst', email)).status).toBe(404);
    }
    expect((await read('/m2', 'admin')).status).toBe(404);
    expect((await read('/%2e%2e%2fx', 'admin')).status).toBe(400);
    expect((await call('GET', '/api/v1/mailbox', undefined, 'eve', 'auditor')).status).toBe(403);
  });

  it('says so when there is no embedded mailbox', async () => {
    const other = await reviewsApp(stage, { ROLES: 'api' });
    const answer = await other.app.inject({
      url: '/api/v1/mailbox',
      headers: { host: '127.0.0.1:8080', 'x-test-user': 'alice' },
    });
    expect(answer.statusCode).toBe(404);
    expect(answer.json<{ detail: string }>().detail).toContain('SMTP_URL');
    await other.app.close();
  });
});
