// Our engine as the service runs it: the same modules, the REST API with its guard, PostgreSQL; and one worker that does nothing.
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessGuard } from '../../../src/access/access.guard.js';
import { AccessModule } from '../../../src/access/access.module.js';
import { AccessService } from '../../../src/access/access.service.js';
import { Keyring } from '../../../src/access/keyring.js';
import { AuditPlaces } from '../../../src/audit/anchors/places.js';
import { AuditCheckpoints } from '../../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../../src/audit/chain/sequencer.js';
import { readConfig } from '../../../src/config.js';
import { createDataSource } from '../../../src/database/data-source.js';
import { Database } from '../../../src/database/database.js';
import { DatabaseClock } from '../../../src/database/database-clock.js';
import { migrate } from '../../../src/database/migrate.js';
import { DatabaseModule } from '../../../src/database/database.module.js';
import { Notices } from '../../../src/database/notices.js';
import { EngineModule } from '../../../src/engine/engine.module.js';
import { parseWorkflowDef } from '../../../src/engine/decider/parse-definition.js';
import { Metadata, TaskWorker, type TaskOutcome } from '../../../src/engine/ports.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { SallyportEngine } from '../../../src/engine/runtime/sallyport-engine.js';
import { createAdapter, furnish } from '../../../src/http/server.js';
import { OutboxBell } from '../../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../../src/outbound/postgres-outbox.js';
import { createLog, nestLogger } from '../../../src/ops/log.js';
import { OpsModule } from '../../../src/ops/ops.module.js';
import { closedLoop, countStatements } from './loop.js';
import { memoryInUse, openLoop } from './pace.js';
import type { Answer, FeedOrder, FeedResult, Order, PaceOrder, PaceResult } from './messages.js';
import { serveOrders } from './serve.js';

const TO_THE_END = { waitMs: Infinity, references: [] };
// More than any measurement runs at once: a task must never wait for a slot.
const SLOTS = 2_000;
const SAMPLE = 20;

const [home = '', url = '', keyId = '', keySecret = '', record = 'events'] = process.argv.slice(2);
// What the service starts by itself leaves no event: the engine without its audit record.
const BENCH = { kind: record === 'none' ? 'system' : 'user', id: 'bench' } as const;

class NoOpWorker extends TaskWorker {
  readonly taskType: string = 'no_op';
  override readonly concurrency: number = SLOTS;

  async execute(task: Task): Promise<TaskOutcome> {
    return { kind: 'completed', output: { done: task.inputData['given'] ?? null } };
  }
}

/** With fewer slots than a fork has tasks, as workers have: all but the first of them wait to be claimed. */
class BranchWorker extends NoOpWorker {
  override readonly taskType = 'branch';
  override readonly concurrency = 100;
}

/** Fails every first attempt. */
class FlakyWorker extends TaskWorker {
  readonly taskType = 'flaky';
  override readonly concurrency = SLOTS;

  async execute(task: Task): Promise<TaskOutcome> {
    return task.retryCount === 0
      ? { kind: 'failed', reason: 'the first attempt fails', terminal: false }
      : { kind: 'completed', output: { done: task.inputData['given'] ?? null } };
  }
}

countStatements();

const config = readConfig({
  SALLYPORT_HOME: home,
  DATABASE_URL: url,
  SALLYPORT_KEY: key(),
  LOG_LEVEL: 'warn',
});
const log = createLog(config);
await migrate(url);
const database = new Database(url);
const dataSource = await (await createDataSource(url)).initialize();
const clock = await DatabaseClock.start(database);
const notices = await Notices.start({ listenUrl: url, sender: database, log });
const keyring = await Keyring.open(database, Buffer.from(key(), 'base64'), clock);

@Global()
@Module({
  providers: [{ provide: Keyring, useValue: keyring }, NoOpWorker, BranchWorker, FlakyWorker],
  exports: [Keyring, NoOpWorker, BranchWorker, FlakyWorker],
})
class Ground {}

@Module({
  imports: [
    OpsModule.using({ config, log }),
    DatabaseModule.using({ database, dataSource, clock, notices }),
    Ground,
    AccessModule,
    EngineModule.with({ workers: [NoOpWorker, BranchWorker, FlakyWorker] }),
  ],
})
class BenchModule {}

const app = await NestFactory.create<NestFastifyApplication>(BenchModule, await createAdapter(config, log), {
  logger: nestLogger(log),
  bodyParser: false,
  abortOnError: false,
});
const guard = app.get(AccessGuard);
await furnish(app, '/nonexistent', (request) => guard.identify(request));
await app
  .get(AccessService)
  .bootstrap({ name: 'admin', password: keySecret }, { id: keyId, secret: keySecret });
await app.init();
await app.listen(0, '127.0.0.1');

const sequencer = record === 'chained' ? newSequencer() : undefined;
sequencer?.onApplicationBootstrap();

const engine = app.get(SallyportEngine, { strict: false });
const definitions = app.get(Metadata, { strict: false });
const known = new Set<string>();
let given = 0;

/** 32 bytes that every replica derives alike; they protect nothing here. */
function key(): string {
  return Buffer.alloc(32, keySecret).toString('base64');
}

/** As the service has it; what it signs is kept nowhere else. */
function newSequencer(): AuditSequencer {
  const places = new AuditPlaces({ AUDIT_BUCKET: undefined, AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
  const outbox = new PostgresOutbox(clock, new OutboxBell());
  const checkpoints = new AuditCheckpoints(database, clock, keyring, outbox, places);
  return new AuditSequencer(log, database, clock, checkpoints);
}

const step = (taskType: string, index: number) => ({
  name: taskType,
  taskReferenceName: `step_${index}`,
  type: 'SIMPLE',
  inputParameters: { given: '${workflow.input.given}' },
});

/** A definition of so many tasks in a row, all of one type. */
const chain = (tasks: number, taskType: string): Promise<string> =>
  define(
    `${taskType}_${tasks}`,
    Array.from({ length: tasks }, (_, index) => step(taskType, index)),
  );

/** The same tasks side by side. */
function fork(tasks: number): Promise<string> {
  const steps = Array.from({ length: tasks }, (_, index) => step('branch', index));
  return define(`fork_${tasks}`, [
    { name: 'fork', taskReferenceName: 'fork', type: 'FORK_JOIN', forkTasks: steps.map((one) => [one]) },
    {
      name: 'join',
      taskReferenceName: 'join',
      type: 'JOIN',
      joinOn: steps.map(({ taskReferenceName }) => taskReferenceName),
    },
  ]);
}

async function define(name: string, tasks: readonly object[]): Promise<string> {
  if (known.has(name)) return name;
  const def = parseWorkflowDef({ name, version: 1, schemaVersion: 2, tasks, outputParameters: {} });
  await definitions.registerWorkflow(def, { overwrite: true }, BENCH);
  known.add(name);
  return name;
}

/** The kinds of an open loop, in the order in which their turn comes; all others are chains of three tasks. */
const MIXED: Readonly<Record<number, { readonly name: string; readonly tasks: readonly object[] }>> = {
  2: {
    name: 'mixed_wait',
    tasks: [
      { name: 'wait', taskReferenceName: 'wait', type: 'WAIT', inputParameters: { duration: '1 seconds' } },
      { name: 'no_op', taskReferenceName: 'after', type: 'SIMPLE' },
    ],
  },
  5: {
    name: 'mixed_retry',
    tasks: [
      {
        name: 'flaky',
        taskReferenceName: 'flaky',
        type: 'SIMPLE',
        taskDefinition: { name: 'flaky', retryCount: 3, retryDelaySeconds: 0 },
      },
    ],
  },
  8: {
    name: 'mixed_child',
    tasks: [
      {
        name: 'child',
        taskReferenceName: 'child',
        type: 'SUB_WORKFLOW',
        subWorkflowParam: { name: 'no_op_3', version: 1 },
      },
    ],
  },
};

async function mixed(order: PaceOrder): Promise<PaceResult> {
  const chains = await chain(3, 'no_op');
  for (const { name, tasks } of Object.values(MIXED)) await define(name, tasks);
  const kindOf = (n: number): string => MIXED[n % 10]?.name ?? chains;
  return await openLoop(
    order,
    (n) => runOne(kindOf(n)),
    (n) => kindOf(n) === 'mixed_wait',
  );
}

/** Starts one and resolves with its id when its end is durable. */
async function runOne(name: string): Promise<string> {
  const { execution } = await engine.execute({ name, input: { given: (given += 1) } }, TO_THE_END, BENCH);
  return execution.workflowId;
}

const feeding = {
  isOpen: false,
  ended: 0,
  sample: [] as string[],
  done: Promise.resolve<unknown>(undefined),
};

async function feed({ tasks, open }: FeedOrder): Promise<FeedResult> {
  const name = await chain(tasks, 'remote');
  Object.assign(feeding, { isOpen: true, ended: 0, sample: [] });
  const one = async (): Promise<void> => {
    while (feeding.isOpen) {
      const id = await runOne(name);
      feeding.ended += 1;
      if (feeding.ended % 100 === 1 && feeding.sample.length < SAMPLE) feeding.sample.push(id);
    }
  };
  feeding.done = Promise.all(Array.from({ length: open }, one));
  // The first of them are there when the answer is.
  await sleep(200);
  return fed();
}

const fed = (): FeedResult => ({ ended: feeding.ended, sample: feeding.sample });

async function carryOut(order: Order): Promise<Answer> {
  switch (order.kind) {
    case 'loop': {
      const name = await chain(order.tasks, 'no_op');
      return await closedLoop(order, () => runOne(name));
    }
    case 'pace':
      return await mixed(order);
    case 'memory':
      return memoryInUse();
    case 'chain':
    case 'fork': {
      const name = await (order.kind === 'fork' ? fork(order.tasks) : chain(order.tasks, 'no_op'));
      const began = performance.now();
      const workflowId = await runOne(name);
      return { workflowId, milliseconds: performance.now() - began };
    }
    case 'feed':
      return await feed(order);
    case 'stopFeeding':
      feeding.isOpen = false;
      await feeding.done;
      return fed();
    case 'work':
    case 'stopWorking':
      throw new Error(`Not for the engine: ${order.kind}`);
    default:
      return order satisfies never;
  }
}

serveOrders(await app.getUrl(), carryOut, async () => {
  await sequencer?.beforeApplicationShutdown();
  await app.close();
  await notices.stop();
  clock.stop();
  await dataSource.destroy();
  await database.close();
});
