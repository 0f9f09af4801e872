import type { Gap } from './parts/NotCovered.js';

/* Reviews as the API tells them; times are ISO 8601. */

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** How many reviews wait; counts end at 10,000. */
export interface ReviewsWaiting {
  /** Nobody is on them. */
  readonly open: number;
  readonly claimed: number;
  /** Of the claimed: by whoever asks. */
  readonly mine: number;
  readonly oldestAt: string | null;
}

export interface Vote {
  readonly by: Person;
  readonly onBehalfOf: Person | null;
  readonly label: string;
  readonly reason: string;
  readonly at: string;
  readonly isOverride: boolean;
}

/** What somebody filled in; null where nothing was. */
export type FilledIn = Readonly<Record<string, unknown>> | null;

export interface ReviewSummary {
  readonly id: string;
  readonly taskId: string;
  readonly workflowId: string;
  readonly title: string;
  readonly state: string;
  readonly version: number;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly outcomes: readonly {
    readonly name: string;
    readonly label: string;
    readonly effect: string;
    readonly needsReason: boolean;
    readonly tone: 'primary' | 'danger' | 'neutral';
  }[];
  readonly object: {
    readonly id: string;
    readonly bucket: string;
    readonly key: string;
    readonly versionId: string | null;
    readonly sizeBytes: number | null;
    readonly detectedType: string | null;
    readonly lastModified: string | null;
    readonly uploader: string | null;
    readonly uploadedBy: { readonly how: string; readonly name: string | null } | null;
    readonly sha256: string | null;
    readonly quarantined: boolean | null;
  } | null;
  readonly findingsTotal: number;
  /** 0 to 100. */
  readonly risk: number;
  /** The case that it belongs to: reviews about the same thing. */
  readonly caseId: string | null;
  readonly subjectDigest: string;
  readonly queue: string;
  readonly claim: { readonly by: Person; readonly at: string } | null;
  readonly owner: Person | null;
  /** Empty: everybody who may decide. */
  readonly asks: readonly { readonly kind: 'user' | 'group'; readonly name: string }[];
  readonly dueAt: string | null;
  readonly hold: { readonly by: Person; readonly until: string; readonly reason: string } | null;
  readonly info: { readonly by: Person; readonly since: string; readonly question: string } | null;
  readonly round: number;
  readonly votes: readonly Vote[];
  readonly quorum: { readonly approve: number; readonly reject: number; readonly distinctGroups: boolean };
  readonly decision: {
    readonly outcome: string;
    readonly label: string;
    readonly by: Person;
    readonly at: string;
    readonly via: string;
    readonly reason: string;
    readonly completion: 'pending' | 'applied' | 'late';
    readonly completionNote: string | null;
    /** The clock decided, not a person. */
    readonly isAutomatic: boolean;
  } | null;
  readonly cancelled: { readonly at: string; readonly reason: string } | null;
  readonly createdAt: string;
}

export interface Finding {
  /** Of the ledger; a review tells none. */
  readonly id?: string | number;
  readonly kind: 'secret' | 'malware';
  readonly ruleId: string;
  readonly title: string;
  readonly severity: string;
  readonly confidence: string;
  readonly path: string;
  readonly line?: number | null;
  readonly column?: number | null;
  readonly byteOffset?: number | null;
  readonly accepted?: boolean | string;
  readonly acceptedReason?: string | null;
  readonly verified?: 'active' | 'inactive' | 'unknown' | null;
  readonly excerpt?: string | null;
  readonly fingerprint: string;
  readonly remediation?: string | null;
}

export interface Review extends ReviewSummary {
  readonly votes: readonly (Vote & { readonly form: FilledIn })[];
  /** Its form is that of the vote that decided. */
  readonly decision: (NonNullable<ReviewSummary['decision']> & { readonly form: FilledIn }) | null;
  /** Who hears of every change without being asked. */
  readonly watchers: readonly Person[];
  /** Why whoever looks may not decide; null when they may, or it is over. */
  readonly keptFrom: string | null;
  /** Why whoever uploaded it cannot be asked; null when they can. */
  readonly uploaderNotAsked: string | null;
  readonly engines: readonly string[];
  /** The first of what was not looked at. */
  readonly notCovered: readonly Gap[];
  readonly notCoveredTotal: number;
  readonly bytesScanned: number | null;
  readonly bytesTotal: number | null;
  readonly findings: readonly Finding[];
  /** Who must not decide here (four eyes), and why. */
  readonly excluded: readonly (Person & { readonly because: string })[];
  /** JSON Schema of the form, where there is one. */
  readonly form: Readonly<Record<string, unknown>> | null;
  readonly timeline: readonly {
    readonly at: string;
    readonly kind: string;
    readonly by: Person;
    readonly via: string;
    readonly data: Readonly<Record<string, unknown>>;
  }[];
}

/** What came of one of many; `problem` is what its own request would have been answered with. */
export interface ItemResult {
  readonly id: string;
  readonly result: 'done' | 'conflict' | 'refused';
  readonly state: string | null;
  readonly problem: { readonly detail?: string } | null;
}

export interface BulkAnswer {
  readonly items: readonly ItemResult[];
  readonly done: number;
  readonly conflicts: number;
  readonly refused: number;
}

export interface ReviewCase {
  readonly id: string;
  readonly queue: string;
  readonly title: string;
  readonly openedAt: string;
  readonly decided: {
    readonly label: string;
    readonly by: Person;
    readonly at: string;
    readonly reason: string;
  } | null;
  readonly members: number;
  readonly waiting: number;
}

export interface CaseDetail extends ReviewCase {
  readonly reviews: readonly {
    readonly review: ReviewSummary;
    readonly joinedAt: string;
    /** Why whoever looks may not decide this one; null when they may, or it is over. */
    readonly keptFrom: string | null;
  }[];
  readonly detached: readonly {
    readonly id: string;
    readonly title: string;
    readonly by: Person;
    readonly at: string;
  }[];
}

export interface CaseAnswer extends BulkAnswer {
  /** What still waits in the case, and why. */
  readonly left: readonly { readonly id: string; readonly title: string; readonly why: string }[];
}

export type Column =
  'object' | 'verdict' | 'risk' | 'findings' | 'state' | 'queue' | 'due' | 'opened' | 'case';

/** What a list shows, and how. */
export interface ViewSpec {
  readonly states: readonly string[];
  readonly view: 'mine' | 'asked' | 'unassigned' | 'breached' | null;
  readonly queue: string | null;
  readonly q: string;
  readonly sort: 'created' | 'due' | 'risk';
  readonly columns: readonly Column[];
}

export interface SavedView {
  readonly id: string;
  readonly name: string;
  readonly owner: Person;
  readonly isMine: boolean;
  readonly shared: { readonly with: 'everybody' } | { readonly with: 'group'; readonly group: string } | null;
  readonly spec: ViewSpec;
  readonly version: number;
}

/** What is decided about, in a line. */
export const nameOf = ({ object, title }: Pick<ReviewSummary, 'object' | 'title'>): string =>
  object === null ? title : `${object.bucket}/${object.key}`;

/** Whether somebody can still decide it. */
export const waits = ({ decision, cancelled }: Pick<ReviewSummary, 'decision' | 'cancelled'>): boolean =>
  decision === null && cancelled === null;

/** How long something took, in seconds; null where it happened to none. */
export interface Took {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
}

/** How one review queue stands, and what happened in the last day. */
export interface QueueFigures {
  readonly queue: string;
  readonly waiting: number;
  readonly unclaimed: number;
  readonly oldestAt: string | null;
  readonly breached: number;
  readonly dueSoon: number;
  readonly arrived: number;
  readonly decided: number;
  readonly skipped: number;
  readonly expired: number;
  readonly cancelled: number;
  readonly late: number;
  readonly secondsToClaim: Took;
  readonly secondsToDecide: Took;
}

export interface ReviewMetrics {
  readonly at: string;
  readonly windowSeconds: number;
  readonly queues: readonly QueueFigures[];
  readonly isTruncated: boolean;
}
