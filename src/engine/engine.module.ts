import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Notices } from '../database/notices.js';
import { patiently } from '../database/patiently.js';
import { HealthRegistry } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { parseWorkflowDef } from './decider/parse-definition.js';
import { DefinitionStore } from './definition-store.js';
import { EngineHealth } from './engine-health.js';
import { ExecutionStore } from './execution-store.js';
import type { PayloadLimits } from './model/payload-limits.js';
import { CommitMetrics } from './observability/commit-metrics.js';
import { OBSERVABILITY } from './observability/providers.js';
import { TRACING, type Tracing } from './observability/tracing.js';
import { PayloadStore } from './payloads/payload-store.js';
import type { PayloadStores } from './payloads/payload-vault.js';
import { PostgresPayloadStore } from './payloads/postgres-payload.store.js';
import { Engine, Metadata, TASK_WORKERS, type TaskWorker } from './ports.js';
import { PostgresDefinitionStore } from './postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from './postgres/postgres-execution-store.js';
import { ExecutionsController } from './rest/executions.controller.js';
import { ExternalPayloadRoutes } from './rest/external-payload-routes.js';
import { ExternalPayloadsController } from './rest/external-payloads.controller.js';
import { MetadataController } from './rest/metadata.controller.js';
import { TaskReportsController } from './rest/task-reports.controller.js';
import { RetentionController } from './rest/retention.controller.js';
import { TasksController } from './rest/tasks.controller.js';
import { WorkflowController } from './rest/workflow.controller.js';
import type { CommitObserver } from './runtime/commit-observer.js';
import { HousekeepingLife } from './retention/housekeeping-life.js';
import { RETENTION_HOLDS, type RetentionHold } from './retention/retention-hold.js';
import { RetentionService } from './retention/retention.service.js';
import { Definitions } from './runtime/definitions.js';
import { EngineRuntime } from './runtime/engine-runtime.js';
import { homeIdOf } from './runtime/home-id.js';
import { loadDefinitions, registerWorkerTasks } from './runtime/load-definitions.js';
import { SallyportEngine } from './runtime/sallyport-engine.js';
import { ScriptPool } from './scripts/script-pool.js';
import { ScriptRunner } from './scripts/script-runner.js';
import { ChangeFeed } from './stream/change-feed.js';

/** Injection token of {@link PayloadStores}. */
const PAYLOAD_STORES = Symbol('PAYLOAD_STORES');

const SHIPPED = fileURLToPath(new URL('../../workflows', import.meta.url));

/** Injection token of the list of those who are told of commits. */
const COMMIT_OBSERVERS = Symbol('COMMIT_OBSERVERS');

/** Classes of the in-process workers; each is a provider of its stage's module. */
type WorkerClass = Type<TaskWorker>;

/** Starts the engine with the application and drains it before the application goes. */
class EngineLife
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    @Inject(EngineRuntime) private readonly runtime: EngineRuntime,
    @Inject(Definitions) private readonly definitions: Definitions,
    @Inject(ExecutionStore) private readonly store: ExecutionStore,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TASK_WORKERS) private readonly workers: readonly WorkerClass[],
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(EngineHealth) private readonly check: EngineHealth,
    @Inject(TRACING) private readonly tracing: Tracing,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    this.health.add(this.check);
    await patiently(() => this.runtime.open(), { log: this.log });
    await patiently(() => loadDefinitions(this.definitions, SHIPPED), { log: this.log });
  }

  /** The stages import the engine, so their workers are looked up when all of them exist. */
  async onApplicationBootstrap(): Promise<void> {
    const workers = this.config.ROLES.includes('worker')
      ? this.workers.map((worker) => this.modules.get<TaskWorker>(worker, { strict: false }))
      : [];
    await patiently(() => registerWorkerTasks(this.definitions, workers), { log: this.log });
    this.runtime.run(workers);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.runtime.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tracing.close();
    await this.store.close();
  }
}

/** Durable execution. Exports Engine and Metadata; finds the workers of the stages after it at bootstrap. */
@Module({})
export class EngineModule {
  /**
   * `scripts`: what evaluates scripts, for tests that run from the sources. `payloadStore` provides PayloadStore, or
   * undefined where PostgreSQL keeps large values; `imports` bring what it needs.
   */
  static with({
    workers,
    scripts,
    imports = [],
    payloadStore,
    holds = [],
  }: {
    workers: readonly WorkerClass[];
    scripts?: ScriptRunner;
    imports?: NonNullable<DynamicModule['imports']>;
    payloadStore?: Provider;
    /** Classes of those who may hold executions; each is a provider of its stage's module. */
    holds?: readonly Type<RetentionHold>[];
  }): DynamicModule {
    return {
      module: EngineModule,
      imports,
      controllers: [
        // Its paths would be taken for ids by the two after it.
        ExternalPayloadsController,
        WorkflowController,
        TasksController,
        TaskReportsController,
        MetadataController,
        ExecutionsController,
        RetentionController,
      ],
      providers: [
        { provide: TASK_WORKERS, useValue: workers },
        { provide: RETENTION_HOLDS, useValue: holds },
        {
          provide: RetentionService,
          inject: [Database, Clock, CONFIG],
          useFactory: (database: Database, clock: Clock, config: Config) =>
            new RetentionService(database, clock, config.RETENTION_DAYS),
        },
        HousekeepingLife,
        payloadStore ?? { provide: PayloadStore, useValue: undefined },
        {
          provide: ExecutionStore,
          inject: [Database],
          useFactory: (database: Database) => new PostgresExecutionStore(database),
        },
        {
          provide: DefinitionStore,
          inject: [Database],
          useFactory: (database: Database) => new PostgresDefinitionStore(database),
        },
        {
          provide: Definitions,
          inject: [DefinitionStore, Clock],
          useFactory: (store: DefinitionStore, clock: Clock) =>
            new Definitions(store, clock, parseWorkflowDef),
        },
        {
          provide: EngineRuntime,
          inject: [
            ExecutionStore,
            Definitions,
            Clock,
            CONFIG,
            LOG,
            COMMIT_OBSERVERS,
            Notices,
            TRACING,
            ScriptRunner,
            PAYLOAD_STORES,
          ],
          useFactory: makeRuntime,
        },
        {
          provide: ScriptRunner,
          inject: [CONFIG],
          useFactory: (config: Config) =>
            scripts ??
            new ScriptPool({
              limitMs: config.SCRIPT_MAX_EXECUTION_SECONDS * 1_000,
              threads: config.SCRIPT_THREADS,
            }),
        },
        {
          provide: PAYLOAD_STORES,
          inject: [Database, { token: PayloadStore, optional: true }],
          useFactory: (database: Database, primary: PayloadStore | undefined): PayloadStores => {
            const fallback = new PostgresPayloadStore(database);
            return { primary: primary ?? fallback, fallback };
          },
        },
        ...OBSERVABILITY,
        {
          provide: ChangeFeed,
          inject: [ExecutionStore, Clock, LOG, { token: Notices, optional: true }],
          useFactory: (store: ExecutionStore, clock: Clock, log: Log, notices: Notices | undefined) =>
            new ChangeFeed({ store, clock, log, notices }),
        },
        {
          provide: COMMIT_OBSERVERS,
          inject: [TRACING, CommitMetrics, ChangeFeed],
          useFactory: ({ observer }: Tracing, ...others: readonly CommitObserver[]) =>
            observer === undefined ? others : [...others, observer],
        },
        {
          provide: SallyportEngine,
          inject: [EngineRuntime, Definitions, Clock],
          useFactory: (runtime: EngineRuntime, definitions: Definitions, clock: Clock) =>
            new SallyportEngine(runtime, definitions, clock),
        },
        { provide: Engine, useExisting: SallyportEngine },
        { provide: Metadata, useExisting: Definitions },
        EngineHealth,
        EngineLife,
        ExternalPayloadRoutes,
      ],
      exports: [Engine, Metadata, EngineRuntime, ExecutionStore, ChangeFeed],
    };
  }
}

async function makeRuntime(
  store: ExecutionStore,
  definitions: Definitions,
  clock: Clock,
  config: Config,
  log: Log,
  observers: readonly CommitObserver[],
  notices: Notices,
  { traces }: Tracing,
  scripts: ScriptRunner,
  payloadStores: PayloadStores,
): Promise<EngineRuntime> {
  const homeId = await homeIdOf(config.SALLYPORT_HOME);
  return new EngineRuntime({
    store,
    definitions,
    clock,
    log,
    identity: { homeId, host: hostname(), pid: process.pid, roles: config.ROLES },
    limits: payloadLimits(config),
    payloadStores,
    fires: config.ROLES.includes('engine'),
    priorityAgeingMs: config.PRIORITY_AGEING_SECONDS * 1_000,
    polls: { waiting: config.LONG_POLLS, waitingPerClient: config.LONG_POLLS_PER_CLIENT },
    notices,
    scripts,
    observers,
    traces,
  });
}

const payloadLimits = (config: Config): PayloadLimits => ({
  workflowThreshold: config.PAYLOAD_WORKFLOW_THRESHOLD_KB * 1024,
  workflowMax: config.PAYLOAD_WORKFLOW_MAX_KB * 1024,
  taskThreshold: config.PAYLOAD_TASK_THRESHOLD_KB * 1024,
  taskMax: config.PAYLOAD_TASK_MAX_KB * 1024,
  variablesMax: config.PAYLOAD_VARIABLES_MAX_KB * 1024,
});
