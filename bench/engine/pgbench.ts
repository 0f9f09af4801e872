import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findPgbench, type Cluster } from './cluster.js';

const run = promisify(execFile);

const DATABASE = 'yardstick';
const CLIENTS = 16;
// pgbench's manual: at least as many branches as clients, or what is measured is the lock on a branch.
const SCALE = 50;

/** TPC-B by pgbench with 16 clients: how many durable commits a second this machine gives at the moment. */
export class Yardstick {
  private constructor(
    private readonly pgbench: string,
    private readonly cluster: Cluster,
  ) {}

  static async prepare(cluster: Cluster): Promise<Yardstick> {
    const pgbench = findPgbench();
    await cluster.create(DATABASE);
    await run(pgbench, ['-i', '-q', '-s', String(SCALE), DATABASE], {
      env: cluster.environment,
      timeout: 300_000,
    });
    return new Yardstick(pgbench, cluster);
  }

  /** Transactions per second. */
  async measure(seconds: number): Promise<number> {
    const { stdout } = await run(
      this.pgbench,
      ['-n', '-c', String(CLIENTS), '-j', '2', '-T', String(seconds), DATABASE],
      { env: this.cluster.environment, timeout: (seconds + 60) * 1_000 },
    );
    const tps = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
    if (!(tps > 0)) throw new Error(`pgbench did not say how fast it was:\n${stdout}`);
    return tps;
  }
}
