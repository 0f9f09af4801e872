import type { Instant } from '../../clock.js';
import type { Policy } from './policy.js';

export const REVIEW_STATES = [
  'OPEN',
  'ASSIGNED',
  'CLAIMED',
  'ON_HOLD',
  'INFO_REQUESTED',
  'COMPLETED',
  'EXPIRED',
  'SKIPPED',
  'CANCELLED',
] as const;

/**
 * `OPEN` waits for anybody of its pool, `ASSIGNED` for one person who has not begun, `CLAIMED` for one who has.
 * `ON_HOLD` waits for a time, `INFO_REQUESTED` for an answer. The last four are ends: decided by people, ended by the
 * clock, left out by somebody with a reason, and no longer asked because the workflow ended.
 */
export type ReviewState = (typeof REVIEW_STATES)[number];

const ENDS: ReadonlySet<ReviewState> = new Set(['COMPLETED', 'EXPIRED', 'SKIPPED', 'CANCELLED']);

/** The states in which somebody can still decide. */
export const WAITING_STATES = REVIEW_STATES.filter((state) => !ENDS.has(state));

export const isEnded = (state: ReviewState): boolean => ENDS.has(state);

/** A person as reviews know them: one local person, whichever channel they answer in. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

/** Where somebody acted; `api`: with an API key, as the command line does. */
export type Via = 'web' | 'api' | 'mail' | 'slack' | 'system';

/** Who acts, and how that was proved. */
export interface Reviewer extends Person {
  /** May take over what others hold, and decide where they are not asked; never past four eyes. */
  readonly isAdmin: boolean;
  readonly via: Via;
  /** How the identity was proved: `session`, `token`, `apikey`, `auth-off`, `mail-link`, `mail-code`, `slack`. */
  readonly method: string;
  /** The only queues in which they may decide; all of them when absent. */
  readonly queues?: readonly string[] | undefined;
  /** The groups that they are in now, by name. */
  readonly groups?: readonly string[] | undefined;
  /** People who are away now and whom they stand in for, with those people's groups. */
  readonly standsInFor?: readonly (Person & { readonly groups: readonly string[] })[] | undefined;
}

/** Whether it is an API key that acts, or its token, and no person. */
export const isKey = ({ method }: Pick<Reviewer, 'method'>): boolean =>
  method === 'apikey' || method === 'token';

/** What one person said of what they were shown. */
export interface Vote {
  readonly by: Person;
  /** Who was asked and is away; the vote is theirs, given by `by`. */
  readonly onBehalfOf?: Person | undefined;
  readonly outcome: string;
  readonly reason: string;
  readonly at: Instant;
  readonly via: Via;
  readonly method: string;
  /** Of the voter, as they were then. */
  readonly groups: readonly string[];
  /** An admin decided who was not asked. */
  readonly isOverride: boolean;
  /** What was filled into the form. */
  readonly form?: Readonly<Record<string, unknown>> | undefined;
}

/** A decision as it was made: by the vote that completed the quorum, or by the clock. */
export interface Decision {
  readonly outcome: string;
  readonly by: Person;
  readonly at: Instant;
  readonly via: Via;
  readonly method: string;
  readonly reason: string;
}

/** The vote that a decision came from; none where the clock decided. */
export const decidingVote = (votes: readonly Vote[], { by, outcome }: Decision): Vote | undefined =>
  votes.find((vote) => vote.by.id === by.id && vote.outcome === outcome);

/** Somebody who must not decide here, and what they have to do with it. */
export interface Excluded extends Person {
  readonly because: ExcludedAs;
}
export type ExcludedAs = 'requester' | 'uploader' | 'definitionEditor' | 'assigner';

/** What the rules need to know of a review. */
export interface ReviewStanding {
  readonly id: string;
  readonly state: ReviewState;
  readonly version: number;
  readonly outcomes: readonly string[];
  readonly subjectDigest: string;
  readonly policy: Policy;
  /** Counts what was shown: a rescan with another result begins the next. */
  readonly round: number;
  /** Of this round. */
  readonly votes: readonly Vote[];
  readonly excluded: readonly Excluded[];
  /** Whom it is given to (`ASSIGNED`) or who is on it (`CLAIMED`); kept while it is on hold or waits for an answer. */
  readonly claim?: { readonly by: Person; readonly at: Instant } | undefined;
  /** Who handed it on to the holder and answers for it still. */
  readonly owner?: Person | undefined;
  readonly hold?:
    | { readonly by: Person; readonly since: Instant; readonly until: Instant; readonly reason: string }
    | undefined;
  readonly info?: { readonly by: Person; readonly since: Instant; readonly question: string } | undefined;
  /** When the deadline ends it; absent where there is none. */
  readonly dueAt?: Instant | undefined;
  /** So many steps of the escalation were taken. */
  readonly escalated: number;
  readonly decision?: Decision | undefined;
  readonly cancelled?: { readonly at: Instant; readonly reason: string } | undefined;
}
