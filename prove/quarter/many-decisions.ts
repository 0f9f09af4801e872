import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Database } from '../../src/database/database.js';

const PROGRAM = fileURLToPath(new URL('./make-report.mjs', import.meta.url));
const DAY = 86_400_000;
export const MANY = 10_000;
export const MOST_MS = 5_000;
export const MOST_MIB = 300;

/**
 * What it took to make a report. `cpuMs` is this process's own of all three steps, without PostgreSQL's; `peakMiB` the most
 * that it had resident, Node and all modules with it.
 */
export interface Making {
  readonly decisions: number;
  readonly startedMiB: number;
  readonly snapshotMs: number;
  readonly renderMs: number;
  readonly signMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/**
 * Copies the quarter's decisions, with their votes and timelines, into the ten days after it until there are 10,000, and has
 * the report of those days made in a process of its own.
 */
export async function makeWithMany(url: string): Promise<Making> {
  const database = new Database(url, { maxConnections: 2 });
  try {
    const [last] = await database.query<{ at: number; count: number }>(
      `SELECT max(greatest(decided_at, updated_at))::float8 AS at, count(*)::int AS count FROM review
        WHERE state = 'COMPLETED' AND scan_id IS NOT NULL`,
    );
    if (last === undefined || last.count === 0) throw new Error('nothing was decided');
    const from = (Math.floor(last.at / DAY) + 1) * DAY;
    await copyDecisions(database, from, Math.ceil(MANY / last.count));
    const program = spawn(process.execPath, [PROGRAM, url, String(from), String(from + 10 * DAY)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said, [code]] = await Promise.all([text(program.stdout), once(program, 'exit')]);
    if (code !== 0) throw new Error(`make-report.mjs ended with ${String(code)}`);
    return JSON.parse(said) as Making;
  } finally {
    await database.close();
  }
}

async function copyDecisions(database: Database, from: number, times: number): Promise<void> {
  const id = 'md5(c.id)::uuid';
  const copy = async (
    table: string,
    own: Readonly<Record<string, string>>,
    join: string,
    order = '',
  ): Promise<void> => {
    const columns = await database.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO'`,
      [table],
    );
    const names = columns.map(({ name }) => name);
    await database.query(
      `WITH c AS (
         SELECT r.id AS of, r.id || '-' || n AS id,
                $1::bigint + (row_number() OVER (ORDER BY n, r.id) * ${10 * DAY} / ($2 + 1))::bigint - r.decided_at AS later
           FROM review r, generate_series(1, $3::int) n
          WHERE r.state = 'COMPLETED' AND r.scan_id IS NOT NULL AND r.decided_at < $1
          ORDER BY n, r.id LIMIT $2)
       INSERT INTO ${table} (${names.map((name) => `"${name}"`).join(', ')})
       SELECT ${names.map((name) => own[name] ?? `t."${name}"`).join(', ')} FROM c JOIN ${table} t ON ${join} ${order}`,
      [from, MANY, times],
    );
  };
  const moved = (name: string): readonly [string, string] => [name, `t.${name} + c.later`];
  await copy(
    'review',
    {
      id,
      task_id: `'copy ' || c.id`,
      ...Object.fromEntries(['created_at', 'updated_at', 'decided_at', 'due_at'].map(moved)),
    },
    't.id = c.of',
  );
  const ofReview = { review_id: id, at: 't.at + c.later' };
  await copy('review_vote', ofReview, 't.review_id = c.of');
  await copy('review_event', ofReview, 't.review_id = c.of', 'ORDER BY t.id');
  await database.query('ANALYZE');
}
