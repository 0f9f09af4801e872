import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { Conflict, InvalidInput, NotFound } from '../errors.js';
import type { AccessRole } from './principal.js';

export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly created_at: string;
  readonly created_by: string | null;
}

const COLUMNS = 'id, name, roles, disabled, expires_at, last_used_at, created_at, created_by';
const MAX_KEYS = 10_000;

/** API keys of programs. A secret is shown once, and kept as its SHA-256. */
@Injectable()
export class Keys {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** By id, those after `after`. */
  list(after: string | undefined, limit: number): Promise<KeyRow[]> {
    return this.db.query<KeyRow>(
      `SELECT ${COLUMNS} FROM api_key WHERE $1::text IS NULL OR id > $1 ORDER BY id LIMIT $2`,
      [after ?? null, limit],
    );
  }

  /** @throws InvalidInput for an expiry that has passed. */
  create(
    wanted: { readonly name: string; readonly roles: readonly AccessRole[]; readonly expiresAt?: number },
    actor: string,
  ): Promise<{ readonly row: KeyRow; readonly secret: string }> {
    const { name, roles, expiresAt = null } = wanted;
    const at = Math.round(this.clock.now());
    if (expiresAt !== null && expiresAt <= at)
      throw InvalidInput.field(
        'expiresAt',
        'must be in the future; leave it out for a key that does not expire',
      );
    const id = `key-${randomBytes(9).toString('base64url')}`;
    const secret = randomBytes(32).toString('base64url');
    return this.db.transaction(async (tx) => {
      const [{ count } = { count: '0' }] = await tx.query<{ count: string }>('SELECT count(*) FROM api_key');
      if (Number(count) >= MAX_KEYS) throw new Conflict(`There are ${MAX_KEYS} keys, and no room for more.`);
      const [row] = await tx.query<KeyRow>(
        `INSERT INTO api_key (id, name, secret_sha256, roles, expires_at, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
        [id, name, createHash('sha256').update(secret).digest(), roles, expiresAt, at, actor],
      );
      if (row === undefined) throw new Error('an insert returned no row');
      const data = { name, roles, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
      await appendAudit(tx, [{ at, actor, action: 'apikey.created', subject: `apikey:${id}`, data }]);
      return { row, secret };
    });
  }

  /** It is refused from a quarter of a second later on, its tokens too. Once more changes nothing. @throws NotFound */
  disable(id: string, actor: string): Promise<void> {
    return this.db.transaction(async (tx) => {
      const [before] = await tx.query<{ disabled: boolean }>(
        'SELECT disabled FROM api_key WHERE id = $1 FOR UPDATE',
        [id],
      );
      if (before === undefined)
        throw new NotFound(`There is no API key ${id}. GET /api/v1/api-keys lists all.`);
      if (before.disabled) return;
      await tx.query('UPDATE api_key SET disabled = true WHERE id = $1', [id]);
      const at = Math.round(this.clock.now());
      await appendAudit(tx, [{ at, actor, action: 'apikey.disabled', subject: `apikey:${id}`, data: {} }]);
    });
  }
}
