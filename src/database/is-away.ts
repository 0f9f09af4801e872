// Classes of SQLSTATE: 08 connection, 53 out of connections, disk or memory, 57P shutting down or starting up.
const AWAY_STATES = /^(08|53|57P0)/;
const AWAY_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);
// The driver gives these no code.
const AWAY_MESSAGES =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|the database system is)/;
const MAX_CAUSES = 5;

/** Whether an error says that PostgreSQL cannot be reached or cannot serve now, so that the same call may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    const code = 'code' in current && typeof current.code === 'string' ? current.code : '';
    if (AWAY_CODES.has(code) || AWAY_STATES.test(code) || AWAY_MESSAGES.test(current.message)) return true;
    current = current.cause;
  }
  return false;
}
