// Loaded before the service with `node --import`, for the demo's seeded week only: the service lives through it with a
// clock that its parent moves, as on a machine that sleeps between its days. PostgreSQL's clock is told moved as well,
// since the service goes by that one.
import { ServerResponse } from 'node:http';
import { Database } from '../../dist/database/database.js';

let movedByMs = Number(new URL(import.meta.url).searchParams.get('by'));

const RealDate = Date;
globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + movedByMs);
    else super(...args);
  }
  static now() {
    return RealDate.now() + movedByMs;
  }
};

const query = Reflect.get(Database.prototype, 'query');
Database.prototype.query = async function (sql, ...rest) {
  const rows = await query.call(this, sql, ...rest);
  if (typeof sql === 'string' && sql.includes('clock_timestamp()'))
    for (const row of rows) if (row.at !== undefined) row.at = String(Number(row.at) + movedByMs);
  return rows;
};

// Node dates answers by a clock of its own, and S3's clients set theirs by that.
const writeHead = Reflect.get(ServerResponse.prototype, 'writeHead');
ServerResponse.prototype.writeHead = function (...args) {
  if (!this.hasHeader('date')) this.setHeader('date', new Date().toUTCString());
  return writeHead.apply(this, args);
};

process.on('message', ({ movedByMs: wanted }) => {
  movedByMs = wanted;
});
// The service ends when it is told to, not when its parent's channel closes.
process.channel?.unref();
