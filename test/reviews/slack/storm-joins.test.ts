import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Outbox } from '../../../src/outbound/outbox.js';
import { BrokenSlack } from '../../../src/reviews/channels/slack/delivery/broken-slack.js';
import { SlackStorms } from '../../../src/reviews/channels/slack/digests/storms.js';
import { addToStorm, insertStorm } from '../../../src/reviews/channels/slack/sql/storms.js';
import { eventually } from '../../support/eventually.js';
import { DeliveryStage } from './delivery-stage.js';

const PLACE = 'C0REVIEWS';

let at: DeliveryStage;
beforeEach(async () => {
  // Without a channel nothing but the storm tells of a review.
  at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
  at.run(0);
});
afterEach(() => at.close());

const count = async (from: string): Promise<number> =>
  (await at.stage.db.query(`SELECT 1 FROM ${from}`)).length;

it('a review that joins a storm while that is told otherwise is told otherwise as well', async () => {
  const [first, late] = [await at.open(), await at.open()];
  const id = randomUUID();
  await insertStorm(at.stage.db, { id, channel: PLACE, at: Math.round(at.stage.clock.now()) });
  await addToStorm(at.stage.db, id, first.id);
  await at.app.get(BrokenSlack, { strict: false }).broke(PLACE, 'is_archived');
  await at.stage.db.transaction(async (tx) => {
    // Whoever tells them otherwise knows by now which, and waits here.
    await tx.query('SELECT 1 FROM slack_broken FOR UPDATE');
    const payload = { stormId: id, what: 'post' };
    const outbox = at.app.get(Outbox, { strict: false });
    await outbox.enqueue(at.stage.db, [{ kind: 'slack.storm', key: `${id}:post`, payload }]);
    await eventually(
      async () =>
        (await count(
          `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND query LIKE '%slack_broken%FOR SHARE%'`,
        )) === 1,
      { what: 'the first is being told otherwise' },
    );
    expect(await count(`outbox WHERE kind = 'slack.post'`)).toBe(0);
    expect(await at.app.get(SlackStorms, { strict: false }).tells(late, PLACE)).toBe(id);
  });
  at.run(10);
  await eventually(async () => (await count('slack_storm')) === 0, { what: 'the storm is over' });
  const unshown = await at.stage.db.query<{ id: string }>('SELECT review_id AS id FROM slack_unshown');
  expect(unshown.map((row) => row.id).toSorted()).toEqual([first.id, late.id].toSorted());
});
