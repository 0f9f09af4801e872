import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../test/support/eventually.js';
import { readOptions, report, SIZE_AND_SEED } from './proof.js';
import { CleanUp } from './scale/clean-up.js';
import { SlackService } from './slack/slack-service.js';

/*
 * Two thousand reviews open as fast as workflows start. Slack takes one message a second and channel, so that one message
 * each would take more than half an hour and be read by nobody: they must be told by few, within the pace, and each by one.
 */

const SIZES = { small: 60, full: 2_000 } as const;
const AT_ONCE = 32;
const SETTLE_MS = 10 * 60_000;
/** Messages of their own and digests together. */
const MOST_MESSAGES = { small: 30, full: 60 } as const;

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const reviews = SIZES[options.size];
  process.stdout.write(`slack-storm: ${reviews} reviews, seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-slack-storm-'));
  chmodSync(folder, 0o711);
  const cleanUp = new CleanUp();
  cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));
  const began = performance.now();
  try {
    const at = await SlackService.start(folder, cleanUp);
    const { slack, database } = at;
    const openedFrom = performance.now();
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < reviews) {
        next += 1;
        await at.begin(next, false);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    await eventually(async () => (await count(at, 'SELECT count(*)::int AS n FROM review')) === reviews, {
      timeoutMs: SETTLE_MS,
      what: 'all reviews open',
    });
    const openedSeconds = (performance.now() - openedFrom) / 1000;
    await eventually(
      async () =>
        (await count(
          at,
          `SELECT count(*)::int AS n FROM outbox WHERE kind IN ('slack.post', 'slack.storm')
            AND state IN ('pending', 'sending', 'ambiguous') AND due_at < ${Date.now() + 30_000}`,
        )) === 0,
      { timeoutMs: SETTLE_MS, what: 'Slack was told' },
    );
    const toldSeconds = (performance.now() - openedFrom) / 1000;
    const single = await count(
      at,
      `SELECT count(DISTINCT review_id)::int AS n FROM review_message WHERE channel = 'slack'`,
    );
    const inStorms = await count(
      at,
      `SELECT count(*)::int AS n FROM slack_storm_review m JOIN slack_storm s ON s.id = m.storm_id
        WHERE s.ts IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM review_message c WHERE c.review_id = m.review_id)`,
    );
    const digests = slack.messages.filter(({ text }) => /new reviews?:/.test(text));
    const told = digests.reduce((sum, { text }) => sum + Number(/^\d+/.exec(text)?.[0] ?? 0), 0);
    const [trouble] = await database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM outbox WHERE kind LIKE 'slack.%' AND state = 'failed'`,
    );
    const refused = slack.messages.length === 0 ? 0 : await tooFast(at);
    const figures = {
      reviews,
      openedSeconds: rounded(openedSeconds),
      toldSeconds: rounded(toldSeconds),
      messages: slack.messages.length,
      messagesOfTheirOwn: single,
      digests: digests.length,
      toldByDigests: inStorms,
      countedInDigests: told,
      updates: slack.messages.reduce((sum, message) => sum + message.updates, 0),
      attemptsThatSlackRefused: refused,
    };
    const passed =
      single + inStorms === reviews &&
      told === inStorms &&
      trouble?.n === 0 &&
      slack.messages.length <= MOST_MESSAGES[options.size];
    report('slack-storm', options, (performance.now() - began) / 1000, figures, passed);
    return passed;
  } finally {
    await cleanUp.run();
  }
}

/** Messages that Slack did not take because they came too fast. */
async function tooFast(at: SlackService): Promise<number> {
  return count(
    at,
    `SELECT count(*)::int AS n FROM outbox WHERE kind LIKE 'slack.%' AND reason = 'Slack asks to wait'`,
  );
}

async function count({ database }: SlackService, query: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(query);
  return row?.n ?? 0;
}

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;
