import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type AuditEvent } from '../../audit/audit.js';
import { changesBetween } from '../../audit/changes.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { wholeMilliseconds } from '../whole-milliseconds.js';
import type { Accepted, Found, FoundAt } from './accepted.js';
import { exceptionsInForce } from './sql/exceptions-in-force.js';
import {
  countAccepted,
  findAccepted,
  listAccepted,
  lockAccepted,
  putAccepted,
  removeAccepted,
  type AcceptedFilter,
  type AcceptedRow,
} from './sql/accepted-rows.js';

// Whoever accepts more than that has a rule to switch off, not findings to accept.
const MAX_ENTRIES = 100_000;

/** An entry of the baseline. */
export type KnownSecret = Accepted & { readonly fingerprint: string };

/** How many entries a change made, and how many it changed; the others were there as they are. */
export interface Put {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** The secrets that people know of. Every change is audited in its own transaction; `actor` is as in AuditEvent. */
@Injectable()
export class Baseline {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Pick<Config, 'BASELINE'> = { BASELINE: 'open' },
  ) {}

  /** What may answer for these findings now, of the baseline and of the exceptions: two queries, however many there are. */
  async among(found: readonly Found[], at: FoundAt): Promise<readonly Accepted[]> {
    if (found.length === 0) return [];
    const fingerprints = [...new Set(found.map(({ fingerprint }) => fingerprint))];
    const now = wholeMilliseconds(this.clock);
    const known = await findAccepted(this.database, { fingerprints, bucket: at.bucket, now });
    return [...known.map(acceptedOf), ...(await exceptionsInForce(this.database, found, at, now))];
  }

  list(
    filter: AcceptedFilter,
    page: {
      readonly after?: Pick<AcceptedRow, 'fingerprint' | 'bucket'> | undefined;
      readonly limit: number;
    },
  ): Promise<readonly AcceptedRow[]> {
    return listAccepted(this.database, filter, page);
  }

  /**
   * Accepts these from the next scan on; an entry for the same fingerprint and bucket is replaced.
   *
   * @throws InvalidInput for one that is named twice or expired already; Conflict when there would be too many, and
   *   where BASELINE is closed.
   */
  async put(entries: readonly KnownSecret[], actor: string): Promise<Put> {
    if (this.config.BASELINE === 'closed') {
      throw new Conflict(
        'The baseline takes in no more (BASELINE=closed). Ask for an exception, which somebody else must agree to: sallyport exceptions request',
      );
    }
    const at = wholeMilliseconds(this.clock);
    const rows = entries.map((entry) => ({ ...rowOf(entry), created_at: at, created_by: actor }));
    checkPlaces(rows, at);
    return this.database.transaction(async (tx) => {
      const known = new Map((await lockAccepted(tx, rows)).map((row) => [placeOf(row), row]));
      const changes = rows.map((row) => {
        const before = known.get(placeOf(row));
        return { row, before, data: changesBetween(before && factsOf(before), factsOf(row)) };
      });
      const told = changes.filter(({ before, data }) => before === undefined || Object.keys(data).length > 0);
      await putAccepted(
        tx,
        told.map(({ row }) => row),
      );
      if ((await countAccepted(tx)) > MAX_ENTRIES) {
        throw new Conflict(
          `The baseline would have more than ${MAX_ENTRIES} entries. Remove some, or disable the rule that finds so many.`,
        );
      }
      await appendAudit(
        tx,
        told.map(({ row, before, data }) =>
          eventOf(row, before === undefined ? 'accepted' : 'changed', { at, actor, data }),
        ),
      );
      const added = told.filter(({ before }) => before === undefined).length;
      return { added, changed: told.length - added, unchanged: rows.length - told.length };
    });
  }

  /** From the next scan on they count again. @throws NotFound. @returns how many entries there were. */
  async remove(fingerprint: string, bucket: string | undefined, actor: string): Promise<number> {
    const at = wholeMilliseconds(this.clock);
    return this.database.transaction(async (tx) => {
      const gone = await removeAccepted(tx, fingerprint, bucket);
      if (gone.length === 0) {
        throw new NotFound(`The baseline has no such entry: ${fingerprint}. See: sallyport baseline list`);
      }
      await appendAudit(
        tx,
        gone.map((row) => eventOf(row, 'removed', { at, actor, data: factsOf(row) })),
      );
      return gone.length;
    });
  }
}

/** An entry as the rest of the service knows it. */
export const acceptedOf = (row: AcceptedRow): KnownSecret => ({
  fingerprint: row.fingerprint,
  bucket: row.bucket === '' ? undefined : row.bucket,
  ruleId: row.rule_id ?? undefined,
  reason: row.reason,
  expiresAt: row.expires_at ?? undefined,
});

const rowOf = (entry: KnownSecret) => ({
  fingerprint: entry.fingerprint,
  bucket: entry.bucket ?? '',
  rule_id: entry.ruleId ?? null,
  reason: entry.reason,
  expires_at: entry.expiresAt ?? null,
});

type Row = ReturnType<typeof rowOf>;

const placeOf = ({ fingerprint, bucket }: Pick<Row, 'fingerprint' | 'bucket'>): string =>
  `${fingerprint}/${bucket}`;

function checkPlaces(rows: readonly Row[], now: number): void {
  const seen = new Set<string>();
  for (const row of rows) {
    if (seen.has(placeOf(row))) {
      throw InvalidInput.field('fingerprint', `is named twice for the same bucket: ${row.fingerprint}`);
    }
    seen.add(placeOf(row));
    if (row.expires_at !== null && row.expires_at <= now) {
      throw InvalidInput.field('expiresAt', 'is over already: nothing would be accepted');
    }
  }
}

/** What an entry says, for the audit. A fingerprint is a keyed digest and tells nobody the secret. */
const factsOf = (row: Row) => ({
  ...(row.bucket !== '' && { bucket: row.bucket }),
  ...(row.rule_id !== null && { ruleId: row.rule_id }),
  reason: row.reason,
  ...(row.expires_at !== null && { expiresAt: new Date(row.expires_at).toISOString() }),
});

const eventOf = (
  row: Row,
  verb: string,
  { at, actor, data }: Pick<AuditEvent, 'at' | 'actor' | 'data'>,
): AuditEvent => ({
  at,
  actor,
  action: `baseline.${verb}`,
  subject: `fingerprint:${row.fingerprint}`,
  data: { ...(row.bucket !== '' && { bucket: row.bucket }), ...data },
});
