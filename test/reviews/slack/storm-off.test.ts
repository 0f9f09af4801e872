import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Outbox } from '../../../src/outbound/outbox.js';
import { postMessage } from '../../../src/reviews/channels/slack/delivery/slack-kinds.js';
import { waitingUntold } from '../../../src/reviews/channels/slack/sql/posts.js';
import { insertStorm, noteStormPosted } from '../../../src/reviews/channels/slack/sql/storms.js';
import { eventually } from '../../support/eventually.js';
import { reviewsApp } from '../app.js';
import { person, reviewsStage } from '../stage.js';
import { DeliveryStage } from './delivery-stage.js';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
});
afterEach(() => at.close());

it('reviews that ended stand before none that wait to be told otherwise', async () => {
  at.run(0);
  const [over, open] = [await at.open(), await at.open()];
  await at.reviews.act(over.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
  const outbox = at.app.get(Outbox, { strict: false });
  const notBefore = Math.round(at.stage.clock.now()) + 600_000;
  for (const { id, policy } of [over, open])
    await outbox.enqueue(at.stage.db, [
      { ...postMessage({ id, queue: policy.queue }, { key: 'later' }), notBefore },
    ]);
  expect(await waitingUntold(at.stage.db, open.policy.queue, 1)).toEqual([open.id]);
});

it('a storm’s counts and a digest are passed over at once while Slack is off', async () => {
  const stage = await reviewsStage();
  const { app } = await reviewsApp(stage, {});
  const ticking = setInterval(() => stage.clock.advance(100), 1);
  const [id, now, channel] = [randomUUID(), Math.round(stage.clock.now()), 'C0REVIEWS'];
  await insertStorm(stage.db, { id, channel, at: now });
  await noteStormPosted(stage.db, id, '1.1');
  await app.get(Outbox, { strict: false }).enqueue(stage.db, [
    { kind: 'slack.storm', key: `${id}:refresh`, payload: { stormId: id, what: 'refresh' } },
    { kind: 'slack.digest', key: 'daily', payload: { kind: 'daily', channel, from: now, at: now } },
  ]);
  const rows = await eventually(async () => {
    const ended = await stage.db.query(
      `SELECT attempt FROM outbox WHERE kind IN ('slack.storm', 'slack.digest') AND state = 'sent'`,
    );
    return ended.length === 2 ? ended : undefined;
  });
  clearInterval(ticking);
  await app.close();
  await stage.close();
  expect(rows).toEqual([{ attempt: 1 }, { attempt: 1 }]);
});
