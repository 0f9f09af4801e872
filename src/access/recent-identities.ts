import { createHash } from 'node:crypto';
import { AppError, Unavailable } from '../errors.js';
import type { Principal } from './principal.js';

const PATIENCE_MS = 2_000;
const REMEMBERED_MS = 60_000;
// Scrapers are few; each token of theirs is another entry.
const MAX_REMEMBERED = 100;

interface Known {
  readonly principal: Principal;
  /** When the look-up began that found it. */
  readonly since: number;
}

/**
 * Who proved their identity within the last minute, for the few routes that must answer while PostgreSQL is silent. A key
 * that is revoked meanwhile is refused when the database answers, or when the minute is over.
 */
export class RecentIdentities {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly patienceMs = PATIENCE_MS,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** @throws what `identify` does; Unavailable when it takes too long and nothing is remembered. */
  async identify(credentials: string, identify: () => Promise<Principal>): Promise<Principal> {
    const key = createHash('sha256').update(credentials).digest('base64url');
    const since = this.monotonicMs();
    const asked = identify().then(
      (principal) => this.keep(key, { principal, since }),
      (error: unknown) => {
        const isRefusal = error instanceof AppError && error.status < 500;
        if (!isRefusal) return this.remembered(key, error);
        this.known.delete(key);
        throw error;
      },
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Principal>((resolve, reject) => {
      timer = setTimeout(() => {
        try {
          resolve(this.remembered(key, undefined));
        } catch (error) {
          reject(error);
        }
      }, this.patienceMs);
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private keep(key: string, known: Known): Principal {
    this.known.delete(key);
    this.known.set(key, known);
    for (const oldest of this.known.keys()) {
      if (this.known.size <= MAX_REMEMBERED) break;
      this.known.delete(oldest);
    }
    return known.principal;
  }

  private remembered(key: string, cause: unknown): Principal {
    const known = this.known.get(key);
    if (known !== undefined && this.monotonicMs() - known.since < REMEMBERED_MS) return known.principal;
    if (cause !== undefined) throw cause;
    throw new Unavailable('postgresql', 'PostgreSQL does not answer, so nobody can be identified now.');
  }
}
