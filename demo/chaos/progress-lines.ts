/** How far the demonstration is. */
export interface ChaosProgress {
  readonly uploaded: number;
  readonly verdicts: number;
  readonly isUp: boolean;
  /** Since the start. */
  readonly seconds: number;
}

// Long enough not to hurry anybody, short enough that nobody thinks it hangs.
const SILENCE_SECONDS = 5;

/**
 * Says when a line is due: when something changed, and while the service is away every few seconds all the same, for
 * how long that has been so. Pure but for what it remembers.
 */
export function progressLines(): (now: ChaosProgress) => string | undefined {
  let said = '';
  let saidAt = 0;
  let downSince: number | undefined;
  return ({ uploaded, verdicts, isUp, seconds }) => {
    downSince = isUp ? undefined : (downSince ?? seconds);
    const counts = `${uploaded} uploaded  ${verdicts} verdicts`;
    const state = isUp ? counts : `${counts}  the service is down`;
    const isSilent = downSince !== undefined && seconds - saidAt >= SILENCE_SECONDS;
    if (state === said && !isSilent) return undefined;
    const downFor = seconds - (downSince ?? seconds);
    const still =
      downFor < SILENCE_SECONDS
        ? ''
        : ` for ${downFor} s; it is started again and recovers, uploads wait for it`;
    said = state;
    saidAt = seconds;
    return `${String(seconds).padStart(4)} s  ${state}${still}`;
  };
}
