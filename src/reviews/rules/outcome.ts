/** How an outcome is shown and what it asks for. */
export interface OutcomeFacts {
  readonly label: string;
  /** What happens when it is chosen, in one sentence. */
  readonly effect: string;
  readonly needsReason: boolean;
  /** Drives the look of its button; `danger` destroys something. */
  readonly tone: 'primary' | 'danger' | 'neutral';
}

const KNOWN: Readonly<Record<string, OutcomeFacts>> = {
  release: {
    label: 'Release',
    effect: 'The object becomes available again, as it was uploaded.',
    needsReason: true,
    tone: 'primary',
  },
  delete: {
    label: 'Delete',
    effect: 'The object is deleted for good. The ledger keeps its record.',
    needsReason: false,
    tone: 'danger',
  },
  keep: {
    label: 'Keep in quarantine',
    effect: 'The object stays in quarantine.',
    needsReason: false,
    tone: 'neutral',
  },
  approve: { label: 'Approve', effect: 'The workflow goes on.', needsReason: false, tone: 'primary' },
  reject: { label: 'Reject', effect: 'The workflow is told no.', needsReason: false, tone: 'danger' },
};

/** What is known of an outcome; one that a definition invented gets its own name as label. */
export function outcomeFacts(outcome: string): OutcomeFacts {
  if (Object.hasOwn(KNOWN, outcome)) return KNOWN[outcome] as OutcomeFacts;
  const words = outcome.replaceAll(/[_-]+/g, ' ').trim();
  return {
    label: words.charAt(0).toUpperCase() + words.slice(1),
    effect: `The workflow goes on with “${outcome}”.`,
    needsReason: false,
    tone: 'neutral',
  };
}
