import type { ClientBase } from 'pg';

/** Names and values as in `SET name = 'value'`; both are constants of ours, never input. */
export type SessionSettings = Readonly<Record<string, string>>;

/*
 * Nothing hangs for ever: a statement that holds no answer back for its reader is ended by the server, and so is a
 * transaction whose client fell silent, because it holds rows that others wait for.
 */
export const GENERAL_LIMITS: SessionSettings = {
  statement_timeout: '55s',
  idle_in_transaction_session_timeout: '60s',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

/** When the driver gives a statement up by itself: the server, or the way to it, is gone. */
export const GENERAL_QUERY_TIMEOUT_MS = 60_000;

const pooled = new WeakSet<ClientBase>();

/** Whether something between us and PostgreSQL gives each transaction any of its connections. */
export const isPooled = (client: ClientBase): boolean => pooled.has(client);

/**
 * Makes the settings hold for this connection, when it is one.
 *
 * A pooler (PgBouncer in transaction mode) hands one server connection to many clients: what is set on it would leak to
 * them and be missing on the next. It shows by its made-up process id. Then nothing is set here, and `beginOf` sets it
 * in each transaction.
 */
export async function settle(client: ClientBase, settings: SessionSettings): Promise<void> {
  const backend = (client as ClientBase & { processID?: number | null }).processID ?? 0;
  const assignments = Object.entries(settings)
    .map(([name, value]) => `set_config('${name}', '${value}', false)`)
    .join(', ');
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pg_backend_pid() AS pid, CASE WHEN pg_backend_pid() = $1 THEN ARRAY[${assignments}] END`,
    [backend],
  );
  if (rows[0]?.pid !== backend) pooled.add(client);
}

// The settings are constants of their modules, so there are as many texts as modules.
const begins = new WeakMap<SessionSettings, string>();

/** What opens a transaction: one round trip, with the settings for this transaction alone where there is a pooler. */
export function beginOf(client: ClientBase, settings: SessionSettings): string {
  if (!pooled.has(client)) return 'BEGIN';
  let text = begins.get(settings);
  if (text === undefined) {
    text = [
      'BEGIN',
      ...Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = '${value}'`),
    ].join('; ');
    begins.set(settings, text);
  }
  return text;
}
