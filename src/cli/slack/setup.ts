import type { Cli } from '../cli.js';
import { durationText } from '../../outbound/safe-text.js';
import { channelStep } from './channel-step.js';
import { peopleStep } from './people-step.js';
import { givenSecrets, type SecretOptions } from './secrets.js';
import { missingLines, readStatus } from './status.js';
import { testReviewStep } from './test-review-step.js';
import { tokensStep, type AppWish } from './tokens-step.js';

export interface SetupOptions extends SecretOptions, AppWish {
  readonly channel?: string;
  readonly ask?: string;
  readonly again?: true;
  readonly people: boolean;
  readonly test: boolean;
  readonly timeout: number;
}

/** From nothing to a review that was answered in Slack. Each step that is done is skipped, so that it can be run again. */
export async function setUp(cli: Cli, options: SetupOptions): Promise<void> {
  const began = performance.now();
  const given = await givenSecrets(cli, options);
  const status = await tokensStep(cli, await readStatus(cli), given, options);
  const channel = await channelStep(cli, status, options.channel);
  if (options.people) await peopleStep(cli);
  const test = options.test
    ? await testReviewStep(cli, {
        ask: options.ask,
        again: options.again === true,
        timeoutSeconds: options.timeout,
      })
    : undefined;
  const after = await readStatus(cli);
  const tookMs = Math.round(performance.now() - began);
  if (test !== undefined && test.via !== 'slack') cli.exitCode = 1;
  cli.print({ channel, testReview: test ?? null, missing: after.missing, tookMs }, () => [
    test === undefined
      ? `Slack is set up, in ${durationText(tookMs)}.`
      : test.via === 'slack'
        ? `Slack is set up and answered, in ${durationText(tookMs)}.`
        : `The test review was answered by ${test.via}, not in Slack. Run it again to answer it there.`,
    ...missingLines(after),
  ]);
}
