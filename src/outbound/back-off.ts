/** After so many attempts a message is given up: with the delays below about a day and a half after the first. */
export const MAX_ATTEMPTS = 50;

const FIRST_SECONDS = 1;
// A mail server or Slack that was away for a night is found again within half an hour.
const CAP_SECONDS = 1800;

/**
 * Seconds until the next attempt: doubling with a cap, spread by half so that many messages that failed together do
 * not come back together. `random` is in [0, 1).
 */
export function retryDelaySeconds(attempt: number, random: number): number {
  const full = Math.min(CAP_SECONDS, FIRST_SECONDS * 2 ** Math.min(attempt - 1, 30));
  return full * (0.5 + random / 2);
}
