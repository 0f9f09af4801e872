import type { ActionMode } from '../../s3/buckets.js';

/** How an outcome is shown and what it asks for. */
export interface OutcomeFacts {
  readonly label: string;
  /** What happens when it is chosen, in one sentence. */
  readonly effect: string;
  readonly needsReason: boolean;
  /** It refuses what was asked for; anything else grants something. */
  readonly refuses: boolean;
  /** Drives the look of its button; `danger` destroys something. */
  readonly tone: 'primary' | 'danger' | 'neutral';
}

/** What decides on how much comes of an outcome; what is not known is absent. */
export interface Handling {
  /** Of the object's bucket. */
  readonly actionMode?: ActionMode | undefined;
  /** The object was moved to quarantine. */
  readonly quarantined?: boolean | undefined;
  /** The service touches no object (DRY_RUN). */
  readonly dryRun?: boolean | undefined;
}

const KNOWN: Readonly<Record<string, OutcomeFacts>> = {
  release: {
    label: 'Release',
    effect: 'The object becomes available again, as it was uploaded.',
    needsReason: true,
    refuses: false,
    tone: 'primary',
  },
  delete: {
    label: 'Delete',
    effect: 'The object is deleted for good. The ledger keeps its record.',
    needsReason: false,
    refuses: true,
    tone: 'danger',
  },
  keep: {
    label: 'Keep in quarantine',
    effect: 'The object stays in quarantine.',
    needsReason: false,
    refuses: true,
    tone: 'neutral',
  },
  skipped: {
    label: 'Skip',
    effect: 'The workflow goes on without an answer.',
    needsReason: true,
    refuses: true,
    tone: 'neutral',
  },
  expired: {
    label: 'Expired',
    effect: 'Nobody decided in time: the workflow is told no.',
    needsReason: false,
    refuses: true,
    tone: 'neutral',
  },
  approve: {
    label: 'Approve',
    effect: 'The workflow goes on.',
    needsReason: false,
    refuses: false,
    tone: 'primary',
  },
  complete: {
    label: 'Complete',
    effect: 'The workflow goes on with what was filled in.',
    needsReason: false,
    refuses: false,
    tone: 'primary',
  },
  reject: {
    label: 'Reject',
    effect: 'The workflow is told no.',
    needsReason: false,
    refuses: true,
    tone: 'danger',
  },
  sign: {
    label: 'Sign',
    effect: 'It is recorded that you read it.',
    needsReason: false,
    refuses: false,
    tone: 'primary',
  },
  question: {
    label: 'Ask first',
    effect: 'It is not signed: what you write has to be answered.',
    needsReason: true,
    refuses: true,
    tone: 'neutral',
  },
};

/** What is known of an outcome; one that a definition invented gets its own name as label. */
export function outcomeFacts(outcome: string, handling: Handling = {}): OutcomeFacts {
  if (Object.hasOwn(KNOWN, outcome)) {
    const known = KNOWN[outcome] as OutcomeFacts;
    return { ...known, effect: effectHere(outcome, handling) ?? known.effect };
  }
  const words = outcome.replaceAll(/[_-]+/g, ' ').trim();
  return {
    label: words.charAt(0).toUpperCase() + words.slice(1),
    effect: `The workflow goes on with “${outcome}”.`,
    needsReason: false,
    refuses: false,
    tone: 'neutral',
  };
}

/** Where less happens than the outcome's name says: what does, and why. */
function effectHere(outcome: string, { actionMode, quarantined, dryRun }: Handling): string | undefined {
  const untouched = quarantined !== true && (actionMode === 'tag' || actionMode === 'observe');
  switch (outcome) {
    case 'delete':
      if (dryRun === true) return 'It is only recorded: the service runs dry (DRY_RUN), and deletes nothing.';
      if (!untouched) return undefined;
      return `It is only recorded: the object stays where it is, because the bucket’s mode is ${actionMode}.`;
    case 'release':
      if (quarantined === false || untouched)
        return 'The object stays available, as it was uploaded: it was never moved.';
      if (dryRun !== true) return undefined;
      return 'It is only recorded: the service runs dry (DRY_RUN), and moves nothing back.';
    case 'keep':
      if (quarantined !== false && !untouched) return undefined;
      return 'The object stays where it was uploaded: it was never moved.';
    default:
      return undefined;
  }
}
