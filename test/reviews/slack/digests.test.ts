import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SlackDigestClock } from '../../../src/reviews/channels/slack/digests/digest-clock.js';
import { digestMessage } from '../../../src/reviews/channels/slack/digests/digest-message.js';
import { eventually } from '../../support/eventually.js';
import { linksIn, mentionsIn, textOf } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { DeliveryStage, seen } from './delivery-stage.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the digest of a day', () => {
  let at: DeliveryStage;
  beforeEach(async () => {
    at = await DeliveryStage.start({
      ORG_TIME_ZONE: 'Europe/Berlin',
      SLACK_DIGEST_WEEKLY: 'mon 10:00',
      SLACK_DIGEST_DAILY: '10:00',
    });
  });
  afterEach(() => at.close());

  const tick = () => at.app.get(SlackDigestClock, { strict: false }).tick();
  const digests = () => at.slack.messages.filter(({ text }) => text.startsWith('Reviews: the'));

  it('says what waits and what was decided by whom, once, and the week in its place on Mondays', async () => {
    // Monday, 10:00 in Berlin: the first look has nothing to tell of.
    await tick();
    const [first, second] = [await at.open({ deadline: '2h' }), await at.open()];
    await at.reviews.act(second.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    await at.quiet();
    expect(digests()).toEqual([]);
    at.stage.clock.advance(DAY);
    await Promise.all([tick(), tick(), tick()]);
    const [digest] = await eventually(() => (digests().length > 0 ? digests() : undefined));
    expect(digest?.text).toMatch(/^Reviews: the day: [01] waits?|wait/);
    expect(textOf(digest?.blocks)).toContain('2 came, *1 decided* (Bob 1)');
    expect(textOf(digest?.blocks)).toMatch(/Time to decide: median \d+ (s|min), 90 % within \d+ (s|min)/);
    expect(first.state).toBe('OPEN');
    await tick();
    await at.quiet();
    expect(digests()).toHaveLength(1);

    // Away until after the next Monday: one message, of the week.
    at.stage.clock.advance(6 * DAY);
    await tick();
    await eventually(() => digests().length === 2);
    expect(digests()[1]?.text).toMatch(/^Reviews: the week/);
    await tick();
    await at.quiet();
    expect(digests()).toHaveLength(2);
  });

  it('is one line where there is nothing to tell', async () => {
    await tick();
    at.stage.clock.advance(DAY);
    await tick();
    const [digest] = await eventually(() => (digests().length > 0 ? digests() : undefined));
    expect(digest && seen(digest)).toMatch(/Nothing waits, and nothing was asked or decided since/);
    expect(digest?.blocks).toHaveLength(1);
  });
});

describe('a digest', () => {
  it('keeps within its limits and names nobody by a mention', () => {
    const took = { count: 1, p50: 60, p90: 7200 };
    const queue = (n: number) => ({
      queue: `<!channel> *q${n}*`,
      waiting: 5,
      unclaimed: 1,
      oldestAt: 1_795_000_000_000,
      breached: 2,
      dueSoon: 1,
      arrived: 3,
      decided: 4,
      skipped: 0,
      expired: 1,
      cancelled: 0,
      late: 1,
      secondsToClaim: took,
      secondsToDecide: took,
    });
    const message = digestMessage(
      {
        kind: 'weekly',
        from: 1_795_000_000_000,
        queues: Array.from({ length: 30 }, (_, n) => queue(n)),
        deciders: [{ name: '<@U1> @here', decided: 4 }],
      },
      'https://sallyport.example',
    );
    expect(textOf(message.blocks)).toContain('and 20 more queues');
    const shown = { text: message.text, blocks: message.blocks } as never;
    expect(mentionsIn(shown)).toEqual([]);
    expect(linksIn(shown)).toEqual([]);
  });
});
