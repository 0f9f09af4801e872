export const REPORT_KINDS = ['weekly', 'monthly', 'quarterly'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

export interface Report {
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly from: string;
  readonly to: string;
  readonly status: 'pending' | 'ready' | 'failed';
  readonly requestedBy: string;
  readonly workflowId: string;
  readonly createdAt: string;
  readonly snapshotAt: string | null;
  readonly sha256: string | null;
  readonly manifestSha256: string | null;
  readonly coverage: {
    readonly uploaded: number;
    readonly accountedFor: number;
    readonly gap: number;
    readonly addsUp: boolean;
  } | null;
}

export interface ReportDetail extends Report {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  readonly deliveries: readonly {
    readonly to: string;
    readonly state: string;
    readonly at: string | null;
    readonly reason: string | null;
  }[];
  readonly reading: {
    readonly reviewId: string;
    readonly state: 'signed' | 'open' | 'overdue' | 'expired' | 'none';
    readonly outcome: string | null;
    readonly by: string | null;
    readonly at: string | null;
  } | null;
  readonly restated: readonly {
    readonly reportId: string;
    readonly label: string;
    readonly figure: string;
    readonly stated: number;
    readonly now: number;
  }[];
}

export const STATE_OF: Readonly<Record<Report['status'], string>> = {
  pending: 'pending',
  ready: 'COMPLETED',
  failed: 'FAILED',
};

export const reportPath = (id: string): string => `/reports/${encodeURIComponent(id)}`;

/** What a report can be read as; those of an earlier release have two of them. */
export const FORMS = [
  { word: 'html', name: 'report.html', label: 'Page' },
  { word: 'pdf', name: 'report.pdf', label: 'PDF' },
  { word: 'json', name: 'report.json', label: 'JSON' },
  { word: 'bundle', name: 'bundle.zip', label: 'Signed bundle' },
] as const;

export const fileHref = (id: string, word: string): string =>
  `/api/v1/reports/${encodeURIComponent(id)}/${word}`;

/** It was looked at before it was over. */
export const isSoFar = ({ snapshotAt, to }: Pick<Report, 'snapshotAt' | 'to'>): boolean =>
  snapshotAt !== null && snapshotAt < to;

/** A day in the period before the one of today, as the API takes it. */
export function dayBefore(kind: ReportKind, today: Date): string {
  const [year, month] = [today.getUTCFullYear(), today.getUTCMonth()];
  const day =
    kind === 'weekly'
      ? new Date(today.getTime() - 7 * 86_400_000)
      : new Date(Date.UTC(year, kind === 'monthly' ? month - 1 : month - 3, 1));
  return day.toISOString().slice(0, 10);
}
