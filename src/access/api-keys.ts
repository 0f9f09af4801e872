import type { Queryable } from '../database/queryable.js';
import type { AccessRole } from './principal.js';

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly secret_sha256: Buffer;
  readonly roles: AccessRole[];
}

interface Asked {
  readonly id: string;
  readonly resolve: (key: ApiKeyRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const FIND = 'SELECT id, name, secret_sha256, roles FROM api_key WHERE id = ANY ($1) AND NOT disabled';

/**
 * Looks API keys up for all requests that ask at about the same time: one statement at a time, which serves those that
 * gathered while the one before was under way. A thousand requests per second cost some hundred statements, and a key
 * that is disabled is refused from the next statement on; nothing is remembered.
 */
export class ApiKeys {
  private gathering: Asked[] = [];
  private isAsking = false;

  constructor(private readonly db: Queryable) {}

  /** The key with this id; `undefined` for an unknown or disabled one. */
  find(id: string): Promise<ApiKeyRow | undefined> {
    // PostgreSQL takes no NUL, and no key has one.
    if (id.includes('\u0000')) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.gathering.push({ id, resolve, reject });
      if (!this.isAsking) void this.ask();
    });
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    while (this.gathering.length > 0) {
      const asked = this.gathering;
      this.gathering = [];
      try {
        const ids = [...new Set(asked.map(({ id }) => id))];
        const rows = await this.db.query<ApiKeyRow>(FIND, [ids]);
        const keys = new Map(rows.map((row) => [row.id, row]));
        for (const { id, resolve } of asked) resolve(keys.get(id));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.isAsking = false;
  }
}
