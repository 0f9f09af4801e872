import { setTimeout as sleep } from 'node:timers/promises';
import type { Cli } from './cli.js';
import { Passing } from './client.js';
import { CommandError } from './command-error.js';

const FIRST_LOOK_MS = 250;
const LAST_LOOK_MS = 5_000;
// As long as `follow` does: a failover takes a minute or two.
const GIVE_UP_MS = 5 * 60_000;

/**
 * Looks again and again, ever more seldom, until there is an answer. A service that is away for a moment is asked
 * again; how far the work is belongs to `look`.
 *
 * @param what completes "after so long, still no …"
 * @throws CommandError after `timeoutSeconds`, or when the service is away for five minutes.
 */
export async function waitFor<T>(
  cli: Cli,
  look: () => Promise<T | undefined>,
  { timeoutSeconds, what }: { readonly timeoutSeconds: number; readonly what: string },
): Promise<T> {
  const beganAt = performance.now();
  let answeredAt = beganAt;
  let isAway = false;
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(LAST_LOOK_MS, pause * 1.5)) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
      answeredAt = performance.now();
      if (isAway) cli.note('the service answers again');
      isAway = false;
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      if (performance.now() - answeredAt > GIVE_UP_MS) throw error;
      if (!isAway) cli.note(`${error.message} Trying again.`);
      isAway = true;
    }
    const leftMs = beganAt + timeoutSeconds * 1000 - performance.now();
    if (leftMs <= 0) {
      throw new CommandError(`After ${timeoutSeconds} s, still no ${what}. Wait longer with --timeout.`);
    }
    await sleep(Math.min(pause, leftMs));
  }
}
