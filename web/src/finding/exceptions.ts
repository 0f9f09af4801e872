/* What the server says of exceptions and remedies, as their pages need it. */

interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Exception {
  readonly id: string;
  readonly kind: 'suppressed' | 'false_positive' | 'accepted_risk';
  readonly scope: 'finding' | 'secret' | 'rule';
  readonly state: 'REQUESTED' | 'IN_FORCE' | 'REFUSED' | 'WITHDRAWN' | 'EXPIRED' | 'EXTENDED';
  /** What it answers for, in words. */
  readonly target: string;
  readonly reason: string;
  readonly requestedBy: Named;
  readonly requestedAt: string;
  readonly decidedBy: Named | null;
  readonly decidedAt: string | null;
  readonly expiresAt: string;
  readonly endedAt: string | null;
  readonly endReason: string | null;
  readonly reviewId: string | null;
  readonly workflowId: string;
}

export interface Preview {
  readonly findings: number;
  readonly objects: number;
  readonly isCut: boolean;
  readonly sample: readonly {
    readonly id: string;
    readonly objectId: string;
    readonly bucket: string;
    readonly key: string;
    readonly path: string;
    readonly ruleId: string;
    readonly severity: string;
    readonly accepted: boolean;
  }[];
}

export interface Remedy {
  readonly id: string;
  readonly state: 'OPEN' | 'REMEDIED' | 'RETURNED';
  readonly findingTitle: string;
  readonly ruleId: string;
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
  readonly owner: readonly string[];
  readonly openedAt: string;
  readonly dueAt: string;
  readonly proof: string | null;
  readonly proofNote: string | null;
  readonly remediedAt: string | null;
  readonly remediedBy: string | null;
  readonly refused: string | null;
  readonly returnedAt: string | null;
  readonly workflowId: string;
}

export interface RemedyFigures {
  readonly owners: readonly {
    readonly owner: string;
    readonly open: number;
    readonly overdue: number;
    readonly remedied: number;
    readonly returned: number;
    readonly p50Seconds: number | null;
    readonly p90Seconds: number | null;
  }[];
}

export const KINDS: Readonly<Record<Exception['kind'], string>> = {
  accepted_risk: 'risk accepted',
  suppressed: 'suppressed',
  false_positive: 'false positive',
};

export const SCOPES: Readonly<Record<Exception['scope'], string>> = {
  finding: 'this finding, in this object',
  secret: 'the same secret, wherever it is found',
  rule: 'all that the rule finds in a bucket',
};

/** The end of a day that somebody chose, in their own zone; the field is empty at first. */
export const endOfDay = (day: string): string => {
  if (day === '') throw new Error('Until: choose the last day on which it counts.');
  return new Date(`${day}T23:59:59`).toISOString();
};
