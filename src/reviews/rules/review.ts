import type { Instant } from '../../clock.js';

export const REVIEW_STATES = ['OPEN', 'CLAIMED', 'COMPLETED', 'CANCELLED'] as const;

/** `OPEN` waits for anybody, `CLAIMED` for one person; the other two are ends. */
export type ReviewState = (typeof REVIEW_STATES)[number];

export const isEnded = (state: ReviewState): boolean => state === 'COMPLETED' || state === 'CANCELLED';

/** A person as reviews know them: one local person, whichever channel they answer in. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

/** Where somebody acted; `api`: with an API key, as the command line does. */
export type Via = 'web' | 'api' | 'mail' | 'slack' | 'system';

/** Who acts, and how that was proved. */
export interface Reviewer extends Person {
  /** May take over what others hold. */
  readonly isAdmin: boolean;
  readonly via: Via;
  /** How the identity was proved: `session`, `token`, `apikey`, `auth-off`, `mail-link`, `mail-code`, `slack`. */
  readonly method: string;
}

/** A decision as it was made. */
export interface Decision {
  readonly outcome: string;
  readonly by: Person;
  readonly at: Instant;
  readonly via: Via;
  readonly method: string;
  readonly reason: string;
}

/** What the rules need to know of a review. */
export interface ReviewStanding {
  readonly id: string;
  readonly state: ReviewState;
  readonly version: number;
  readonly outcomes: readonly string[];
  readonly subjectDigest: string;
  readonly claim?: { readonly by: Person; readonly at: Instant } | undefined;
  readonly decision?: Decision | undefined;
  readonly cancelled?: { readonly at: Instant; readonly reason: string } | undefined;
}
