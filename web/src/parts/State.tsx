/* A state is always said three ways: colour, icon and word. */

const LOOKS: Readonly<Record<string, { icon: string; tone: string; word?: string }>> = {
  NOT_REACHED: { icon: '○', tone: 'idle', word: 'not reached' },
  SCHEDULED: { icon: '…', tone: 'wait' },
  IN_PROGRESS: { icon: '▶', tone: 'run', word: 'in progress' },
  COMPLETED: { icon: '✓', tone: 'good' },
  COMPLETED_WITH_ERRORS: { icon: '✓', tone: 'warn', word: 'completed with errors' },
  SKIPPED: { icon: '»', tone: 'idle' },
  FAILED: { icon: '✕', tone: 'bad' },
  FAILED_WITH_TERMINAL_ERROR: { icon: '✕', tone: 'bad', word: 'failed for good' },
  TIMED_OUT: { icon: '◷', tone: 'bad', word: 'timed out' },
  CANCELED: { icon: '⊘', tone: 'idle' },
  RUNNING: { icon: '▶', tone: 'run' },
  PAUSED: { icon: '❚❚', tone: 'wait' },
  TERMINATED: { icon: '⊘', tone: 'bad' },
  pending: { icon: '…', tone: 'wait' },
  clean: { icon: '✓', tone: 'good' },
  'clean (secrets)': { icon: '✓', tone: 'good' },
  'clean (malware)': { icon: '✓', tone: 'good' },
  infected: { icon: '☣', tone: 'bad' },
  secrets: { icon: '✱', tone: 'bad' },
  suspicious: { icon: '?', tone: 'warn' },
  encrypted: { icon: '▣', tone: 'warn' },
  incomplete: { icon: '◐', tone: 'warn' },
  unsupported: { icon: '◌', tone: 'warn' },
  archived: { icon: '❄', tone: 'idle' },
  denied: { icon: '⊖', tone: 'warn' },
  gone: { icon: '∅', tone: 'idle' },
  superseded: { icon: '↷', tone: 'idle' },
  skipped: { icon: '»', tone: 'idle' },
  failed: { icon: '✕', tone: 'bad' },
  OPEN: { icon: '●', tone: 'wait' },
  ASSIGNED: { icon: '◎', tone: 'wait' },
  CLAIMED: { icon: '◉', tone: 'run' },
  ON_HOLD: { icon: '❚❚', tone: 'wait', word: 'on hold' },
  INFO_REQUESTED: { icon: '?', tone: 'wait', word: 'waits for an answer' },
  EXPIRED: { icon: '◷', tone: 'warn' },
  CANCELLED: { icon: '⊘', tone: 'idle' },
  REQUESTED: { icon: '…', tone: 'wait', word: 'asked for' },
  IN_FORCE: { icon: '✓', tone: 'good', word: 'in force' },
  REFUSED: { icon: '✕', tone: 'idle' },
  WITHDRAWN: { icon: '⊘', tone: 'idle' },
  EXTENDED: { icon: '↷', tone: 'idle' },
  REMEDIED: { icon: '✓', tone: 'good' },
  RETURNED: { icon: '↻', tone: 'bad', word: 'came back' },
  OVERDUE: { icon: '◷', tone: 'bad' },
  ENABLED: { icon: '✓', tone: 'good' },
  estimating: { icon: '…', tone: 'run' },
  estimated: { icon: '?', tone: 'wait' },
  paused: { icon: '❚❚', tone: 'wait' },
  completed: { icon: '✓', tone: 'good' },
  cancelled: { icon: '⊘', tone: 'idle' },
  waiting: { icon: '…', tone: 'wait' },
  running: { icon: '▶', tone: 'run' },
  done: { icon: '✓', tone: 'good' },
  retrying: { icon: '↻', tone: 'warn' },
  missed: { icon: '◷', tone: 'warn' },
  ok: { icon: '✓', tone: 'good' },
  warn: { icon: '!', tone: 'warn', word: 'look at it' },
  fail: { icon: '✕', tone: 'bad', word: 'fails' },
  healthy: { icon: '✓', tone: 'good' },
  degraded: { icon: '◐', tone: 'warn', word: 'degraded: works with limits' },
  unhealthy: { icon: '✕', tone: 'bad', word: 'does not work' },
  limited: { icon: '◐', tone: 'warn' },
  arrive: { icon: '✓', tone: 'good' },
  missing: { icon: '✕', tone: 'bad', word: 'some do not arrive' },
  unheard: { icon: '○', tone: 'idle', word: 'none yet' },
  wins: { icon: '✓', tone: 'good' },
  holds: { icon: '○', tone: 'run', word: 'would hold' },
  fallback: { icon: '◐', tone: 'warn' },
  fails: { icon: '✕', tone: 'idle', word: 'does not fit' },
  disabled: { icon: '❚❚', tone: 'idle', word: 'switched off' },
  DISABLED: { icon: '❚❚', tone: 'idle' },
};

export const toneOf = (state: string): string => LOOKS[state]?.tone ?? 'idle';
export const iconOf = (state: string): string => LOOKS[state]?.icon ?? '•';
export const wordOf = (state: string): string =>
  LOOKS[state]?.word ?? state.toLowerCase().replaceAll('_', ' ');

export function State({ of: state }: { of: string }) {
  return (
    <span className={`state tone-${toneOf(state)}`}>
      <span aria-hidden="true">{iconOf(state)}</span> {wordOf(state)}
    </span>
  );
}
