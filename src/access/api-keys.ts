import type { Clock, Instant } from '../clock.js';
import type { Database } from '../database/database.js';
import { LOOK_UP_MS } from './in-time.js';
import type { Grant } from './principal.js';

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly secret_sha256: Buffer;
  readonly roles: readonly string[];
  readonly grants: readonly Grant[];
  readonly last_used_at: string | null;
}

interface Asked {
  readonly id: string;
  readonly resolve: (key: ApiKeyRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}

// A burst gathers for so long; a request after a quiet moment waits for nothing.
const GATHER_MS = 2;

// So many statements on their way: a turn to the database and back takes longer than a burst should gather.
const MAX_AT_ONCE = 4;

const REMEMBERED_MS = 250;
const MAX_REMEMBERED = 1_000;

// The last use is told to this, so that a busy key costs one update an hour.
const USE_MS = 3_600_000;

const FIND = `
  SELECT k.id, k.name, k.secret_sha256, k.roles, k.last_used_at,
         coalesce((SELECT json_agg(json_build_object('role', a.role, 'scope', a.scope)) FROM access_grant a
                   WHERE a.holder_kind = 'apikey' AND a.holder_id = k.id), '[]') AS grants
  FROM api_key k
  WHERE k.id = ANY ($1) AND NOT k.disabled AND (k.expires_at IS NULL OR k.expires_at > $2)`;

/**
 * Looks API keys up for all requests that ask at about the same time: one statement serves those that gathered since the
 * one before. A key that was found is remembered for a quarter of a second, counted from before it was asked for: a
 * worker's thousand requests a second need not wait for a thousand answers, and one that is disabled is refused that soon.
 */
export class ApiKeys {
  private gathering: Asked[] = [];
  private isGathering = false;
  private asking = 0;
  private askedAt = -Infinity;
  private readonly noted = new Map<string, Instant>();
  private readonly found = new Map<string, { readonly key: ApiKeyRow; readonly until: Instant }>();

  constructor(
    private readonly db: Pick<Database, 'query'>,
    private readonly clock: Clock,
  ) {}

  /** The key with this id; `undefined` for an unknown or disabled one. */
  find(id: string): Promise<ApiKeyRow | undefined> {
    // PostgreSQL takes no NUL, and no key has one.
    if (id.includes('\u0000')) return Promise.resolve(undefined);
    const known = this.found.get(id);
    if (known !== undefined && this.clock.now() < known.until) return Promise.resolve(known.key);
    return new Promise((resolve, reject) => {
      this.gathering.push({ id, resolve, reject });
      this.pump();
    });
  }

  private pump(): void {
    if (this.gathering.length === 0 || this.isGathering || this.asking >= MAX_AT_ONCE) return;
    const pause = this.askedAt + GATHER_MS - performance.now();
    if (pause <= 0) {
      void this.ask();
      return;
    }
    this.isGathering = true;
    setTimeout(() => {
      this.isGathering = false;
      void this.ask();
    }, pause);
  }

  private async ask(): Promise<void> {
    this.asking += 1;
    this.askedAt = performance.now();
    const now = this.clock.now();
    const until = now + REMEMBERED_MS;
    const asked = this.gathering;
    this.gathering = [];
    try {
      const ids = [...new Set(asked.map(({ id }) => id))];
      const rows = await this.db.query<ApiKeyRow>(FIND, [ids, Math.round(now)], LOOK_UP_MS);
      const keys = new Map(rows.map((row) => [row.id, row]));
      for (const id of ids) this.remember(id, keys.get(id), until);
      for (const { id, resolve } of asked) resolve(keys.get(id));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    } finally {
      this.asking -= 1;
      this.pump();
    }
  }

  /** Notes that a key was used and proved; at most once an hour, and nobody waits for it. */
  used({ id, last_used_at: last }: ApiKeyRow): void {
    const now = Math.round(this.clock.now());
    if (last !== null && now - Number(last) < USE_MS) return;
    if (now - (this.noted.get(id) ?? -Infinity) < USE_MS) return;
    this.noted.delete(id);
    this.noted.set(id, now);
    for (const oldest of this.noted.keys()) {
      if (this.noted.size <= MAX_REMEMBERED) break;
      this.noted.delete(oldest);
    }
    this.db
      .query(
        `UPDATE api_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)`,
        [id, now, now - USE_MS],
      )
      // Only the note is lost: the next use makes it.
      .catch(() => this.noted.delete(id));
  }

  private remember(id: string, key: ApiKeyRow | undefined, until: Instant): void {
    this.found.delete(id);
    if (key === undefined) return;
    this.found.set(id, { key, until });
    if (this.found.size <= MAX_REMEMBERED) return;
    for (const oldest of this.found.keys()) {
      this.found.delete(oldest);
      return;
    }
  }
}
