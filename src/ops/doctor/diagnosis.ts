/** How one thing is. `fail`: something does not work; `warn`: it works, and not as it should. */
export type DiagnosisStatus = 'ok' | 'warn' | 'fail';

/** One thing that was tried: what was seen, and what mends it. */
export interface Diagnosis {
  /** What was looked at, as `events`; stable, for machines. */
  readonly check: string;
  /** `service`, or a bucket as `endpoint/bucket`. */
  readonly subject: string;
  readonly status: DiagnosisStatus;
  /** What was seen, as a sentence. */
  readonly fact: string;
  /** What to do; absent where nothing needs doing. */
  readonly remedy?: string | undefined;
}

/** What is to be looked at. */
export interface DoctorOrder {
  /** Of all registered buckets, only these; all when absent. */
  readonly buckets?:
    readonly { readonly endpointId?: string | undefined; readonly bucket: string }[] | undefined;
  /** How long a probe's event may take. */
  readonly waitSeconds: number;
  /** Who asks, as in AuditEvent. */
  readonly actor: string;
  /** The same for people to read. */
  readonly askedBy?: string | undefined;
  /** The Slack channel that a message is posted to as a test; none when absent. */
  readonly slackProbe?: string | undefined;
}

/** A part of the service that can prove that it works. What it tries must be undone when it ends. */
export abstract class DoctorCheck {
  abstract readonly name: string;
  /** How long it may take beside the waiting for events. */
  abstract readonly limitSeconds: number;
  abstract run(order: DoctorOrder, signal: AbortSignal): Promise<readonly Diagnosis[]>;
}

const RANK: Readonly<Record<DiagnosisStatus, number>> = { ok: 0, warn: 1, fail: 2 };

export const worstOf = (all: readonly Diagnosis[]): DiagnosisStatus =>
  all.reduce<DiagnosisStatus>((worst, { status }) => (RANK[status] > RANK[worst] ? status : worst), 'ok');
