import type { Queryable } from '../../database/queryable.js';
import { exceptions } from '../population/exceptions.js';
import type { FindingRow } from '../population/findings.js';
import type { Range } from '../population/population.js';

interface Asked {
  readonly status: 'underReview' | 'rejected';
  readonly justification: string;
  readonly isFor: (finding: FindingRow) => boolean;
}

/**
 * What was asked for and is not in force: somebody still looks at it, or refused it. The rest is in the finding itself. Of
 * rules nothing is said: what is asked for a whole bucket is not said of each finding in it.
 */
export class Suppressions {
  private constructor(private readonly asked: ReadonlyMap<string, readonly Asked[]>) {}

  static async of(db: Queryable, range: Range): Promise<Suppressions> {
    const asked = new Map<string, Asked[]>();
    for await (const row of exceptions.rows(db, range)) {
      const { state, fingerprint, scope, endpoint_id, bucket, key, reason } = row;
      if (fingerprint === null || (state !== 'REQUESTED' && state !== 'REFUSED')) continue;
      const others = asked.get(fingerprint) ?? [];
      asked.set(fingerprint, others);
      others.push({
        status: state === 'REQUESTED' ? 'underReview' : 'rejected',
        justification: reason,
        isFor: (finding) =>
          scope === 'secret' ||
          (finding.endpoint_id === endpoint_id && finding.bucket === bucket && finding.key === key),
      });
    }
    return new Suppressions(asked);
  }

  /** Only what is `accepted` counts as suppressed for whoever reads the log. */
  of(finding: FindingRow): { readonly suppressions?: readonly object[] } {
    // The last one that was asked for.
    const asked = this.asked.get(finding.fingerprint)?.findLast((one) => one.isFor(finding));
    if (finding.accepted || asked === undefined) return {};
    const { status, justification } = asked;
    return { suppressions: [{ kind: 'external', status, justification }] };
  }
}
