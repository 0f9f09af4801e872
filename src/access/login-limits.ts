import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { Overloaded } from '../errors.js';
import { LOOK_UP_MS } from './in-time.js';

const WINDOW_MS = 15 * 60_000;
// An office behind one address has more than one person who mistypes.
const ALLOWED = { name: 10, address: 100 } as const;
type Kind = keyof typeof ALLOWED;

/** Counted before it is known whether the password is right: of many guesses sent at once only so many are looked at. */
const COUNT = `
  INSERT INTO login_failure AS f (kind, subject, count, since) VALUES ($1, $2, 1, $3)
  ON CONFLICT (kind, subject) DO UPDATE SET
    count = CASE WHEN f.since <= $4 THEN 1 ELSE least(f.count + 1, 1000000) END,
    since = CASE WHEN f.since <= $4 THEN $3 ELSE f.since END
  RETURNING count, since`;

/** Who asks to be let in. */
export interface Attempt {
  /** As typed; the address alone counts where somebody else asks for the name. */
  readonly name?: string;
  /** Where from, as far as that can be believed; counted with the name alone when left out. */
  readonly address?: string | undefined;
}

/** Wrong passwords of a quarter of an hour, by name and by address: in the database, so that a restart forgives none. */
export class LoginLimits {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Counts an attempt as failed until {@link succeeded} says otherwise.
   * @throws Overloaded when there were too many; `isFirst` tells whether this is the first that is refused.
   */
  async attempt({ name, address }: Attempt, onFirstRefusal?: (kind: Kind) => Promise<void>): Promise<void> {
    const now = Math.round(this.clock.now());
    await this.db.query('DELETE FROM login_failure WHERE since <= $1', [now - WINDOW_MS], LOOK_UP_MS);
    // The address first: who has used up its attempts adds no rows of invented names.
    if (address !== undefined) await this.count('address', networkOf(address), now, onFirstRefusal);
    if (name !== undefined) await this.count('name', name, now, onFirstRefusal);
  }

  /** The name's failures are forgotten; of the address's only this one, or one account would open all others to guessing. */
  async succeeded({ name, address }: Attempt): Promise<void> {
    if (name !== undefined)
      await this.db.query(
        `DELETE FROM login_failure WHERE kind = 'name' AND subject = $1`,
        [digest(name)],
        LOOK_UP_MS,
      );
    if (address === undefined) return;
    await this.db.query(
      `UPDATE login_failure SET count = greatest(count - 1, 0) WHERE kind = 'address' AND subject = $1`,
      [digest(networkOf(address))],
      LOOK_UP_MS,
    );
  }

  private async count(
    kind: Kind,
    subject: string,
    now: number,
    onFirstRefusal?: (kind: Kind) => Promise<void>,
  ): Promise<void> {
    const [row] = await this.db.query<{ count: number; since: string }>(
      COUNT,
      [kind, digest(subject), now, now - WINDOW_MS],
      LOOK_UP_MS,
    );
    if (row === undefined || row.count <= ALLOWED[kind]) return;
    if (row.count === ALLOWED[kind] + 1) await onFirstRefusal?.(kind);
    const left = Number(row.since) + WINDOW_MS - now;
    const what = kind === 'name' ? 'for this name' : 'from this address';
    throw new Overloaded(
      `Too many failed logins ${what}. Try again in ${Math.ceil(left / 60_000)} minutes.`,
      Math.ceil(left / 1000),
    );
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whoever has one address of IPv6 has the 2^64 beside it. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts.slice(0, 4).join(':')}/64`;
}
