import { parseWorkflowDef } from '../../src/engine/decider/parse-definition.js';
import type { DefinitionStore } from '../../src/engine/definition-store.js';
import type { ExecutionStore } from '../../src/engine/execution-store.js';
import type { Actor } from '../../src/engine/model/command.js';
import type { Task } from '../../src/engine/model/execution.js';
import { TaskWorker, type TaskContext, type TaskOutcome } from '../../src/engine/ports.js';
import { Definitions } from '../../src/engine/runtime/definitions.js';
import { EngineRuntime, type RuntimeParts } from '../../src/engine/runtime/engine-runtime.js';
import { SallyportEngine } from '../../src/engine/runtime/sallyport-engine.js';
import { FakeClock } from './clock.js';
import { LazyScripts } from './scripts.js';

export const TESTER: Actor = { kind: 'user', id: 'tester' };

/** A worker whose behaviour is a function. */
export class FunctionWorker extends TaskWorker {
  readonly runs: Task[] = [];

  constructor(
    readonly taskType: string,
    private readonly work: (task: Task, context: TaskContext) => Promise<TaskOutcome> | TaskOutcome = () => ({
      kind: 'completed',
      output: {},
    }),
    override readonly concurrency: number = 4,
  ) {
    super();
  }

  async execute(task: Task, context: TaskContext): Promise<TaskOutcome> {
    this.runs.push(task);
    return await this.work(task, context);
  }
}

export interface TestEngine {
  readonly engine: SallyportEngine;
  readonly runtime: EngineRuntime;
  readonly definitions: Definitions;
  readonly clock: FakeClock;
}

/** An engine on these stores, started; stop it with `runtime.stop()`. */
export async function startEngine(
  stores: { executions: ExecutionStore; definitions: DefinitionStore },
  options: Partial<RuntimeParts> & { clock?: FakeClock; workers?: readonly TaskWorker[] } = {},
): Promise<TestEngine> {
  const clock = options.clock ?? new FakeClock();
  const definitions = new Definitions(stores.definitions, clock, parseWorkflowDef);
  const runtime = new EngineRuntime({
    store: stores.executions,
    definitions,
    identity: { homeId: 'home-1', host: 'test', pid: 1, roles: ['engine'] },
    scripts: new LazyScripts(),
    ...options,
    clock,
  });
  await runtime.open();
  runtime.run(options.workers ?? []);
  return { engine: new SallyportEngine(runtime, definitions, clock), runtime, definitions, clock };
}

/**
 * Stops an engine although its clock stands still: time passes as long as somebody sleeps, much faster than real time
 * but not so fast that the database has no chance to answer.
 */
export async function stopEngine({ runtime, clock }: TestEngine, stepMs = 50): Promise<void> {
  const state = { isStopped: false };
  const stopped = runtime.stop().finally(() => (state.isStopped = true));
  while (!state.isStopped) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (clock.sleeping.nextAt !== undefined) clock.advance(stepMs);
  }
  await stopped;
}

/** A definition of SIMPLE steps, one after the other. */
export const chain = (name: string, ...steps: string[]) => ({
  name,
  version: 1,
  schemaVersion: 2,
  tasks: steps.map((step, index) => ({
    name: step,
    taskReferenceName: `${step}_${index}`,
    type: 'SIMPLE',
    inputParameters: { given: '${workflow.input.given}' },
  })),
  outputParameters: {},
});

export async function register(
  { definitions }: Pick<TestEngine, 'definitions'>,
  ...defs: readonly object[]
): Promise<void> {
  for (const def of defs) {
    await definitions.registerWorkflow(parseWorkflowDef(def), { overwrite: true }, TESTER);
  }
}
