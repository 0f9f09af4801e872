import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReviewComments } from '../../../src/reviews/comments/comments.service.js';
import { SlackDigestClock } from '../../../src/reviews/channels/slack/digests/digest-clock.js';
import { eventually } from '../../support/eventually.js';
import { looseCalls } from '../../support/slack/literal.js';
import { exampleSubject, person } from '../stage.js';
import { ALICE, DeliveryStage, MALLORY } from './delivery-stage.js';

const DAY = 86_400_000;

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start({ SLACK_DIGEST_DAILY: '10:00' });
  at.stage.evidence.subject = exampleSubject('@alice www.example.com #reviews.zip');
});
afterEach(() => at.close());

const tick = () => at.app.get(SlackDigestClock, { strict: false }).tick();
const callsOf = (method: string, of: RegExp) =>
  at.slack.calls.filter((call) => call.method === method && of.test(JSON.stringify(call.args)));

describe('whatever is said in Slack', () => {
  it('is taken literally: Slack is told to look for no names and addresses in any message, thread, window or tab', async () => {
    await tick();
    const { id } = await at.open({ assign: { to: [{ user: 'alice' }, { user: 'bob' }] } });
    const message = await at.posted(id);
    await at.told(ALICE, id);
    const comments = at.app.get(ReviewComments, { strict: false });
    await comments.add(await at.reviews.get(id), 'ask @alice', person('bob'));
    await eventually(() => at.thread(message).length > 0, { what: 'a line in the thread' });
    await at.slack.click(message, 'review.more', ALICE);
    await at.slack.click(message, 'review.claim', MALLORY);
    await at.slack.click(message, 'review.claim', ALICE);
    await at.slack.openHome(ALICE);
    at.run(0);
    for (let n = 0; n < 20; n++) await at.open();
    at.run(100);
    await eventually(() => at.slack.messages.some(({ text }) => /new reviews/.test(text)), {
      what: 'a storm',
    });
    await at.quiet();
    at.stage.clock.advance(DAY);
    await tick();
    await eventually(() => at.slack.messages.some(({ text }) => text.startsWith('Reviews: the')), {
      what: 'the digest',
    });
    await eventually(() => at.slack.homes.has(ALICE.id), { what: 'a Home tab' });

    for (const [method, of] of [
      ['chat.postMessage', /Secrets found/],
      ['chat.postMessage', /thread_ts/],
      ['chat.postMessage', /share a message/],
      ['chat.postMessage', /Reviews: the day/],
      ['chat.update', /Claimed by/],
      ['chat.postEphemeral', /It is yours now/],
      ['views.open', /review\.more/],
      ['views.publish', /verbatim/],
    ] as const)
      expect(callsOf(method, of), `${method} ${String(of)}`).not.toEqual([]);
    expect(looseCalls(at.slack.calls)).toEqual([]);
  });
});
