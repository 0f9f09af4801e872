import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

/** What PostgreSQL says of one table. */
export interface TableFacts {
  readonly table: string;
  readonly liveRows: number;
  /** The mean over the time that was watched: between two vacuums it climbs, and falls at once with the next. */
  readonly deadRows: number;
  /** The most in that time. */
  readonly deadPeak: number;
  /** With its indexes and what is stored out of line. */
  readonly bytes: number;
  readonly vacuums: number;
}

/** The tables that every execution touches. */
export const HOT = ['workflow', 'workflow_payload', 'task', 'workflow_timer', 'workflow_inbox'] as const;

type Sample = Omit<TableFacts, 'deadPeak'>;

/**
 * Looks at the tables all the time. One look a minute would not do: autovacuum also comes about once a minute, so that
 * each look would see nearly the same point between two vacuums, and the slow drift of that point would pass for bloat.
 */
export class TableWatch {
  private samples: Sample[] = [];
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private failure: unknown;

  private constructor(
    private readonly client: Client,
    private readonly everyMs: number,
  ) {}

  static async start(url: string, everyMs: number): Promise<TableWatch> {
    const client = new Client({ connectionString: url, application_name: 'soak-tables' });
    await client.connect();
    const watch = new TableWatch(client, everyMs);
    watch.loop = watch.run().catch((error: unknown) => {
      watch.failure = error;
    });
    return watch;
  }

  /**
   * What was seen since it was last asked.
   * @throws what ended the watch, or that nothing was seen yet.
   */
  take(): readonly TableFacts[] {
    if (this.failure !== undefined) throw this.failure;
    const samples = this.samples.splice(0);
    const seen = HOT.map((name) => factsOf(samples.filter(({ table }) => table === name)));
    return seen.toSorted((a, b) => a.table.localeCompare(b.table));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await this.client.end();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.samples.push(...(await look(this.client)));
      // Woken to stop.
      await delay(this.everyMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }
}

function factsOf(samples: readonly Sample[]): TableFacts {
  const last = samples.at(-1);
  if (last === undefined) throw new Error('a table was not seen');
  const dead = samples.map(({ deadRows }) => deadRows);
  const deadRows = Math.round(dead.reduce((sum, count) => sum + count, 0) / dead.length);
  return { ...last, deadRows, deadPeak: Math.max(...dead) };
}

async function look(client: Client): Promise<readonly Sample[]> {
  const { rows } = await client.query<Sample>(
    `SELECT relname AS "table", n_live_tup::float8 AS "liveRows", n_dead_tup::float8 AS "deadRows",
       pg_total_relation_size(relid)::float8 AS bytes, autovacuum_count::float8 AS vacuums
     FROM pg_stat_user_tables WHERE relname = ANY ($1)`,
    [HOT],
  );
  return rows;
}
