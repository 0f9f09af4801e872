import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../../clock.js';
import { Database } from '../../../database/database.js';
import { InvalidInput } from '../../../errors.js';
import { uuid5 } from '../../../uuid5.js';
import type { ObjectInput } from '../../task-input.js';

/** What a scanner outside may read, and how much of it was sent. */
export interface ReadGrant {
  readonly id: string;
  readonly scanId: string;
  readonly scanner: string;
  readonly object: ObjectInput;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** How many different bytes of it were sent. */
  readonly servedBytes: number;
  readonly expiresAt: number;
}

/** Bytes of an object: the first and the one after the last. */
export interface BytePart {
  readonly from: number;
  readonly to: number;
}

interface Row {
  readonly id: string;
  readonly scan_id: string;
  readonly scanner: string;
  readonly secret_sha256: string;
  readonly object: ObjectInput;
  readonly sha256: string;
  readonly size_bytes: number;
  readonly served_bytes: number;
  readonly expires_at: number;
}

// An expired one may still say how much was read while its scan waits for an answer.
const KEPT_MS = 7 * 86_400_000;
const REMOVED_AT_ONCE = 1_000;
/** So many times the object's size may be sent: some formats are read from both ends, some workers begin again. */
const SENDINGS = 8;
const SLACK_BYTES = 1024 ** 2;
const MAX_READS = 10_000;
const NAMESPACE = '6f0f4d6c-3c8b-5a0e-9a51-5f7b7c1e2d44';

/**
 * Grants to read one version of one object for a short while. The token is in the address that the task carries and nowhere
 * else: the table has its hash.
 */
@Injectable()
export class ReadGrants {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** One for each task: whoever asks again gets a new token, and the one before opens nothing any more. */
  async give(
    taskId: string,
    grant: Pick<ReadGrant, 'scanId' | 'scanner' | 'object' | 'sha256'>,
    ttlMs: number,
  ): Promise<{ readonly id: string; readonly token: string; readonly expiresAt: number }> {
    const id = uuid5(NAMESPACE, taskId);
    const secret = randomBytes(32).toString('base64url');
    const now = Math.round(this.clock.now());
    await this.database.query(
      `WITH old AS (
         DELETE FROM read_grant WHERE id IN (SELECT id FROM read_grant WHERE expires_at < $9 ORDER BY expires_at LIMIT $10))
       INSERT INTO read_grant (id, task_id, scan_id, scanner, secret_sha256, object, sha256, size_bytes, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $11, $8)
       ON CONFLICT (id) DO UPDATE SET secret_sha256 = excluded.secret_sha256, expires_at = excluded.expires_at`,
      [
        id,
        taskId,
        grant.scanId,
        grant.scanner,
        hashOf(secret),
        JSON.stringify(grant.object),
        grant.sha256,
        now + ttlMs,
        now - KEPT_MS,
        REMOVED_AT_ONCE,
        grant.object.sizeBytes,
      ],
    );
    return { id, token: `${id}.${secret}`, expiresAt: now + ttlMs };
  }

  /** @returns `undefined` for a token that opens nothing, or nothing any more. */
  async open(token: string): Promise<ReadGrant | undefined> {
    const [, id, secret] = /^([0-9a-f-]{36})\.([\w-]{43})$/.exec(token) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const row = await this.row(id);
    if (row === undefined || row.expires_at <= this.clock.now()) return undefined;
    const isRight = timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(row.secret_sha256));
    return isRight ? grantOf(row) : undefined;
  }

  /** @throws InvalidInput when there is none. */
  async named(id: string): Promise<ReadGrant> {
    const row = await this.row(id);
    if (row === undefined) throw InvalidInput.field('grantId', 'names no grant that is still known');
    return grantOf(row);
  }

  /** Sets so many bytes aside to be sent now. @returns false where they would be more than may be sent. */
  async reserve({ id, sizeBytes }: ReadGrant, bytes: number): Promise<boolean> {
    const rows = await this.database.query(
      `UPDATE read_grant SET reserved_bytes = reserved_bytes + $2, reads = reads + 1
        WHERE id = $1 AND reserved_bytes + $2 <= $3 AND reads < $4 RETURNING id`,
      [id, bytes, sizeBytes * SENDINGS + SLACK_BYTES, MAX_READS],
    );
    return rows.length > 0;
  }

  /** These bytes are sent: called before the last of them is, so that no answer can come before it is counted. */
  async sent(id: string, { from, to }: BytePart, unsentBytes: number): Promise<void> {
    await this.database.query(
      `UPDATE read_grant SET reserved_bytes = reserved_bytes - $4,
                             read_ranges = read_ranges + int8multirange(int8range($2, $3)) WHERE id = $1`,
      [id, from, to, unsentBytes],
    );
  }

  /** Its answer is in: it opens nothing any more. */
  async end(id: string): Promise<void> {
    await this.database.query('UPDATE read_grant SET expires_at = least(expires_at, $2) WHERE id = $1', [
      id,
      Math.round(this.clock.now()),
    ]);
  }

  private async row(id: string): Promise<Row | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT id, scan_id, scanner, secret_sha256, object, sha256, size_bytes::float8, expires_at::float8,
              (SELECT coalesce(sum(upper(r) - lower(r)), 0)::float8 FROM unnest(read_ranges) r) AS served_bytes
         FROM read_grant WHERE id = $1`,
      [id],
    );
    return row;
  }
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const grantOf = (row: Row): ReadGrant => ({
  id: row.id,
  scanId: row.scan_id,
  scanner: row.scanner,
  object: row.object,
  sha256: row.sha256,
  sizeBytes: row.size_bytes,
  servedBytes: row.served_bytes,
  expiresAt: row.expires_at,
});
