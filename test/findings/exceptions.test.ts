import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotFound } from '../../src/errors.js';
import { alice, bob, DAY, findingsStage, secret, type FindingsStage } from './stage.js';
import { eventually } from '../support/eventually.js';

let stage: FindingsStage;
beforeEach(async () => {
  stage = await findingsStage();
});
afterEach(() => stage.close());

const inDays = (days: number): number => stage.clock.now() + days * DAY;
const AT = { endpointId: 'embedded', bucket: 'uploads', key: 'app/.env', sha256: 'aa' };

/** Asked for by Alice and agreed to by Bob. */
async function inForce(findingId: string, days = 30, scope: 'finding' | 'secret' = 'secret') {
  const asked = await stage.exceptions.request(
    {
      kind: 'accepted_risk',
      wanted: { scope, findingId },
      reason: 'rotates in May',
      expiresAt: inDays(days),
    },
    alice,
  );
  await stage.decide(await stage.waiting('exceptions'), 'approve', bob);
  await eventually(async () => (await stage.exceptions.get(asked.id)).state === 'IN_FORCE');
  return asked.id;
}

/** Scanned again while it was in force: the findings say what answers for them. */
async function scannedUnder(exceptionId: string, key: string) {
  return stage.object(key, [secret({ accepted: 'rotates in May', exceptionId })]);
}

describe('an exception', () => {
  it('counts only when somebody else agreed, and its workflow lasts as long', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const asked = await stage.exceptions.request(
      {
        kind: 'accepted_risk',
        wanted: { scope: 'secret', findingId: findings[0]! },
        reason: 'rotates in May',
        expiresAt: inDays(30),
      },
      alice,
    );
    expect(await stage.baseline.among([secret()], AT)).toEqual([]);
    const review = await stage.waiting('exceptions');
    expect(review.title).toContain('Bear the risk of this secret of aws-access-key');
    expect(review.title).toContain('rotates in May');
    await expect(stage.decide(review, 'approve', alice)).rejects.toThrow('four eyes');
    await stage.decide(review, 'approve', bob, { reason: 'agreed' });
    await eventually(async () => (await stage.exceptions.get(asked.id)).state === 'IN_FORCE');
    expect(await stage.exceptions.get(asked.id)).toMatchObject({
      requestedBy: { name: 'Alice' },
      decided: { by: { name: 'Bob' }, reason: 'agreed' },
      reviewId: review.id,
    });
    expect(await stage.baseline.among([secret()], AT)).toMatchObject([
      { exceptionId: asked.id, reason: 'rotates in May' },
    ]);
    expect((await stage.engine.get(asked.id)).status).toBe('RUNNING');
  });

  it('that is refused counts never', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const asked = await stage.exceptions.request(
      {
        kind: 'suppressed',
        wanted: { scope: 'secret', findingId: findings[0]! },
        reason: 'noise',
        expiresAt: inDays(9),
      },
      alice,
    );
    await stage.decide(await stage.waiting('exceptions'), 'reject', bob, { reason: 'it is live' });
    expect((await stage.ended(asked.id)).status).toBe('COMPLETED');
    expect(await stage.exceptions.get(asked.id)).toMatchObject({
      state: 'REFUSED',
      ended: { reason: 'it is live' },
    });
    expect(await stage.baseline.among([secret()], AT)).toEqual([]);
    expect(stage.rescans.asked).toEqual([]);
  });

  it('of which nobody says anything is refused at the deadline, never agreed to', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const asked = await stage.exceptions.request(
      {
        kind: 'suppressed',
        wanted: { scope: 'secret', findingId: findings[0]! },
        reason: 'noise',
        expiresAt: inDays(90),
      },
      alice,
    );
    await stage.waiting('exceptions');
    stage.clock.advance(15 * DAY);
    await stage.timekeeper.tick();
    await stage.ended(asked.id);
    expect((await stage.exceptions.get(asked.id)).state).toBe('REFUSED');
  });

  it('is asked about by itself: a vote on one agrees to no other of the same finding', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    for (const scope of ['finding', 'secret'] as const)
      await stage.exceptions.request(
        {
          kind: 'accepted_risk',
          wanted: { scope, findingId: findings[0]! },
          reason: scope,
          expiresAt: inDays(30),
        },
        alice,
      );
    await eventually(
      async () => (await stage.db.query(`SELECT FROM review WHERE queue = 'exceptions'`)).length === 2,
    );
    expect(await stage.db.query('SELECT FROM review_case')).toEqual([]);
  });

  it('is not granted by a workflow that asked nobody', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const asked = await stage.exceptions.request(
      {
        kind: 'suppressed',
        wanted: { scope: 'secret', findingId: findings[0]! },
        reason: 'noise',
        expiresAt: inDays(9),
      },
      alice,
    );
    const review = await stage.waiting('exceptions');
    expect(await stage.exceptions.grant(asked.id, review.id)).toBeUndefined();
    expect(await stage.exceptions.grant(asked.id, asked.id)).toBeUndefined();
    expect((await stage.exceptions.get(asked.id)).state).toBe('REQUESTED');
  });

  it('is told of 14, 3 and 1 days ahead, once each, to whoever asked and whoever agreed', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    await inForce(findings[0]!);
    for (let hours = 0; hours < 29 * 24; hours += 6) {
      stage.clock.advance(6 * 3_600_000);
      // Two nodes look at the same time.
      await Promise.all([stage.exceptionClock.tick(), stage.exceptionClock.tick()]);
    }
    const mails = await stage.mails();
    expect(mails.map(({ to }) => to[0])).toEqual(
      Array.from({ length: 3 }, () => ['alice@example.com', 'bob@example.com']).flat(),
    );
    expect(mails[0]?.text).toContain('aws-access-key');
    expect(mails[0]?.text).toContain('rotates in May');
    expect((await stage.audited('exception.warned')).length).toBe(3);
  });

  it('after an outage is told of once, in one mail about all', async () => {
    const { findings } = await stage.object('app/.env', [
      secret(),
      secret({ fingerprint: `hmac-sha256:k1:${'b'.repeat(64)}` }),
    ]);
    await inForce(findings[0]!);
    await inForce(findings[1]!);
    stage.clock.advance(28.5 * DAY);
    await stage.exceptionClock.tick();
    await stage.exceptionClock.tick();
    const mails = await stage.mails();
    expect(mails.map(({ to, subject }) => [to[0], subject])).toEqual([
      ['alice@example.com', 'Sallyport: 2 exceptions end soon'],
      ['bob@example.com', 'Sallyport: 2 exceptions end soon'],
    ]);
    stage.clock.advance(DAY / 2);
    await stage.exceptionClock.tick();
    // The day before, of which the outage took nothing.
    expect((await stage.mails()).length).toBe(4);
  });

  it('opens again at its end what it answered for, and then its workflow is over', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const id = await inForce(findings[0]!, 2);
    await scannedUnder(id, 'app/.env');
    await scannedUnder(id, 'copy/.env');
    stage.clock.advance(2 * DAY);
    expect(await stage.baseline.among([secret()], AT)).toEqual([]);
    await Promise.all([stage.exceptionClock.tick(), stage.exceptionClock.tick()]);
    await eventually(() => stage.rescans.asked.length === 2);
    expect(stage.rescans.asked.toSorted()).toEqual(['uploads/app/.env', 'uploads/copy/.env']);
    expect((await stage.ended(id)).output).toMatchObject({ ended: 'EXPIRED' });
    expect(await stage.audited('exception.')).toEqual([
      'exception.requested',
      'exception.granted',
      'exception.expired',
    ]);
  });

  it('opens every object again, however many pages they are', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const id = await inForce(findings[0]!, 2);
    const many = Array.from({ length: 30 }, (_, n) =>
      secret({ path: `m${n}`, accepted: 'r', exceptionId: id }),
    );
    for (const key of ['a', 'b', 'c', 'd']) await stage.object(key, many);
    await stage.exceptions.withdraw(id, 'it was used', bob);
    await eventually(() => new Set(stage.rescans.asked).size === 4);
    await stage.ended(id);
  });

  it('is not held up by an object that is gone', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const id = await inForce(findings[0]!, 2);
    await scannedUnder(id, 'app/.env');
    stage.rescans.refuse = new NotFound('There is no such object.');
    await stage.exceptions.withdraw(id, 'it was used', bob);
    const receipt = await eventually(
      async () =>
        (
          await stage.db.query<{ receipt: unknown }>(
            `SELECT receipt FROM outbox WHERE kind = 'exception.reopen' AND state = 'sent'`,
          )
        )[0],
    );
    expect(receipt).toEqual({ receipt: { objects: 1, asked: 0 } });
  });

  it('is withdrawn once: the second is told who was first, and when', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const id = await inForce(findings[0]!);
    const both = await Promise.allSettled([
      stage.exceptions.withdraw(id, 'rotated', alice),
      stage.exceptions.withdraw(id, 'rotated', bob),
    ]);
    const lost = both.filter((one) => one.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect((lost[0] as PromiseRejectedResult).reason).toMatchObject({
      status: 409,
      details: { state: 'WITHDRAWN', at: new Date(stage.clock.now()).toISOString() },
    });
    expect((await stage.ended(id)).output).toMatchObject({ ended: 'WITHDRAWN' });
  });

  it('that is withdrawn before anybody agreed asks nobody any more', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const asked = await stage.exceptions.request(
      {
        kind: 'suppressed',
        wanted: { scope: 'secret', findingId: findings[0]! },
        reason: 'noise',
        expiresAt: inDays(9),
      },
      alice,
    );
    const review = await stage.waiting('exceptions');
    await stage.exceptions.withdraw(asked.id, 'a mistake', alice);
    expect((await stage.ended(asked.id)).status).toBe('TERMINATED');
    await expect(stage.decide(review, 'approve', bob)).rejects.toMatchObject({ status: 409 });
    expect((await stage.exceptions.get(asked.id)).state).toBe('WITHDRAWN');
    expect(stage.rescans.asked).toEqual([]);
  });

  it('goes on only when somebody agrees again, and then opens nothing in between', async () => {
    const { findings } = await stage.object('app/.env', [secret()]);
    const first = await inForce(findings[0]!, 5);
    await scannedUnder(first, 'app/.env');
    const until = inDays(40);
    const more = await stage.exceptions.extend(
      first,
      { reason: 'the vendor is late', expiresAt: until },
      alice,
    );
    await expect(
      stage.exceptions.extend(first, { reason: 'again', expiresAt: until }, bob),
    ).rejects.toMatchObject({ status: 409 });
    const review = await stage.waiting('exceptions');
    await expect(stage.decide(review, 'approve', alice)).rejects.toThrow('four eyes');
    await stage.decide(review, 'approve', bob);
    expect((await stage.ended(first)).output).toMatchObject({ ended: 'EXTENDED' });
    stage.clock.advance(6 * DAY);
    await stage.exceptionClock.tick();
    expect(stage.rescans.asked).toEqual([]);
    expect(await stage.baseline.among([secret()], AT)).toMatchObject([{ exceptionId: more.id }]);
    // What the first answered for, the second does.
    await stage.exceptions.withdraw(more.id, 'rotated', bob);
    await eventually(() => stage.rescans.asked.length === 1);
  });

  it.each([
    ['longer than the setting allows', 400, 'EXCEPTION_MAX_DAYS'],
    ['in the past', -1, 'over already'],
  ])('is not asked for with an end %s', async (_, days, told) => {
    const { findings } = await stage.object('app/.env', [secret()]);
    await expect(
      stage.exceptions.request(
        {
          kind: 'accepted_risk',
          wanted: { scope: 'secret', findingId: findings[0]! },
          reason: 'r',
          expiresAt: inDays(days),
        },
        alice,
      ),
    ).rejects.toThrow(told);
    expect(await stage.audited('exception.')).toEqual([]);
  });
});

describe('what an exception would answer for', () => {
  it('goes by its scope', async () => {
    const { findings } = await stage.object('app/.env', [secret(), secret({ path: 'old' })]);
    await stage.object('app/.env', [secret(), secret({ path: 'old' })]);
    await stage.object('copy/.env', [secret()]);
    await stage.object('other/.env', [secret()], { sha256: 'bb' });
    await stage.object('app/b', [secret({ fingerprint: `hmac-sha256:k1:${'b'.repeat(64)}` })], {
      sha256: 'cc',
    });
    const findingId = findings[0]!;
    const of = async (wanted: Parameters<typeof stage.exceptions.preview>[0]) => {
      const { findings: count, objects, sample } = await stage.exceptions.preview(wanted);
      return { count, objects, keys: [...new Set(sample.map(({ key }) => key))].sort() };
    };
    // Both versions of the object, and its copy.
    expect(await of({ scope: 'finding', findingId })).toEqual({
      count: 3,
      objects: 3,
      keys: ['app/.env', 'copy/.env'],
    });
    expect(await of({ scope: 'secret', findingId })).toMatchObject({ count: 6, objects: 4 });
    expect(await of({ scope: 'rule', findingId })).toMatchObject({ count: 7, objects: 5 });
    expect(await of({ scope: 'rule', findingId, keyPrefix: 'app/' })).toMatchObject({ count: 5, objects: 3 });
    expect(
      await of({ scope: 'rule', ruleId: 'aws-access-key', findingKind: 'secret', bucket: 'plain' }),
    ).toEqual({ count: 0, objects: 0, keys: [] });
  });

  it('is never all malware of a name, nor anything without its bucket', async () => {
    const virus = secret({ kind: 'malware', ruleId: 'Eicar', fingerprint: 'signature:Eicar' });
    const { findings } = await stage.object('a.zip', [virus], { kind: 'malware' });
    await expect(stage.exceptions.preview({ scope: 'secret', findingId: findings[0]! })).rejects.toThrow(
      'cannot be secret for malware',
    );
    await expect(stage.exceptions.preview({ scope: 'rule', ruleId: 'Eicar' })).rejects.toThrow('bucket');
    await expect(stage.exceptions.preview({ scope: 'finding', findingId: '999' })).rejects.toMatchObject({
      status: 404,
    });
    expect(await stage.exceptions.preview({ scope: 'finding', findingId: findings[0]! })).toMatchObject({
      findings: 1,
    });
  });
});
