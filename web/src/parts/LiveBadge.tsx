import { when } from '../format.js';
import type { Liveness } from '../live/connection.js';

const LOOKS = {
  connecting: { icon: '○', tone: 'idle', word: 'connecting' },
  live: { icon: '●', tone: 'good', word: 'live' },
  reconnecting: { icon: '◌', tone: 'warn', word: 'reconnecting' },
  stale: { icon: '◌', tone: 'bad', word: 'stale' },
} as const;

/** Whether what the page shows is current, and if not, since when. */
export function LiveBadge({ of: liveness }: { of: Liveness }) {
  const { icon, tone, word } = LOOKS[liveness.kind];
  return (
    <span
      className={`state live tone-${tone}`}
      role="status"
      data-testid="liveness"
      data-state={liveness.kind}
    >
      <span aria-hidden="true">{icon}</span> {word}
      {'since' in liveness ? <span className="quiet"> since {when(liveness.since)}</span> : null}
    </span>
  );
}
