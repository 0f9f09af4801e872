import { afterEach, beforeEach, expect, it } from 'vitest';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { TESTER } from '../support/engine.js';
import { bob, findingsStage, type FindingsStage } from './stage.js';

const MINUTE = 60_000;
let stage: FindingsStage;
beforeEach(async () => {
  stage = await findingsStage();
});
afterEach(() => stage.close());

it('what nobody on call takes on goes to the next, then again and again to the last, until somebody does', async () => {
  const id = await stage.engine.start(
    {
      name: 'oncall_escalation',
      input: {
        title: 'A production key is in use',
        onCall: ['user:Alice'],
        next: ['group:secops'],
        last: ['group:leads'],
      },
    },
    TESTER,
  );
  const page = await stage.waiting('oncall');
  await expect(stage.decide(page, 'taken', bob)).rejects.toMatchObject({ status: 403 });
  for (let minutes = 0; minutes < 120; minutes += 5) {
    stage.clock.advance(5 * MINUTE);
    await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick()]);
  }
  const kinds = (await reviewTimeline(stage.db, page.id)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'reminded')).toHaveLength(2);
  // The next after a quarter of an hour; the last after half an hour, and each half hour since.
  expect(kinds.filter((kind) => kind === 'escalated')).toHaveLength(5);
  await stage.decide(page, 'taken', bob);
  expect((await stage.ended(id)).output).toMatchObject({ outcome: 'taken', takenBy: 'Bob' });
});
