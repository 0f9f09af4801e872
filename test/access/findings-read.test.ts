import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { lastValueFrom, of, throwError } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FindingsRead, ReadsFindings } from '../../src/access/findings-read.js';
import { Database } from '../../src/database/database.js';
import { ReviewsController } from '../../src/reviews/reviews.controller.js';
import {
  FindingsController,
  ObjectFindingsController,
} from '../../src/verdicts/export/findings.controller.js';
import { ObjectsController } from '../../src/verdicts/objects.controller.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

/** A route as Nest's context tells it. */
const handlerOf = (controller: new (...args: never[]) => object, name: string): object =>
  Object.getOwnPropertyDescriptor(controller.prototype, name)?.value as object;

describe('reading findings', () => {
  let own: TestDatabase;
  let db: Database;
  let clock: FakeClock;

  beforeAll(async () => {
    own = await testDatabase();
    db = new Database(own.url, { maxConnections: 4 });
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    await own.truncate();
    clock = new FakeClock(Date.UTC(2026, 10, 23, 12));
  });

  class Routes {
    @ReadsFindings('object')
    one(): void {}
    other(): void {}
  }
  const node = () => new FindingsRead(db, clock, new Reflector());
  const context = (handler: unknown, person: string, id?: string) =>
    ({
      getHandler: () => handler,
      switchToHttp: () => ({
        getRequest: () => ({
          principal: { kind: 'user', id: person },
          params: id === undefined ? {} : { id },
        }),
      }),
    }) as unknown as ExecutionContext;
  const answers: CallHandler = { handle: () => of('findings') };
  const read = (by: FindingsRead, person: string, id?: string, handler: unknown = handlerOf(Routes, 'one')) =>
    lastValueFrom(by.intercept(context(handler, person, id), answers));
  const events = async () =>
    (
      await db.query<{ event: string }>(
        `SELECT actor || ' ' || action || ' ' || subject AS event FROM audit_event ORDER BY id`,
      )
    ).map(({ event }) => event);

  it('is told once for each person, subject and hour, whichever node was asked', async () => {
    const one = node();
    expect(await read(one, 'anna', 'O1')).toBe('findings');
    await read(one, 'anna', 'o1');
    await read(node(), 'anna', 'o1');
    await read(one, 'ben', 'o1');
    await read(one, 'anna', 'o2');
    clock.advance(3_600_000);
    await read(one, 'anna', 'o1');
    expect(await events()).toEqual([
      'user:anna findings.read object:o1',
      'user:ben findings.read object:o1',
      'user:anna findings.read object:o2',
      'user:anna findings.read object:o1',
    ]);
    clock.advance(10 * 3_600_000);
    await read(one, 'anna', 'o3');
    expect(await db.query('SELECT subject FROM findings_read')).toEqual([{ subject: 'object:o3' }]);
  });

  it('is told once also when many ask at the same moment', async () => {
    await Promise.all(Array.from({ length: 20 }, () => read(node(), 'anna', 'o1')));
    expect(await events()).toHaveLength(1);
  });

  it('is not told where nothing was read, and of routes that show none', async () => {
    const fails: CallHandler = { handle: () => throwError(() => new Error('no such object')) };
    const asked = node().intercept(context(handlerOf(Routes, 'one'), 'anna', 'x'), fails);
    await expect(lastValueFrom(asked)).rejects.toThrow('no such object');
    await read(node(), 'anna', 'o1', handlerOf(Routes, 'other'));
    expect(await events()).toEqual([]);
  });

  it('is told of the detail of objects and reviews, and of exports', () => {
    const marks = [
      handlerOf(ObjectsController, 'one'),
      handlerOf(ObjectFindingsController, 'list'),
      handlerOf(FindingsController, 'list'),
      handlerOf(ReviewsController, 'get'),
    ].map((handler) => Reflect.getMetadata('sallyport:reads-findings', handler) as unknown);
    expect(marks).toEqual(['object', 'object', 'findings:export', 'review']);
  });
});
