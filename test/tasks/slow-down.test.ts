import { afterEach, expect, it } from 'vitest';
import { commonSettings } from '../../src/s3/client-settings.js';
import { refusal, type SeenRequest } from '../support/lying-s3.js';
import { lyingStage, type LyingStage } from './lying-stage.js';

const SLOW_DOWN = refusal(503, 'SlowDown', 'Please reduce your request rate.');
const SECRET =
  'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIsK7MDENGbPxRfiCYzq8bT2vKp4L\nAWS_ACCESS_KEY_ID=AKIAZ7Q3XWPLM5RT2YKD\n';

// A stage for each: a client that was told to slow down stays slow for a while.
let lying: LyingStage | undefined;
afterEach(async () => {
  await lying?.close();
  lying = undefined;
});

const callOf = ({ method, path, headers }: SeenRequest): string =>
  `${method} ${path} ${headers.range ?? ''}`.trim();

function countsOf(seen: readonly SeenRequest[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const request of seen) counts.set(callOf(request), (counts.get(callOf(request)) ?? 0) + 1);
  return counts;
}

it('a scan whose every call is refused twice with SlowDown ends with the verdict on its bytes', async () => {
  lying = await lyingStage();
  const { s3, stage, scanned } = lying;
  s3.object = { body: Buffer.from(SECRET), eTag: 'e1', versionId: 'v1' };
  const refused = new Map<string, number>();
  s3.lie((request) => {
    const call = callOf(request);
    const times = (refused.get(call) ?? 0) + 1;
    refused.set(call, times);
    return times <= 2 ? SLOW_DOWN : undefined;
  });
  expect(await scanned()).toMatchObject({ verdict: 'secrets' });
  expect(stage.ledger.verdicts).toHaveLength(1);
  const counts = countsOf(s3.seen);
  expect(counts.get('HEAD /uploads/k')).toBe(3);
  // Twice refused and once answered; a second reader may ask once more for the same bytes.
  for (const count of counts.values()) expect(count).toBeGreaterThanOrEqual(3);
  expect(s3.seen.length).toBeLessThanOrEqual(16);
}, 30_000);

it('a call that S3 always answers with SlowDown ends after four attempts, and is waited for without a verdict', async () => {
  lying = await lyingStage();
  const { s3, stage, scanned } = lying;
  s3.lie(() => SLOW_DOWN);
  expect(await scanned()).toHaveProperty('retry');
  expect(stage.ledger.verdicts).toEqual([]);
  expect(countsOf(s3.seen)).toEqual(new Map([['HEAD /uploads/k', 4]]));
  // What comes back is scanned as if nothing had been.
  s3.lie(() => undefined);
  expect(await scanned()).toMatchObject({ verdict: 'incomplete', reason: 'malware_engine_missing' });
}, 30_000);

it('clients slow down what they send while S3 asks for it, and try each call four times at most', async () => {
  lying = await lyingStage();
  const { config } = lying.endpoints.client('embedded');
  expect(await config.maxAttempts()).toBe(4);
  expect(commonSettings(false)).toMatchObject({ retryMode: 'adaptive', maxAttempts: 4 });
  const strategy = await config.retryStrategy();
  expect(strategy.constructor.name).toBe('AdaptiveRetryStrategy');
});
