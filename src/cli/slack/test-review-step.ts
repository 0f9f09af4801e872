import { durationText, visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { query } from '../values.js';
import { waitFor } from '../waiting.js';
import { done, todo } from './step.js';

/** The shipped definition of a question about nothing, and the queue in which it is asked. */
export const TEST_WORKFLOW = 'channel_test';
export const TEST_QUEUE = 'channel-test';

interface Review {
  readonly id: string;
  readonly workflowId: string;
  readonly state: string;
  readonly decision: {
    readonly label: string;
    readonly by: { readonly name: string };
    readonly via: string;
    readonly at: string;
  } | null;
  readonly createdAt: string;
}

/** A test review that somebody decided. */
export interface TestReview {
  readonly reviewId: string;
  readonly by: string;
  readonly via: string;
  readonly outcome: string;
  readonly tookMs: number;
}

const OPENED_SECONDS = 60;

/**
 * Asks a real question about nothing in the channel, and waits until somebody answered it in Slack. One that is open
 * already is waited for, and one that was answered in Slack before is enough unless another is asked for.
 */
export async function testReviewStep(
  cli: Cli,
  options: { readonly ask?: string | undefined; readonly again: boolean; readonly timeoutSeconds: number },
): Promise<TestReview> {
  const [open] = await reviews(cli, { state: 'WAITING' });
  if (open === undefined && !options.again) {
    const before = (await reviews(cli, { state: 'COMPLETED' })).find(isFromSlack);
    if (before !== undefined) {
      done(cli, 'a test review was decided in Slack before; --again asks another');
      return outcomeOf(before);
    }
  }
  const review = open ?? (await begin(cli, options.ask));
  if (open !== undefined) done(cli, 'a test review waits in the channel already');
  else done(cli, 'a test review was posted: it is about no object, and nothing happens whatever is chosen');
  todo(cli, 'answer it in Slack: Approve or Reject, with a reason');
  const decided = await waitFor(cli, async () => over(await reviewOf(cli, review.id)), {
    timeoutSeconds: options.timeoutSeconds,
    what: 'answer to the test review',
  });
  const outcome = outcomeOf(decided);
  done(
    cli,
    `${visible(outcome.by, 100)} chose ${visible(outcome.outcome, 60)} by ${outcome.via}, ${durationText(outcome.tookMs)} after it was asked`,
  );
  return outcome;
}

async function begin(cli: Cli, askLogin: string | undefined): Promise<Review> {
  const workflowId = await cli.client.call<string>('POST', '/api/workflow', {
    name: TEST_WORKFLOW,
    input: {
      askedBy: 'sallyport slack setup',
      ...(askLogin !== undefined && { assign: [{ user: askLogin }] }),
    },
  });
  return waitFor(cli, async () => (await reviews(cli, { workflowId }))[0], {
    timeoutSeconds: OPENED_SECONDS,
    what: 'test review in the inbox',
  });
}

async function reviews(cli: Cli, asked: { state?: string; workflowId?: string }): Promise<readonly Review[]> {
  const path = query('/api/v1/reviews', { queue: TEST_QUEUE, limit: 20, ...asked });
  return (await cli.client.call<{ readonly items: readonly Review[] }>('GET', path)).items;
}

const reviewOf = (cli: Cli, id: string): Promise<Review> =>
  cli.client.call<Review>('GET', `/api/v1/reviews/${encodeURIComponent(id)}`);

/** @throws CommandError for one that ended without an answer. */
function over(review: Review): Review | undefined {
  if (review.decision !== null) return review;
  if (!/^(OPEN|ASSIGNED|CLAIMED|ON_HOLD|INFO_REQUESTED)$/.test(review.state))
    throw new CommandError(`The test review ended without an answer (${review.state}). Run it again.`);
  return undefined;
}

const isFromSlack = ({ decision }: Review): boolean => decision?.via === 'slack';

function outcomeOf({ id, decision, createdAt }: Review): TestReview {
  return {
    reviewId: id,
    by: decision?.by.name ?? '',
    via: decision?.via ?? '',
    outcome: decision?.label ?? '',
    tookMs: Date.parse(decision?.at ?? createdAt) - Date.parse(createdAt),
  };
}
