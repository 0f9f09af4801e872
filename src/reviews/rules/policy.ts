import type { ExcludedAs } from './review.js';

/** Somebody who is asked: one person by the id of their account, or a group by its name. */
export type Party =
  | { readonly kind: 'user'; readonly id: string; readonly name: string }
  | { readonly kind: 'group'; readonly name: string };

/**
 * How a review finds its person. `pool`: whoever claims it. `round_robin`: the next in turn. `least_loaded`: who holds
 * the fewest. `sticky`: who decided the last one about the same object, else as `least_loaded`. `all`: everybody votes.
 */
export const STRATEGIES = ['pool', 'round_robin', 'least_loaded', 'sticky', 'all'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What the clock does when a review is due. Never an approval unless the definition says so in that word. */
export const EXPIRY_ACTIONS = ['REJECT', 'ESCALATE', 'LEAVE_OPEN', 'FAIL', 'APPROVE'] as const;
export type ExpiryAction = (typeof EXPIRY_ACTIONS)[number];

/** One step up when nobody decided: whom to ask as well, and how often to ask them again. */
export interface EscalationStep {
  /** After the opening. */
  readonly afterMs: number;
  readonly to: readonly Party[];
  /** `add`: those who were asked stay asked. `replace`: the review moves on, away from who holds it. */
  readonly action: 'add' | 'replace';
  /** So many times in all; each further one `everyMs` after the one before. */
  readonly loops: number;
  readonly everyMs: number;
}

/** How one question is asked, as its definition says; fixed when the review opens. Times are milliseconds. */
export interface Policy {
  /** Where it is listed and counted. */
  readonly queue: string;
  /** Empty: everybody who may decide at all. */
  readonly to: readonly Party[];
  readonly strategy: Strategy;
  /** Votes that an outcome needs: one that grants something, and one that refuses. */
  readonly quorum: { readonly approve: number; readonly reject: number; readonly distinctGroups: boolean };
  /** Whoever has this to do with it does not decide. */
  readonly fourEyes: readonly ExcludedAs[];
  /** Of those, whose person nobody knows: it may be one of those who vote, so that granting takes one vote more. */
  readonly undetermined?: readonly ExcludedAs[] | undefined;
  /** Which outcomes refuse; all others grant something. */
  readonly rejecting: readonly string[];
  readonly deadlineMs?: number | undefined;
  readonly remindersMs: readonly number[];
  readonly escalation: readonly EscalationStep[];
  /** `outcome`: what the workflow is told. */
  readonly onExpire: { readonly action: ExpiryAction; readonly outcome: string };
  /** Whoever claims and stays silent for so long gives it back. */
  readonly claimTimeoutMs?: number | undefined;
  /** The deadline waits while the review is on hold or waits for an answer. */
  readonly holdStopsClock: boolean;
  /** Names of webhook subscriptions that hear of it whatever queues they asked for. */
  readonly webhooks?: readonly string[] | undefined;
  /** JSON Schema of what the voter fills in. */
  readonly form?: Readonly<Record<string, unknown>> | undefined;
  /** The stored template that the form is from, in the version that was the form when it opened. */
  readonly template?: { readonly name: string; readonly version: number } | undefined;
  /** The working calendar by which its times count; the clock alone when absent. */
  readonly calendar?: string | undefined;
  /** Asked in Orkes' words: takes what is filled in without a form too, and hands it on field by field. */
  readonly asOrkes?: boolean | undefined;
}

/** What the workflow is told when the clock refused. No outcome of the question: nothing that a person chooses happens. */
export const EXPIRED_OUTCOME = 'expired';

/** A question that any reviewer answers alone and without a deadline. */
export const PLAIN_POLICY: Policy = {
  queue: 'default',
  to: [],
  strategy: 'pool',
  quorum: { approve: 1, reject: 1, distinctGroups: false },
  fourEyes: [],
  rejecting: [],
  remindersMs: [],
  escalation: [],
  onExpire: { action: 'REJECT', outcome: EXPIRED_OUTCOME },
  holdStopsClock: false,
};

/**
 * The policy where nobody knows who has some of its roles. That is one person at most, so with one vote more to grant something
 * as many as were wanted are certainly of others.
 */
export const withUndetermined = (policy: Policy, undetermined: readonly ExcludedAs[]): Policy =>
  undetermined.length === 0
    ? policy
    : {
        ...policy,
        undetermined,
        quorum: { ...policy.quorum, approve: policy.quorum.approve + undetermined.length },
      };

/** Votes that this outcome needs. */
export const votesNeeded = ({ quorum, rejecting }: Policy, outcome: string): number =>
  rejecting.includes(outcome) ? quorum.reject : quorum.approve;

/**
 * Whether it matters that different people look, for this outcome. Several keys may be one person's, and a key that of
 * somebody whom four eyes keep out.
 */
export const needsPerson = ({ quorum, fourEyes, rejecting }: Policy, outcome: string): boolean =>
  !rejecting.includes(outcome) && (quorum.approve > 1 || fourEyes.length > 0);

/** More than one person decides, so that no one's claim keeps the others from voting. */
export const isShared = ({ quorum, strategy }: Policy): boolean =>
  quorum.approve > 1 || quorum.reject > 1 || strategy === 'all';
