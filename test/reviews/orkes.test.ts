import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HumanTaskEntry } from '../../src/reviews/orkes/human-task.view.js';
import type { Review } from '../../src/reviews/review.js';
import { findReview } from '../../src/reviews/sql/find-review.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { reviewsApp } from './app.js';
import { exampleSubject, reviewsStage, type ReviewsStage } from './stage.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
beforeEach(async () => {
  stage = await reviewsStage();
  stage.reviewers.people = [
    { personId: 'alice', login: 'alice', name: 'Alice A', email: 'alice@example.com', groups: ['secops'] },
    { personId: 'bob', login: 'bob', name: 'Bob B', groups: ['leads'] },
    { personId: 'root', login: 'root', name: 'Root', isAdmin: true },
  ];
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

// What the answers have together; each test looks at its own.
type Answer = HumanTaskEntry & {
  readonly message: string;
  readonly results: readonly HumanTaskEntry[];
  readonly totalHits: number;
  readonly version: number;
};

async function call(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  payload?: unknown,
  as = 'alice',
  roles = as === 'root' ? 'admin' : 'analyst',
): Promise<{ status: number; body: Answer }> {
  const response = await app.inject({
    method,
    url: `/api/human/${path}`,
    headers: { 'x-test-user': as, 'x-test-roles': roles },
    ...(payload === undefined ? {} : { payload: payload as object }),
  });
  return { status: response.statusCode, body: (response.body === '' ? {} : response.json()) as Answer };
}
const post = (path: string, payload?: unknown, as?: string, roles?: string) =>
  call('POST', path, payload, as, roles);

const plain = { scanId: null, outcomes: null, title: null };
/** A task as Orkes' definitions ask it. */
const asOrkes = (definition: object, more: object = {}): Promise<Review> =>
  stage.open({
    ...plain,
    ...more,
    __humanTaskDefinition: { displayName: 'Look at it', ...definition },
  });
const now = async ({ id }: Review): Promise<Review> => (await findReview(stage.db, { id })) as Review;
const assigned = (user: string, slaMinutes = 0, userType = 'CONDUCTOR_USER') => ({
  assignee: { userType, user },
  slaMinutes,
});
const SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema',
  type: 'object',
  required: ['amount'],
  properties: { amount: { type: 'number' }, note: { type: 'string' } },
};
const template = (jsonSchema: object = SCHEMA, more: object = {}) => ({
  name: 'loan',
  version: 1,
  jsonSchema,
  templateUI: { type: 'VerticalLayout' },
  ...more,
});
const save = (body: object, query = '') => post(`template${query}`, body, 'author', 'author');

describe('Orkes’ human task API', () => {
  it('takes a task from claim over a draft to its completion, and the workflow gets each field', async () => {
    const review = await asOrkes({ assignments: [assigned('secops', 0, 'CONDUCTOR_GROUP')] }, { amount: 5 });
    const path = `tasks/${review.taskId}`;
    expect((await call('GET', path)).body).toMatchObject({
      taskId: review.taskId,
      workflowId: review.workflowId,
      workflowName: 'scan_upload',
      taskRefName: 'review',
      definitionName: 'review_upload',
      displayName: 'Look at it',
      state: 'ASSIGNED',
      assignee: { userType: 'CONDUCTOR_GROUP', user: 'secops' },
      input: { amount: 5 },
      output: {},
      humanTaskDef: { displayName: 'Look at it' },
    });
    expect((await post(`${path}/claim`)).body).toMatchObject({
      state: 'IN_PROGRESS',
      claimant: { userType: 'CONDUCTOR_USER', user: 'alice' },
    });
    expect((await post(`${path}/update`, { approved: true, note: 'almost' })).status).toBe(200);
    expect((await call('GET', path)).body.output).toEqual({ approved: true, note: 'almost' });
    expect((await post(`${path}/update?complete=true`, { note: 'done' })).status).toBe(200);
    stage.deliver(stage.complete);
    await eventually(() => stage.engine.updates.length === 1);
    expect(stage.engine.updates[0]?.outputData).toMatchObject({
      approved: true,
      note: 'done',
      outcome: 'complete',
      decidedBy: 'alice',
      form: { approved: true, note: 'done' },
    });
    expect((await call('GET', path)).body).toMatchObject({
      state: 'COMPLETED',
      claimant: { user: 'alice' },
      output: { approved: true },
    });
    const left = await stage.db.query('SELECT 1 FROM review_draft');
    expect(left).toEqual([]);
  });

  it('lets no field of the output say who decided, or what', async () => {
    const review = await asOrkes({});
    await post(`tasks/${review.taskId}/complete`, { decidedBy: 'root', outcome: 'release', state: 'none' });
    stage.deliver(stage.complete);
    await eventually(() => stage.engine.updates.length === 1);
    expect(stage.engine.updates[0]?.outputData).toMatchObject({ decidedBy: 'alice', outcome: 'complete' });
  });

  it('wants the outcome of a question that offers several, and never chooses one itself', async () => {
    const review = await stage.open({ scanId: null });
    const path = `tasks/${review.taskId}/update?complete=true`;
    const none = await post(path, { approved: true });
    expect([none.status, none.body.message]).toEqual([
      400,
      expect.stringMatching(/outcome: must be one of release, delete/),
    ]);
    const noReason = await post(path, { outcome: 'release' });
    expect([noReason.status, noReason.body.message]).toEqual([400, expect.stringMatching(/reason/)]);
    const strange = await post(path, { outcome: 'release', reason: 'a test file', more: 1 });
    expect([strange.status, strange.body.message]).toEqual([400, expect.stringMatching(/form/)]);
    expect((await post(path, { outcome: 'release', reason: 'a test file' })).status).toBe(200);
    expect((await now(review)).decision).toMatchObject({ outcome: 'release', reason: 'a test file' });
    // The same again answers like the first time; somebody else is told who and when.
    expect((await post(path, { outcome: 'release', reason: 'a test file' })).status).toBe(200);
    const late = await post(path, { outcome: 'delete' }, 'bob');
    expect([late.status, late.body.message]).toEqual([
      409,
      expect.stringMatching(/already chose .Release. at/),
    ]);
  });

  it('votes on what the caller got or claimed: a new round in between is refused, until it is looked at again', async () => {
    const review = await stage.open();
    const path = `tasks/${review.taskId}`;
    const answer = { outcome: 'release', reason: 'a test file' };
    const unseen = await post(`${path}/complete`, answer);
    expect([unseen.status, unseen.body.message]).toEqual([
      409,
      expect.stringMatching(/Get or claim it first/),
    ]);
    await post(`${path}/claim`);
    await stage.reviews.act(
      review.id,
      { kind: 'renew', digest: 'd'.repeat(64) },
      {
        id: 'reviews',
        name: 'Sallyport',
        isAdmin: true,
        via: 'system',
        method: 'system',
      },
    );
    const stale = await post(`${path}/complete`, answer);
    expect([stale.status, stale.body.message]).toEqual([409, expect.stringMatching(/not what stands now/)]);
    // A draft is no look.
    await post(`${path}/update`, { reason: 'a test file' });
    expect((await post(`${path}/complete`, answer)).status).toBe(409);
    await call('GET', path);
    expect((await post(`${path}/complete`, answer)).status).toBe(200);
  });

  it('bypasses neither four eyes, nor a claim, nor a quorum', async () => {
    const mine = await stage.open({ scanId: null, fourEyes: ['requester'], requester: 'alice' });
    const answer = { outcome: 'delete' };
    const own = await post(`tasks/${mine.taskId}/complete`, answer);
    expect([own.status, own.body.message]).toEqual([403, expect.stringMatching(/four eyes/)]);
    expect((await post(`tasks/${mine.taskId}/update`, { note: 1 })).status).toBe(403);
    const held = await stage.open({ scanId: null });
    await post(`tasks/${held.taskId}/claim`, undefined, 'bob');
    for (const way of ['claim', 'claim?overrideAssignment=true', 'complete', 'update'])
      expect([way, (await post(`tasks/${held.taskId}/${way}`, answer)).status]).toEqual([way, 409]);
    expect(
      (await post(`tasks/${held.taskId}/claim?overrideAssignment=true`, {}, 'root')).body.claimant,
    ).toEqual({
      userType: 'CONDUCTOR_USER',
      user: 'root',
    });
    const two = await stage.open({ scanId: null, outcomes: ['approve', 'reject'], quorum: { approve: 2 } });
    await post(`tasks/${two.taskId}/complete`, { outcome: 'approve' });
    expect((await now(two)).state).toBe('OPEN');
    await post(`tasks/${two.taskId}/complete`, { outcome: 'approve' }, 'bob');
    expect((await now(two)).state).toBe('COMPLETED');
  });

  it('gives a task to another person in the caller’s name, and lets nobody answer for them', async () => {
    const review = await asOrkes({});
    const path = `tasks/${review.taskId}`;
    const given = await post(`${path}/externalUser/alice%40example.com`, undefined, 'bob');
    expect(given.body).toMatchObject({ state: 'ASSIGNED', assignee: { user: 'alice' } });
    expect((await post(`${path}/complete`, {}, 'bob')).status).toBe(409);
    expect((await post(`${path}/claim/nobody`, undefined, 'bob')).status).toBe(400);
    expect((await post(`${path}/claim/bob`, undefined, 'bob')).status).toBe(409);
    expect((await post(`${path}/claim/alice`)).body).toMatchObject({ state: 'IN_PROGRESS' });
    const timeline = await reviewTimeline(stage.db, review.id);
    expect(timeline.map(({ kind, by }) => [kind, by.id])).toEqual([
      ['opened', 'reviews'],
      ['reassigned', 'bob'],
      ['claimed', 'alice'],
    ]);
    expect((await post(`${path}/release`)).status).toBe(200);
    expect((await call('GET', path)).body.state).toBe('PENDING');
  });

  it('reassigns to one person, and says why a list or a group is not taken', async () => {
    const review = await asOrkes({});
    const path = `tasks/${review.taskId}/reassign`;
    for (const body of [[assigned('secops', 0, 'CONDUCTOR_GROUP')], [assigned('alice'), assigned('bob')], []])
      expect((await post(path, body)).status).toBe(400);
    expect((await post(path, [assigned('bob', 0, 'EXTERNAL_USER')])).status).toBe(200);
    expect((await now(review)).claim?.by.id).toBe('bob');
  });

  it('skips to whom the definition asks next, with the reason, and not for who is not asked', async () => {
    const review = await asOrkes({ assignments: [assigned('alice', 60), assigned('bob', 60)] });
    const path = `tasks/${review.taskId}/skip?reason=busy`;
    expect((await post(path, undefined, 'bob')).status).toBe(403);
    expect((await post(path)).status).toBe(200);
    expect((await call('GET', `tasks/${review.taskId}`)).body.assignee?.user).toBe('bob');
    const last = (await reviewTimeline(stage.db, review.id)).at(-1);
    expect(last).toMatchObject({ kind: 'escalated', by: { id: 'alice' }, data: { step: 1, reason: 'busy' } });
    const end = await post(path, undefined, 'bob');
    expect([end.status, end.body.message]).toEqual([
      409,
      expect.stringMatching(/Nobody is asked after this/),
    ]);
  });

  it('finds a task by its workflow and reference, and says so where there is none', async () => {
    const review = await asOrkes({});
    const query = `workflowId=${review.workflowId}&taskRefName=review`;
    expect((await post(`tasks/update/taskRef?${query}`, { a: 1 })).status).toBe(200);
    expect((await post(`tasks/update/taskRef?${query}&iteration=2&complete=true`, {})).status).toBe(404);
    expect((await post(`tasks/update/taskRef?workflowId=none&taskRefName=review`, {})).status).toBe(404);
    expect((await post(`tasks/update/taskRef?${query}&complete=true`, { b: 2 })).status).toBe(200);
    expect((await now(review)).votes[0]?.form).toEqual({ a: 1, b: 2 });
    expect((await call('GET', `tasks/${randomUUID()}`)).status).toBe(404);
  });

  it('searches by state, people, names and text, page by page, and shows nobody another queue', async () => {
    const first = await asOrkes({ assignments: [assigned('secops', 0, 'CONDUCTOR_GROUP')] });
    stage.clock.advance(1000);
    await asOrkes({ displayName: '100% sure_' }, { queue: 'other' });
    stage.clock.advance(1000);
    const taken = await asOrkes({ displayName: 'taken' });
    await post(`tasks/${taken.taskId}/claim`, undefined, 'bob');
    const found = async (body: object, as = 'alice', roles?: string) =>
      (await post('tasks/search', body, as, roles)).body.results.map(({ displayName }) => displayName);
    expect(await found({ states: ['ASSIGNED'] })).toEqual(['Look at it']);
    expect(await found({ states: ['PENDING', 'IN_PROGRESS'] })).toEqual(['taken', '100% sure_']);
    expect(await found({ assignees: [{ userType: 'EXTERNAL_GROUP', user: 'sec*' }] })).toEqual([
      'Look at it',
    ]);
    expect(await found({ claimants: [{ userType: 'CONDUCTOR_USER', user: 'b*b' }] })).toEqual(['taken']);
    expect(await found({ claimants: [{ userType: 'CONDUCTOR_USER', user: 'nobody' }] })).toEqual([]);
    expect(await found({ searchType: 'INBOX' })).toEqual(['100% sure_', 'Look at it']);
    expect(await found({ searchType: 'INBOX' }, 'bob')).toEqual(['taken', '100% sure_']);
    expect(await found({ fullTextQuery: '0% s' })).toEqual(['100% sure_']);
    expect(await found({ fullTextQuery: '%' })).toEqual(['100% sure_']);
    expect(await found({ workflowIds: [first.workflowId], taskRefNames: ['review'] })).toEqual([
      'Look at it',
    ]);
    expect(await found({ definitionNames: ['none'] })).toEqual([]);
    expect(await found({ updateEndTime: 1 })).toEqual([]);
    const page = await post('tasks/search', { start: 1, size: 1 });
    expect(page.body).toMatchObject({
      start: 1,
      hits: 1,
      totalHits: 3,
      results: [{ displayName: '100% sure_' }],
    });
    const granted = await app.inject({
      method: 'POST',
      url: '/api/human/tasks/search',
      headers: { 'x-test-user': 'carl', 'x-test-roles': 'viewer', 'x-test-grants': 'other' },
      payload: {},
    });
    expect(granted.json<Answer>().results.map(({ displayName }) => displayName)).toEqual(['100% sure_']);
    const names = await call('GET', 'tasks/getTaskDisplayNames');
    expect(names.body).toEqual(['100% sure_', 'Look at it', 'taken']);
    for (const bad of [{ size: 101 }, { start: -1 }, { states: ['NONE'] }, { taskInputQuery: 'x = 1' }])
      expect([bad, (await post('tasks/search', bad)).status]).toEqual([bad, 400]);
  });

  it('closes what waits for a task that ended, and nothing that a workflow waits for', async () => {
    const review = await asOrkes({});
    const remove = () => call('DELETE', 'tasks/delete', [review.taskId], 'olga', 'operator');
    expect((await remove()).status).toBe(409);
    stage.engine.end(review.taskId, 'CANCELED');
    expect((await remove()).status).toBe(200);
    expect(
      (await call('DELETE', `tasks/delete/${review.taskId}`, undefined, 'olga', 'operator')).status,
    ).toBe(200);
    expect((await call('GET', `tasks/${review.taskId}`)).body.state).toBe('DELETED');
  });

  it('refuses an output that is too large, or no object', async () => {
    const review = await asOrkes({});
    const path = `tasks/${review.taskId}/update`;
    expect((await post(path, { text: 'x'.repeat(70_000) })).status).toBe(400);
    expect((await post(path, ['x'])).status).toBe(400);
    for (let count = 0; count < 2; count++) await post(path, { [`part${count}`]: 'x'.repeat(30_000) });
    expect((await post(path, { part3: 'x'.repeat(30_000) })).status).toBe(400);
  });
});

describe('form templates', () => {
  it('are saved in versions, listed, and given to a task that names one', async () => {
    expect((await save(template())).body).toMatchObject({
      name: 'loan',
      version: 1,
      createdBy: 'user:author',
    });
    expect((await save(template({ ...SCHEMA, required: [] }), '?newVersion=true')).body.version).toBe(2);
    const review = await asOrkes({ userFormTemplate: { name: 'loan', version: 1 } });
    const path = `tasks/${review.taskId}`;
    const claimed = await post(`${path}/claim?withTemplate=true`);
    expect(claimed.body.humanTaskDef).toMatchObject({
      userFormTemplate: { name: 'loan', version: 1 },
      fullTemplate: { name: 'loan', version: 1, jsonSchema: SCHEMA, templateUI: { type: 'VerticalLayout' } },
    });
    expect((await call('GET', `template/${review.taskId}`)).body).toMatchObject({ name: 'loan', version: 1 });
    const missing = await post(`${path}/complete`, { note: 'no amount' });
    expect([missing.status, missing.body.message]).toEqual([
      400,
      expect.stringMatching(/form\.amount: is needed/),
    ]);
    expect((await post(`${path}/complete`, { amount: 3 })).status).toBe(200);
    const newest = await asOrkes({ userFormTemplate: { name: 'loan', version: 0 } });
    expect(newest.policy.template).toEqual({ name: 'loan', version: 2 });
    const list = await call('GET', 'template?name=loan');
    expect((list.body as unknown as Answer[]).map(({ version }) => version)).toEqual([1, 2]);
    expect((await call('GET', 'template/loan/3')).status).toBe(404);
  });

  it('form version changed meanwhile: a review that waits keeps the form that was shown', async () => {
    await save(template());
    const review = await asOrkes({ userFormTemplate: { name: 'loan' } });
    const path = `tasks/${review.taskId}`;
    await post(`${path}/claim`);
    const changed = template({ ...SCHEMA, required: ['note'] });
    const inPlace = await save(changed);
    expect([inPlace.status, inPlace.body.message]).toEqual([
      409,
      expect.stringMatching(/Save it as a new version/),
    ]);
    for (const used of ['template/loan/1', 'template/loan'])
      expect((await call('DELETE', used, undefined, 'author', 'author')).status).toBe(409);
    expect((await save(changed, '?newVersion=true')).body.version).toBe(2);
    // What the second version needs is not asked of who was shown the first.
    expect((await now(review)).subjectDigest).toBe(review.subjectDigest);
    expect((await post(`${path}/complete`, { note: 'x' })).status).toBe(400);
    expect((await post(`${path}/complete`, { amount: 1 })).status).toBe(200);
    expect((await call('DELETE', 'template/loan', undefined, 'author', 'author')).status).toBe(200);
    expect((await call('GET', 'template/loan/1')).status).toBe(404);
    expect((await call('GET', `template/${review.taskId}`)).body).toMatchObject({ name: 'loan', version: 1 });
  });

  it('that cannot be used, or found, are refused by name', async () => {
    const bad = await save(template({ type: 'strange' }));
    expect([bad.status, bad.body.message]).toEqual([400, expect.stringMatching(/jsonSchema: of loan/)]);
    const twice = await post(
      'template/bulk',
      [template(), template({ type: 'strange' })],
      'author',
      'author',
    );
    expect(twice.status).toBe(400);
    expect((await call('GET', 'template')).body).toEqual([]);
    await expect(asOrkes({ userFormTemplate: { name: 'loan', version: 7 } })).rejects.toThrow(
      /no template loan in version 7/,
    );
  });

  it('saved at once become different versions', async () => {
    await Promise.all(Array.from({ length: 8 }, () => save(template(), '?newVersion=true')));
    const list = (await call('GET', 'template')).body as unknown as Answer[];
    expect(list.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

it('deleted object under review: the decision stands, and a rescan that finds nothing asks again', async () => {
  const review = await stage.open();
  const path = `tasks/${review.taskId}`;
  await post(`${path}/claim`);
  stage.evidence.later = {
    ...exampleSubject(),
    verdict: 'gone',
    findings: [],
    findingsTotal: 0,
    fingerprints: [],
  };
  stage.clock.advance(60_000);
  await stage.sweeper.sweep();
  expect((await post(`${path}/complete`, { outcome: 'delete' })).status).toBe(409);
  await call('GET', path);
  expect((await post(`${path}/complete`, { outcome: 'delete' })).status).toBe(200);
});
