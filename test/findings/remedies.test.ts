import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { alice, bob, DAY, findingsStage, secret, type FindingsStage } from './stage.js';

let stage: FindingsStage;
beforeEach(async () => {
  stage = await findingsStage();
});
afterEach(() => stage.close());

const WANTED = { owner: ['group:secops'], dueDays: 10, escalateTo: ['group:leads'] };

/** A finding of Alice's that Bob calls real. @returns the remedy's id, and the question for its proof. */
async function real(key = 'app/.env', wanted: Partial<typeof WANTED> = {}, fingerprint = 'a') {
  const { findings } = await stage.object(key, [
    secret({ fingerprint: `hmac-sha256:k1:${fingerprint.repeat(64)}` }),
  ]);
  const id = await stage.remedies.review(findings[0]!, { ...WANTED, ...wanted }, alice);
  await stage.decide(await stage.waiting('findings'), 'real', bob);
  return { id, question: await stage.waiting('remedies') };
}
const rotated = { form: { proof: 'rotated', note: 'ticket 12' } };

describe('a finding', () => {
  it('that is no danger needs no remedy', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const id = await stage.remedies.review(findings[0]!, WANTED, alice);
    await stage.decide(await stage.waiting('findings'), 'no_danger', bob);
    expect((await stage.ended(id)).output).toMatchObject({ outcome: 'no_danger' });
    await expect(stage.remedies.get(id)).rejects.toMatchObject({ status: 404 });
  });

  it('that is real has an owner and a due date, and its workflow is over only with a proof', async () => {
    const { id, question } = await real();
    expect(await stage.remedies.get(id)).toMatchObject({
      state: 'OPEN',
      owner: ['group:secops'],
      dueAt: stage.clock.now() + 10 * DAY,
      proof: null,
    });
    expect(question).toMatchObject({ dueAt: stage.clock.now() + 10 * DAY });
    await expect(stage.decide(question, 'remedied', bob)).rejects.toMatchObject({ status: 400 });
    await expect(
      stage.decide(question, 'remedied', bob, { form: { proof: 'hoped', note: 'x' } }),
    ).rejects.toMatchObject({ status: 400 });
    expect((await stage.engine.get(id)).status).toBe('RUNNING');
    await stage.decide(question, 'remedied', bob, rotated);
    expect((await stage.ended(id)).status).toBe('COMPLETED');
    expect(await stage.remedies.get(id)).toMatchObject({
      state: 'REMEDIED',
      proof: 'rotated',
      proofNote: 'ticket 12',
      remediedByName: 'Bob',
    });
    expect(await stage.audited('remedy.')).toEqual([
      'remedy.review_requested',
      'remedy.opened',
      'remedy.remedied',
    ]);
  });

  it('is reminded of, goes further up when it is overdue, and stays open', async () => {
    const { id, question } = await real();
    for (let day = 1; day <= 12; day += 1) {
      stage.clock.advance(DAY);
      await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick()]);
    }
    const kinds = (await reviewTimeline(stage.db, question.id)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'reminded')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'escalated')).toHaveLength(1);
    expect((await stage.reviews.get(question.id)).escalated).toBe(1);
    expect((await stage.remedies.get(id)).state).toBe('OPEN');
    expect(await stage.remedies.list({ isOverdue: true }, { limit: 10 })).toMatchObject([{ id }]);
  });

  it('is accepted only where two people bear its risk, and is asked about again until then, due on the same day', async () => {
    const { id, question } = await real();
    const { dueAt } = question;
    stage.clock.advance(2 * DAY);
    const accepted = { form: { proof: 'accepted', note: 'we bear it' } };
    await stage.decide(question, 'remedied', bob, accepted);
    const again = await eventually(async () => {
      const next = await stage.waiting('remedies');
      return next.id !== question.id && next;
    });
    expect(again.title).toContain('no exception in force');
    expect(again.dueAt).toBe(dueAt);

    const [finding] = await stage.db.query<{ id: string }>('SELECT id FROM finding');
    const asked = await stage.exceptions.request(
      {
        kind: 'accepted_risk',
        wanted: { scope: 'secret', findingId: finding!.id },
        reason: 'the vendor is late',
        expiresAt: stage.clock.now() + 30 * DAY,
      },
      alice,
    );
    await stage.decide(await stage.waiting('exceptions'), 'approve', bob);
    await eventually(async () => (await stage.exceptions.get(asked.id)).state === 'IN_FORCE');
    await stage.decide(again, 'remedied', bob, accepted);
    await stage.ended(id);
    expect(await stage.remedies.get(id)).toMatchObject({ state: 'REMEDIED', proof: 'accepted' });
  });

  it('that returns in a later scan is open again, and its clock starts anew', async () => {
    const { id, question } = await real();
    await stage.decide(question, 'remedied', bob, rotated);
    await stage.ended(id);
    stage.clock.advance(20 * DAY);
    await stage.object('elsewhere/.env', [secret()]);
    const again = await stage.waiting('remedies');
    expect(await stage.remedies.get(id)).toMatchObject({ state: 'RETURNED', returnedAt: stage.clock.now() });
    expect(again.dueAt).toBe(stage.clock.now() + 10 * DAY);
    const next = await stage.remedies.get(again.workflowId);
    expect(next).toMatchObject({
      state: 'OPEN',
      follows: id,
      owner: ['group:secops'],
      key: 'elsewhere/.env',
    });
    // A third object is the same secret, which is followed already.
    await stage.object('third/.env', [secret()]);
    expect(await stage.remedies.list({ states: ['OPEN'] }, { limit: 10 })).toHaveLength(1);
    await stage.decide(again, 'remedied', bob, rotated);
    expect((await stage.ended(next.id)).status).toBe('COMPLETED');
  });

  it('does not return by what somebody answers for, nor by a scan that began before it was remedied', async () => {
    const { id, question } = await real();
    const early = await stage.object('early/.env', []);
    stage.clock.advance(1000);
    await stage.decide(question, 'remedied', bob, rotated);
    await stage.ended(id);
    await stage.ledger.recordFindings(early.scanId, 'secrets', [secret()], 1);
    await stage.object('known/.env', [secret({ accepted: 'a sample' })]);
    expect((await stage.remedies.get(id)).state).toBe('REMEDIED');
  });

  it('is not remedied by a review of something else', async () => {
    const { id } = await real();
    const { question: other } = await real('other/.env');
    await stage.reviews.get(other.id);
    expect(await stage.remedies.close(id, id)).toContain('nobody said');
    expect((await stage.remedies.get(id)).state).toBe('OPEN');
  });
});

it('the time to remedy is told by owner', async () => {
  const from = stage.clock.now();
  for (const [key, days] of [
    ['a', 1],
    ['b', 3],
  ] as const) {
    const { id, question } = await real(key, {}, key);
    stage.clock.advance(days * DAY);
    await stage.decide(question, 'remedied', bob, rotated);
    await stage.ended(id);
  }
  await real('c', { owner: ['group:leads'] }, 'c');
  stage.clock.advance(11 * DAY);
  const figures = await stage.remedies.figures(from, stage.clock.now() + 1);
  expect(figures.map(({ owner, open, overdue }) => [owner, open, overdue])).toEqual([
    ['group:leads', 1, 1],
    ['group:secops', 0, 0],
  ]);
  expect(figures[1]).toMatchObject({ remedied: 2 });
  expect(figures[1]?.p50Seconds).toBeCloseTo((2 * DAY) / 1000, -2);
  expect(figures[1]?.p90Seconds).toBeCloseTo((2.8 * DAY) / 1000, -2);
});
