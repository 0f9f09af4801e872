import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/access/principal.js';
import { appendAudit } from '../../../src/audit/audit.js';
import { Erasure } from '../../../src/audit/personal/erasure.js';
import { Retention } from '../../../src/engine/retention/retention.js';
import { SILENT } from '../../../src/engine/runtime/runtime-log.js';
import { LegalErasureHold } from '../../../src/reports/holds/legal-erasure-hold.js';
import { heldWorkflows, type HoldScope } from '../../../src/reports/holds/legal-hold.js';
import { LegalHoldsController } from '../../../src/reports/holds/legal-holds.controller.js';
import { LegalHolds } from '../../../src/reports/holds/legal-holds.service.js';
import { LegalRetentionHold } from '../../../src/reports/holds/legal-retention-hold.js';
import { sayTo } from '../../cli/say-to.js';
import { headOf, httpApp } from '../../intake/http-app.js';
import { intakeParts } from '../../intake/intake-parts.js';
import { FakeClock } from '../../support/clock.js';
import { idOf, OBJECT, pastReviews, pastUploads, REVIEW } from '../../support/past.js';

const DAY = 86_400_000;
const parts = await intakeParts();
const { database, test } = parts;
const clock = new FakeClock();
const holds = new LegalHolds(database, clock);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [LegalHoldsController],
    providers: [{ provide: LegalHolds, useValue: holds }],
  },
);
const say = sayTo(server, 'hold');
const admin: Principal = { kind: 'user', id: 'ada', name: 'Ada', roles: ['admin'], method: 'session' };
const NOW = clock.now();
// Ended so long ago that retention takes them; `old` ones even longer.
const ENDED = NOW - 100 * DAY;

/** An execution about an upload of `b1` (the first), `b2` (the second) and so on. */
async function execution(
  id: string,
  { upload, days = 0 }: { upload?: number; days?: number } = {},
): Promise<void> {
  await test.query(
    `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, correlation_id, created_at, updated_at,
       ended_at, task_count, open_task_count, failed_references)
     VALUES ($1, 'scan', 1, 'COMPLETED', 1, 0, 0, $2, $3, $4, $4, 1, 0, '{}')`,
    [id, upload === undefined ? null : idOf(OBJECT, upload), ENDED - (days + 1) * DAY, ENDED - days * DAY],
  );
}
const retention = () =>
  new Retention({
    db: database,
    clock,
    log: SILENT,
    defaultDays: 30,
    holds: () => [new LegalRetentionHold()],
    isBusy: () => false,
  });
const left = async (): Promise<string[]> =>
  (await test.query<{ id: string }>('SELECT id FROM workflow ORDER BY id')).map(({ id }) => id);
const placed = (scope: HoldScope) => holds.place(scope, 'case 7', admin);

beforeEach(async () => {
  await test.truncate();
  await pastUploads(test, { count: 3, at: ENDED });
  await pastReviews(test, { count: 3, at: ENDED });
  // The ids of executions that reviews of the past name.
  await execution('w1', { upload: 1 });
  await execution('w2', { upload: 2 });
  await execution('w3', { upload: 3, days: 200 });
});

describe('a legal hold', () => {
  it.each<[string, HoldScope, readonly string[]]>([
    ['one execution', { workflowId: 'w2' }, ['w2']],
    ['what a review is about', { reviewId: idOf(REVIEW, 1) }, ['w1']],
    ['a bucket', { bucket: 'b1' }, ['w1']],
    ['keys that begin so', { bucket: 'b1', keyPrefix: '=dir/' }, ['w1']],
    ['no other keys', { bucket: 'b1', keyPrefix: '=dir/2' }, []],
    ['no other endpoint', { bucket: 'b1', endpointId: 'other' }, []],
    ['a time', { from: ENDED - 10 * DAY, to: ENDED }, ['w1', 'w2']],
    ['all before a time', { to: ENDED - 150 * DAY }, ['w3']],
    ['all from a time on', { from: ENDED - 150 * DAY }, ['w1', 'w2']],
    ['what meets all of it', { from: ENDED - 10 * DAY, bucket: 'b2' }, ['w2']],
    ['nothing that meets only some of it', { from: ENDED - 10 * DAY, bucket: 'b0' }, []],
  ])('keeps %s from retention, and nothing else', async (_, scope, kept) => {
    await placed(scope);
    await retention().round();
    expect(await left()).toEqual(kept);
  });

  it('lets go of what it kept when it is lifted, unless another keeps it', async () => {
    const first = await placed({ bucket: 'b1' });
    const second = await placed({ workflowId: 'w1' });
    await holds.lift(first.id, 'settled', admin);
    await retention().round();
    expect(await left()).toEqual(['w1']);
    await holds.lift(second.id, 'settled', admin);
    await retention().round();
    expect(await left()).toEqual([]);
  });

  it('keeps what asks for an exception about a held object', async () => {
    const id = idOf(9, 1);
    await execution(id);
    await test.query(
      `INSERT INTO finding_exception (id, kind, scope, finding_kind, rule_id, fingerprint, endpoint_id, bucket, key, reason,
         state, expires_at, requested_by, requested_by_name, requested_at)
       VALUES ($1, 'suppressed', 'finding', 'secret', 'r', 'f', 'e', 'b1', '=dir/1', 'x', 'WITHDRAWN', 1, 'a', 'A', 1)`,
      [id],
    );
    await placed({ bucket: 'b1', keyPrefix: '=dir' });
    await retention().round();
    expect(await left()).toEqual([id, 'w1']);
  });

  it('keeps what the record says of people from being erased', async () => {
    const told = { at: NOW, action: 'user.created', subject: 'user:alice', data: { displayName: 'Alice' } };
    await appendAudit(database, [{ actor: 'user:ada', ...told }]);
    const erasure = new Erasure(database, clock, [new LegalErasureHold()]);
    const { id } = await placed({ bucket: 'b1' });
    await expect(erasure.erase('user:alice', 'asked for', 'user:ada')).rejects.toThrow(
      `user:alice cannot be erased: the legal hold ${id} is in force (case 7). An admin lifts it.`,
    );
    await holds.lift(id, 'settled', admin);
    expect(await erasure.erase('user:alice', 'asked for', 'user:ada')).toBe(1);
  });

  it('is placed only while no removal is under way, so that nothing goes that was said to stay', async () => {
    const order: string[] = [];
    const asking = new (class extends LegalRetentionHold {
      override async held(ids: readonly string[], db: Parameters<LegalRetentionHold['held']>[1]) {
        const found = await super.held(ids, db);
        // In the transaction that removes: whoever lays a hold now waits for it.
        if (db !== database && order.length === 0) {
          order.push('removing');
          void placed({ workflowId: 'w1' }).then(
            () => order.push('placed'),
            (error: Error) => order.push(error.message),
          );
        }
        return found;
      }
    })();
    await new Retention({
      db: database,
      clock,
      log: SILENT,
      defaultDays: 30,
      holds: () => [asking],
      isBusy: () => false,
    }).round();
    await expect.poll(() => order.length).toBe(2);
    expect(order[1]).toBe('No execution w1. Check the id, or whether it was removed already.');
  });

  it('covers exactly what a plain reading of its words covers', async () => {
    const scopes = fc.record(
      {
        from: fc.integer({ min: -300, max: 10 }).map((days) => ENDED + days * DAY),
        to: fc.integer({ min: -300, max: 10 }).map((days) => ENDED + days * DAY + 1),
        bucket: fc.constantFrom('b0', 'b1', 'b2'),
        workflowId: fc.constantFrom('w1', 'w2', 'w3'),
      },
      { requiredKeys: [] },
    );
    const executions = [
      { id: 'w1', bucket: 'b1', created: ENDED - DAY, ended: ENDED },
      { id: 'w2', bucket: 'b2', created: ENDED - DAY, ended: ENDED },
      { id: 'w3', bucket: 'b0', created: ENDED - 201 * DAY, ended: ENDED - 200 * DAY },
    ];
    await fc.assert(
      fc.asyncProperty(scopes, async (scope) => {
        fc.pre(Object.keys(scope).length > 0 && (scope.from ?? 0) < (scope.to ?? Infinity));
        const { id } = await placed(scope);
        const held = await heldWorkflows(database, ['w1', 'w2', 'w3', 'none']);
        await holds.lift(id, 'next', admin);
        const expected = executions.filter(
          (one) =>
            one.ended >= (scope.from ?? 0) &&
            one.created < (scope.to ?? Infinity) &&
            one.bucket === (scope.bucket ?? one.bucket) &&
            one.id === (scope.workflowId ?? one.id),
        );
        expect([...held].sort()).toEqual(expected.map((one) => one.id));
      }),
      { numRuns: 60 },
    );
  });
});

describe('legal holds over HTTP and on the command line', () => {
  it('are placed, listed, lifted and on record', async () => {
    const made = JSON.parse(
      (await say('place', '--reason', 'case 7', '--bucket', 'b1', '--prefix', 'hr/', '--json')).text,
    ) as { id: string };
    expect((await say('list')).text).toMatch(/b1\/hr\/ +case 7/);
    expect((await say('lift', made.id, '--reason', 'settled')).text).toMatch(/lifted +.* by .*: settled/);
    expect((await say('list')).text).not.toContain('case 7');
    expect((await say('list', '--all')).text).toContain('case 7');
    await expect(say('lift', made.id, '--reason', 'again')).rejects.toThrow(/was lifted already/);
    await expect(say('lift', idOf(8, 8), '--reason', 'x')).rejects.toThrow(/No legal hold/);
    const events = await test.query(
      `SELECT action, data FROM audit_event WHERE action LIKE 'legal_hold.%' ORDER BY id`,
    );
    expect(events).toMatchObject([
      { action: 'legal_hold.placed', data: { bucket: 'b1', keyPrefix: 'hr/' } },
      { action: 'legal_hold.lifted' },
    ]);
  });

  it.each([
    [{ reason: 'x' }, 'from: is missing, and so are `to`, `bucket`'],
    [{ reason: ' ', bucket: 'b' }, 'reason: must say why'],
    [{ reason: 'x', keyPrefix: 'a' }, 'keyPrefix: needs `bucket`'],
    [{ reason: 'x', endpointId: 'a' }, 'endpointId: needs `bucket`'],
    [{ reason: 'x', bucket: 'a\u0000' }, 'bucket: must not contain the NUL character'],
    [{ reason: 'x', from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' }, 'to: must come after `from`'],
    [{ reason: 'x', reviewId: 'seven' }, 'reviewId: must be the id of a review'],
    [{ reason: 'x', bucket: 'b', everything: true }, 'everything'],
  ])('are refused by name: %j', async (body, message) => {
    const answer = await server.inject({ method: 'POST', url: '/api/v1/legal-holds', payload: body });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain(message.replaceAll('"', String.raw`\"`));
  });

  it('answer 404 for a review or an execution that is not there', async () => {
    for (const scope of [{ reviewId: idOf(8, 1) }, { workflowId: 'gone' }])
      expect(
        (
          await server.inject({
            method: 'POST',
            url: '/api/v1/legal-holds',
            payload: { reason: 'x', ...scope },
          })
        ).statusCode,
      ).toBe(404);
  });
});
