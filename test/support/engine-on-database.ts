import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Database } from '../../src/database/database.js';
import { DatabaseClock } from '../../src/database/database-clock.js';
import { DatabaseState } from '../../src/database/database-state.js';
import { poolSizes } from '../../src/database/pool-sizes.js';
import { parseWorkflowDef } from '../../src/engine/decider/parse-definition.js';
import type { TaskWorker } from '../../src/engine/ports.js';
import { PostgresDefinitionStore } from '../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../src/engine/postgres/postgres-execution-store.js';
import type { ScriptRunner } from '../../src/engine/scripts/script-runner.js';
import type { CommitterOptions } from '../../src/engine/runtime/committer.js';
import { Definitions } from '../../src/engine/runtime/definitions.js';
import { EngineRuntime } from '../../src/engine/runtime/engine-runtime.js';
import { SallyportEngine } from '../../src/engine/runtime/sallyport-engine.js';
import { DatabaseHealth } from '../../src/ops/database-health.js';
import { HealthRegistry, type HealthResult } from '../../src/ops/health.js';
import { logOptions } from '../../src/ops/log.js';
import { TESTER } from './engine.js';

/** One line of the log. */
export interface Line {
  readonly level: number;
  readonly msg: string;
  readonly state?: string;
}

export interface EngineOptions {
  readonly workers?: readonly TaskWorker[];
  readonly committer?: Partial<CommitterOptions>;
  readonly poolSize?: number;
  readonly homeId?: string;
  readonly scripts?: ScriptRunner;
}

/** An engine as a process runs it: real clock, real pools, the service's own log, health of the database. */
export class EngineOnDatabase {
  private constructor(
    readonly database: Database,
    readonly store: PostgresExecutionStore,
    readonly clock: DatabaseClock,
    readonly runtime: EngineRuntime,
    readonly engine: SallyportEngine,
    readonly definitions: Definitions,
    readonly lines: readonly Line[],
    private readonly healthCheck: DatabaseHealth,
    readonly metrics: Registry,
  ) {}

  static async start(url: string, options: EngineOptions = {}): Promise<EngineOnDatabase> {
    const lines: Line[] = [];
    const log = pino(
      logOptions('info'),
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(JSON.parse(chunk.toString()) as Line);
          done();
        },
      }),
    );
    const database = new Database(url, {
      state: new DatabaseState(log),
      sizes: poolSizes(options.poolSize ?? 12),
    });
    const clock = await DatabaseClock.start(database, log);
    const store = new PostgresExecutionStore(database);
    const definitions = new Definitions(new PostgresDefinitionStore(database), clock, parseWorkflowDef);
    const homeId = options.homeId ?? 'home-1';
    const runtime = new EngineRuntime({
      store,
      definitions,
      clock,
      log,
      identity: { homeId, host: 'test', pid: process.pid, roles: ['engine'] },
      ...(options.committer === undefined ? {} : { committer: options.committer }),
      scripts: options.scripts,
    });
    await runtime.open();
    runtime.run(options.workers ?? []);
    const metrics = new Registry();
    const health = new DatabaseHealth(database, new HealthRegistry(), metrics);
    health.onApplicationBootstrap();
    const engine = new SallyportEngine(runtime, definitions, clock);
    return new EngineOnDatabase(database, store, clock, runtime, engine, definitions, lines, health, metrics);
  }

  /** What /health says of PostgreSQL. */
  async health(): Promise<HealthResult> {
    const [result] = await this.healthCheck.check();
    if (result === undefined) throw new Error('no result');
    return result;
  }

  /** The states that were logged, in order. */
  get states(): readonly (string | undefined)[] {
    return this.lines.filter(({ msg }) => msg.startsWith('PostgreSQL ')).map(({ state }) => state);
  }

  async register(...defs: readonly object[]): Promise<void> {
    for (const def of defs) {
      await this.definitions.registerWorkflow(parseWorkflowDef(def), { overwrite: true }, TESTER);
    }
  }

  async stop(): Promise<void> {
    await this.runtime.stop();
    this.clock.stop();
    await this.store.close();
    await this.database.close();
  }
}
