import { Client } from 'pg';
import { randomFrom } from '../proof.js';

const CLIENTS = 16;
const ROWS = 100_000;

/**
 * How many durable commits a second this machine gives at the moment, as TPC-B does them: one row of many changed and
 * one added. Not pgbench, which the tests' machine may not have; the driver is the engine's, so that a machine whose
 * processor is slow for a while shows here as well.
 */
export class Probe {
  private constructor(
    private readonly clients: readonly Client[],
    private readonly random: () => number,
  ) {}

  static async prepare(url: string, seed: number): Promise<Probe> {
    const clients = Array.from({ length: CLIENTS }, () => new Client({ connectionString: url }));
    for (const client of clients) await client.connect();
    const [first] = clients;
    await first?.query(`
      CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL) WITH (fillfactor = 70);
      CREATE TABLE history (account int NOT NULL, delta int NOT NULL, at bigint NOT NULL);
      INSERT INTO account SELECT id, 0 FROM generate_series(1, ${ROWS}) AS id`);
    await first?.query('VACUUM ANALYZE account');
    return new Probe(clients, randomFrom(seed));
  }

  /** Commits per second. */
  async measure(seconds: number): Promise<number> {
    let commits = 0;
    const began = performance.now();
    const end = began + seconds * 1_000;
    const one = async (client: Client): Promise<void> => {
      while (performance.now() < end) {
        const account = 1 + Math.floor(this.random() * ROWS);
        await client.query({
          name: 'transfer',
          text: `WITH changed AS (UPDATE account SET balance = balance + $2 WHERE id = $1 RETURNING id)
                 INSERT INTO history SELECT id, $2, $3 FROM changed`,
          values: [account, commits % 7, Math.round(performance.timeOrigin + performance.now())],
        });
        commits += 1;
      }
    };
    await Promise.all(this.clients.map(one));
    return commits / ((performance.now() - began) / 1_000);
  }

  /** Forgets what was measured, or the probe itself would grow. */
  async clear(): Promise<void> {
    await this.clients[0]?.query('TRUNCATE history');
  }

  async close(): Promise<void> {
    for (const client of this.clients) await client.end();
  }
}
