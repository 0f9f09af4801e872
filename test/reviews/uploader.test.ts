import fc from 'fast-check';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { questionOf } from '../../src/reviews/channels/question.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { matches, patternFault, sessionName } from '../../src/reviews/uploader/principal.js';
import { resolveUploader, type Account, type Identity } from '../../src/reviews/uploader/resolve.js';
import { reviewsApp } from './app.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';

const release = { kind: 'decide', outcome: 'release', reason: 'known test file' } as const;
const ROLE = 'AWS:AROAEXAMPLEID';

describe('a principal', () => {
  const accounts: Account[] = [
    { id: '1', login: 'alice', name: 'Alice', email: 'alice@example.com', disabled: false },
    { id: '2', login: 'bob', name: 'Bob', disabled: false },
  ];
  const says = (...identities: Identity[]) => identities;
  const resolve = (said: string | undefined, identities: Identity[] = [], isTold = false) =>
    resolveUploader(said, identities, accounts, isTold);

  it.each([
    [undefined, { how: 'unknown' }],
    ['  ', { how: 'unknown' }],
    ['123456789012', { how: 'unknown' }],
    ['s3.amazonaws.com', { how: 'unknown' }],
    [`${ROLE}:alice`, { how: 'likely', account: { id: '1' } }],
    [`${ROLE}:Alice@Example.com`, { how: 'likely', account: { id: '1' } }],
    [`${ROLE}:nobody`, { how: 'unknown' }],
    [`${ROLE}:<script>`, { how: 'unknown' }],
    ['alice', { how: 'likely', account: { id: '1' } }],
  ])('%s without a word of an admin is no more than %o', (said, expected) => {
    expect(resolve(said)).toMatchObject(expected);
  });

  it('that a definition names is whose account it is', () => {
    expect(resolve('user:2', [], true)).toMatchObject({ how: 'named', account: { id: '2' } });
    expect(resolve('alice@example.com', [], true)).toMatchObject({ how: 'named', account: { id: '1' } });
  });

  it('is who an admin says: the exact one before the longest beginning', () => {
    const identities = says(
      { principal: `${ROLE}:*`, kind: 'session', target: '' },
      { principal: `${ROLE}:ci-*`, kind: 'service', target: '' },
      { principal: `${ROLE}:ci-main`, kind: 'user', target: '2' },
    );
    expect(resolve(`${ROLE}:alice`, identities)).toMatchObject({ how: 'mapped', account: { id: '1' } });
    expect(resolve(`${ROLE}:eve@example.com`, identities)).toEqual({
      how: 'mapped',
      email: 'eve@example.com',
    });
    expect(resolve(`${ROLE}:eve`, identities)).toEqual({ how: 'unknown' });
    expect(resolve(`${ROLE}:ci-7`, identities)).toEqual({ how: 'service' });
    expect(resolve(`${ROLE}:ci-main`, identities)).toMatchObject({ how: 'mapped', account: { id: '2' } });
  });

  it('of an account that was removed is nobody known', () => {
    expect(resolve('AIDAEXAMPLE', says({ principal: 'AIDAEXAMPLE', kind: 'user', target: 'gone' }))).toEqual({
      how: 'unknown',
    });
  });

  it('of an address that an account has is that account', () => {
    const identity: Identity = { principal: 'AIDAEXAMPLE', kind: 'mail', target: 'ALICE@example.com' };
    expect(resolve('AIDAEXAMPLE', [identity])).toMatchObject({ how: 'mapped', account: { id: '1' } });
  });

  it.each(['*', 'AWS:*', 'AWS:AROA*x', 'a*b*', ' AIDAEXAMPLE', 'AIDA\nEXAMPLE', 'AIDA\u202eEXAMPLE', ''])(
    'pattern %j is refused',
    (pattern) => expect(patternFault(pattern)).toBeDefined(),
  );

  it('matches a pattern only where all of its beginning is there, and something more', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (rest, other) => {
        expect(matches(`${ROLE}:*`, `${ROLE}:${rest}`)).toBe(true);
        expect(matches(`${ROLE}:*`, other)).toBe(
          other.startsWith(`${ROLE}:`) && other.length > ROLE.length + 1,
        );
        expect(matches(ROLE, `${ROLE}${rest}`)).toBe(false);
      }),
    );
    expect(matches(`${ROLE}:*`, `${ROLE}:`)).toBe(false);
  });

  it('gives a session’s name only where it is one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = sessionName(`${ROLE}:${text}`);
        expect(name === undefined || /^[\w+=,.@-]{2,64}$/.test(name)).toBe(true);
      }),
    );
  });
});

describe('four eyes on the uploader', () => {
  let stage: ReviewsStage;
  beforeEach(async () => {
    stage = await reviewsStage();
  });
  afterEach(() => stage.close());
  const uploadedBy = (uploader: string | undefined): void => {
    const subject = exampleSubject();
    if (subject.object !== undefined)
      stage.evidence.subject = { ...subject, object: { ...subject.object, uploader } };
  };
  const map = (principal: string, kind: Identity['kind'], target = '') =>
    stage.uploaders.add({ principal, kind, target, note: '' }, 'user:root');

  it('keep out whom the event names, by the admins’ word, without the definition passing it', async () => {
    uploadedBy('AWS:AIDAEXAMPLE');
    await map('AWS:AIDAEXAMPLE', 'user', 'alice');
    const review = await stage.open({ fourEyes: ['uploader'] });
    expect(review.excluded).toEqual([{ id: 'alice', name: 'Alice', because: 'uploader' }]);
    expect(review.policy.quorum.approve).toBe(1);
    await expect(stage.reviews.act(review.id, release, person('alice'))).rejects.toThrow(
      /they uploaded the object/,
    );
    expect((await stage.reviews.act(review.id, release, person('bob'))).state).toBe('COMPLETED');
  });

  it('take one vote more where nobody knows the uploader, so that one is certainly another’s', async () => {
    uploadedBy('AWS:AIDASTRANGER');
    const review = await stage.open({ fourEyes: ['uploader'] });
    expect(review).toMatchObject({
      excluded: [],
      policy: { undetermined: ['uploader'], quorum: { approve: 2 } },
    });
    const [opened] = await reviewTimeline(stage.db, review.id);
    expect(opened?.data).toMatchObject({ undetermined: ['uploader'] });
    expect((await stage.reviews.act(review.id, release, person('alice'))).state).toBe('OPEN');
    expect((await stage.reviews.act(review.id, release, person('bob'))).state).toBe('COMPLETED');
  });

  it('keep out whose name a session bears, and still ask for one vote more, since the name proves nothing', async () => {
    uploadedBy(`${ROLE}:alice@example.com`);
    const review = await stage.open({ fourEyes: ['uploader'] });
    expect(review.excluded).toMatchObject([{ id: 'alice' }]);
    expect(review.policy.quorum.approve).toBe(2);
    // Bob alone is left: told when it opens, not at the deadline.
    const kinds = (await reviewTimeline(stage.db, review.id)).map(({ kind }) => kind);
    expect(kinds).toContain('nobody_eligible');
  });

  it('keep out the event’s uploader and the definition’s', async () => {
    uploadedBy('AWS:AIDAEXAMPLE');
    await map('AWS:AIDAEXAMPLE', 'user', 'alice');
    const review = await stage.open({ fourEyes: ['uploader'], uploader: 'Bob' });
    expect(review.excluded.map(({ id }) => id)).toEqual(['alice', 'bob']);
  });

  it('leave everybody in where an admin says that it was a machine', async () => {
    uploadedBy(`${ROLE}:ci-42`);
    await map(`${ROLE}:ci-*`, 'service');
    const review = await stage.open({ fourEyes: ['uploader'] });
    expect(review).toMatchObject({ excluded: [], policy: { quorum: { approve: 1 } } });
  });

  it('change nothing where the definition does not ask for them, and unknown is shown as unknown', async () => {
    uploadedBy(undefined);
    const review = await stage.open();
    expect(review.policy).toMatchObject({ quorum: { approve: 1 } });
    expect(questionOf(review, 5, false).facts).toContainEqual({
      label: 'Uploaded by',
      value: 'unknown',
      literal: false,
    });
  });
});

describe('the admins’ list of uploaders', () => {
  let stage: ReviewsStage;
  let app: NestFastifyApplication;
  beforeAll(async () => {
    stage = await reviewsStage();
    ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
  });
  afterAll(async () => {
    await app.close();
    await stage.close();
  });
  const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object, roles = 'admin') => {
    const headers = { host: '127.0.0.1:8080', 'x-test-user': 'root', 'x-test-roles': roles };
    const answer = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
    return {
      status: answer.statusCode,
      body: answer.body === '' ? {} : answer.json<Record<string, unknown>>(),
    };
  };
  const base = '/api/v1/uploader-identities';

  it('is kept, tells who is taken for whom, and each change is in the audit record', async () => {
    const added = await call('POST', base, { principal: 'AWS:AIDAEXAMPLE', kind: 'user', target: 'bob' });
    expect(added).toMatchObject({ status: 201, body: { kind: 'user', createdBy: 'user:root' } });
    expect(await call('GET', `${base}/resolved?principal=AWS:AIDAEXAMPLE`)).toMatchObject({
      body: { how: 'mapped', person: { id: 'bob', name: 'Bob' }, email: 'bob@example.com' },
    });
    const again = await call('POST', base, { principal: 'AWS:AIDAEXAMPLE', kind: 'service' });
    expect(again).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect(JSON.stringify(again.body)).toContain('user:root');
    const id = String(added.body['id']);
    expect((await call('GET', base)).body).toMatchObject({ items: [{ id }] });
    expect((await call('DELETE', `${base}/${id}`)).status).toBe(204);
    expect((await call('DELETE', `${base}/${id}`)).status).toBe(404);
    const events = await stage.db.query<{ action: string }>(
      `SELECT action FROM audit_event WHERE subject = $1 ORDER BY id`,
      [`uploader_identity:${id}`],
    );
    expect(events.map(({ action }) => action)).toEqual([
      'uploader_identity.added',
      'uploader_identity.removed',
    ]);
  });

  it.each([
    [{ principal: '*', kind: 'service' }, 'principal'],
    [{ principal: 'AIDAEXAMPLE', kind: 'user', target: 'nobody' }, 'target'],
    [{ principal: 'AIDAEXAMPLE', kind: 'user' }, 'target'],
    [{ principal: 'AIDAEXAMPLE', kind: 'mail', target: 'x' }, 'target'],
    [{ principal: 'AIDAEXAMPLE', kind: 'session' }, 'principal'],
    [{ principal: 'AIDAEXAMPLE', kind: 'service', target: 'bob' }, 'target'],
  ])('refuses %j and names %s', async (body, field) => {
    const answer = await call('POST', base, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(field);
  });
});
