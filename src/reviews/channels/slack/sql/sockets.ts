import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** A place for a connection, and how the connection there is. */
export interface SlackSocketRow {
  readonly slot: number;
  readonly holder: string;
  readonly heldUntil: Instant;
  readonly connectedAt: Instant | undefined;
  readonly lastHelloAt: Instant | undefined;
  readonly lastError: string | undefined;
  /** The app whose connection it is. */
  readonly appId: string | undefined;
}

/** Takes a place that nobody holds (any more). @returns whether it is ours now. */
export async function takeSlackSocket(
  db: Queryable,
  args: { slot: number; holder: string; now: Instant; heldUntil: Instant },
): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO slack_socket AS s (slot, holder, held_until) VALUES ($1, $2, $4)
     ON CONFLICT (slot) DO UPDATE
     SET holder = excluded.holder, held_until = excluded.held_until, connected_at = NULL, app_id = NULL
     WHERE s.held_until < $3 OR s.holder = $2
     RETURNING 1`,
    [args.slot, args.holder, args.now, args.heldUntil],
  );
  return rows.length > 0;
}

/** How a connection is. */
export interface SocketState {
  readonly connectedAt: Instant | undefined;
  readonly lastHelloAt: Instant | undefined;
  readonly lastError: string | undefined;
  readonly appId: string | undefined;
}

/** Goes on holding a place, and says how the connection is. @returns false when somebody else took it. */
export async function keepSlackSocket(
  db: Queryable,
  args: SocketState & { slot: number; holder: string; heldUntil: Instant },
): Promise<boolean> {
  const rows = await db.query(
    `UPDATE slack_socket SET held_until = $3, connected_at = $4, last_hello_at = coalesce($5, last_hello_at),
       last_error = $6, app_id = $7
     WHERE slot = $1 AND holder = $2 RETURNING 1`,
    [
      args.slot,
      args.holder,
      args.heldUntil,
      args.connectedAt ?? null,
      args.lastHelloAt ?? null,
      args.lastError ?? null,
      args.appId ?? null,
    ],
  );
  return rows.length > 0;
}

/** Leaves a place to whoever wants it. */
export const leaveSlackSocket = (db: Queryable, slot: number, holder: string): Promise<unknown> =>
  db.query('UPDATE slack_socket SET held_until = 0, connected_at = NULL WHERE slot = $1 AND holder = $2', [
    slot,
    holder,
  ]);

/** All places, held or not. */
export async function slackSockets(db: Queryable): Promise<SlackSocketRow[]> {
  const rows = await db.query<{
    slot: number;
    holder: string;
    held_until: string;
    connected_at: string | null;
    last_hello_at: string | null;
    last_error: string | null;
    app_id: string | null;
  }>('SELECT * FROM slack_socket ORDER BY slot');
  const instant = (value: string | null): Instant | undefined => (value === null ? undefined : Number(value));
  return rows.map((row) => ({
    slot: row.slot,
    holder: row.holder,
    heldUntil: Number(row.held_until),
    connectedAt: instant(row.connected_at),
    lastHelloAt: instant(row.last_hello_at),
    lastError: row.last_error ?? undefined,
    appId: row.app_id ?? undefined,
  }));
}
