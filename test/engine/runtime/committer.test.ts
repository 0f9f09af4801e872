import { describe, expect, test } from 'vitest';
import {
  StoreFailure,
  type BatchRequest,
  type BatchResult,
  type LockedWorkflow,
  type WorkflowWrite,
} from '../../../src/engine/execution-store.js';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { FakeClock } from '../../support/clock.js';
import { chain, FunctionWorker, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

type Decide = (locked: readonly LockedWorkflow[]) => readonly WorkflowWrite[];

/** A store whose batches go wrong as the test says. */
class TroubledStore extends MemoryExecutionStore {
  readonly sizes: number[] = [];
  /** Asked before each batch: what to throw instead of storing, or after storing it. */
  before: (writes: readonly WorkflowWrite[]) => Error | undefined = () => undefined;
  after: (writes: readonly WorkflowWrite[]) => Error | undefined = () => undefined;
  busy: (request: BatchRequest) => readonly string[] = () => [];

  override async commitBatch(request: BatchRequest, decide: Decide): Promise<BatchResult> {
    const busy = new Set(this.busy(request));
    const members = request.members.filter(({ workflowId }) => !busy.has(workflowId));
    let writes: readonly WorkflowWrite[] = [];
    const result = await super.commitBatch({ ...request, members }, (locked) => {
      writes = decide(locked);
      this.sizes.push(writes.length);
      const failure = this.before(writes);
      if (failure !== undefined) throw failure;
      return writes;
    });
    const failure = this.after(writes);
    if (failure !== undefined) throw failure;
    return { ...result, busy: [...busy] };
  }
}

async function troubled(workers: FunctionWorker[] = []) {
  const executions = new TroubledStore();
  const clock = new FakeClock();
  const it = await startEngine({ executions, definitions: new MemoryDefinitionStore() }, { clock, workers });
  await register(it, chain('one', 'step'));
  const start = (correlationId: string) => it.engine.start({ name: 'one', correlationId }, TESTER);
  return { ...it, executions, start };
}

const once = (failure: Error) => {
  let left = 1;
  return () => (left-- > 0 ? failure : undefined);
};

describe('the committer', () => {
  test('stores in one batch what is asked in one turn', async () => {
    const it = await troubled();
    await Promise.all(Array.from({ length: 40 }, (_, index) => it.start(`c${index}`)));
    expect(it.executions.sizes).toEqual([40]);
    await stopEngine(it);
  });

  test('finds the one that cannot be stored, and stores the others', async () => {
    const it = await troubled();
    const isBad = ({ workflow }: WorkflowWrite) => workflow.correlationId === 'c5';
    it.executions.before = (writes) => (writes.some(isBad) ? new StoreFailure('data', 'bad row') : undefined);
    const starts = Array.from({ length: 9 }, (_, index) => it.start(`c${index}`));
    const outcomes = await Promise.allSettled(starts);
    expect(outcomes.map(({ status }) => status)).toEqual(
      outcomes.map((_, index) => (index === 5 ? 'rejected' : 'fulfilled')),
    );
    expect(outcomes[5]).toMatchObject({ reason: { status: 400 } });
    expect((await it.engine.search({ limit: 20 })).items).toHaveLength(8);
    await stopEngine(it);
  });

  test('fails a workflow whose next state cannot be stored, with the reason, instead of trying for ever', async () => {
    let runs = 0;
    const worker = new FunctionWorker('step', () => {
      runs += 1;
      return { kind: 'completed', output: {} };
    });
    const it = await troubled([worker]);
    await register(it, {
      name: 'waits',
      tasks: [
        { name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '1 seconds' } },
      ],
    });
    it.executions.before = (writes) =>
      writes.some(({ workflow }) => workflow.status === 'COMPLETED')
        ? new StoreFailure('data', 'bigint out of range')
        : undefined;
    const ended = async (id: string) => {
      await eventually(async () => {
        it.clock.advance(100);
        return (await it.engine.get(id)).status === 'FAILED';
      });
      return (await it.engine.get(id)).reasonForIncompletion;
    };
    const reason =
      'What comes next in this workflow cannot be stored: bigint out of range. Mend its definition and start it anew.';
    expect(await ended(await it.start('run'))).toBe(reason);
    expect(await ended(await it.engine.start({ name: 'waits' }, TESTER))).toBe(reason);
    expect(runs).toBe(1);
    await stopEngine(it);
  });

  test('answers for a running workflow what was sent to it beside another start of the same id', async () => {
    const it = await troubled();
    const workflowId = '00000000-0000-4000-8000-000000000001';
    const again = { name: 'one', workflowId };
    await it.engine.start(again, TESTER);
    const outcomes = await Promise.all([
      it.engine.start(again, TESTER),
      it.engine.terminate(workflowId, 'enough', TESTER),
    ]);
    expect(outcomes[0]).toBe(workflowId);
    expect((await it.engine.get(workflowId)).status).toBe('TERMINATED');
    await stopEngine(it);
  });

  test('does not have a task done again while the report of its run waits', async () => {
    const worker = new FunctionWorker('step');
    const it = await troubled([worker]);
    let waits = true;
    it.executions.busy = ({ members }) =>
      waits && worker.runs.length > 0 ? members.map(({ workflowId }) => workflowId) : [];
    const id = await it.start('c');
    await eventually(() => worker.runs.length === 1);
    for (let beat = 0; beat < 4; beat++) await it.runtime.keeper.beat();
    expect(await it.executions.heldBy(it.runtime.keeper.incarnation())).toHaveLength(1);
    waits = false;
    await eventually(async () => (await it.engine.get(id)).status === 'COMPLETED');
    expect(worker.runs).toHaveLength(1);
    await stopEngine(it);
  });

  test('stores a batch again, whole, when the trouble passes', async () => {
    const it = await troubled();
    it.executions.before = once(new StoreFailure('transient', 'deadlock'));
    const started = Promise.all([it.start('a'), it.start('b')]);
    await eventually(() => it.executions.sizes.length === 1);
    clockOn(it.clock, started);
    await started;
    expect(it.executions.sizes).toEqual([2, 2]);
    await stopEngine(it);
  });

  test('recognises what an unknown COMMIT had stored', async () => {
    const worker = new FunctionWorker('step');
    const it = await troubled([worker]);
    const id = await it.engine.start({ name: 'one' }, TESTER);
    await eventually(async () => (await it.engine.get(id)).status === 'COMPLETED');
    const other = await troubled();
    it.executions.after = once(new StoreFailure('unknown', 'connection lost'));
    const start = it.start('x');
    clockOn(it.clock, start);
    const twice = await start;
    expect((await it.engine.search({ correlationId: undefined, limit: 10 })).items).toHaveLength(2);
    // What that commit had handed to this process is nobody's run; the reconciliation hands it back.
    await eventually(async () => {
      it.clock.advance(5_000);
      return (await it.engine.get(twice)).status === 'COMPLETED';
    });

    const waiting = await other.start('y');
    other.executions.after = once(new StoreFailure('unknown', 'connection lost'));
    const paused = other.engine.pause(waiting, TESTER);
    clockOn(other.clock, paused);
    await paused;
    expect((await other.engine.get(waiting)).status).toBe('PAUSED');
    const pauses = other.executions.audit.filter(({ action }) => action === 'workflow.paused');
    expect(pauses).toHaveLength(1);
    await stopEngine(it);
    await stopEngine(other);
  });

  test('gives a client up after a while without a database, and says what that means', async () => {
    const it = await troubled();
    it.executions.before = () => new StoreFailure('transient', 'no connection');
    const start = it.start('a').catch((error: unknown) => error);
    clockOn(it.clock, start, 1_000);
    expect(await start).toMatchObject({ status: 503, retryable: true });
    it.executions.before = () => undefined;
    await it.start('b');
    await stopEngine(it);
  });

  test('comes back to a workflow that another node has locked, and waits for it in the end', async () => {
    const it = await troubled();
    const id = await it.start('a');
    const waits: boolean[] = [];
    it.executions.busy = ({ members, wait }) => {
      if (members.length > 0) waits.push(wait);
      return wait ? [] : [id];
    };
    const paused = it.engine.pause(id, TESTER);
    clockOn(it.clock, paused, 20);
    await paused;
    expect(waits.slice(0, -1).every((wait) => !wait)).toBe(true);
    expect(waits.at(-1)).toBe(true);
    await stopEngine(it);
  });

  test('lets a defect of one workflow hurt that one only', async () => {
    const it = await troubled();
    const [good, bad] = [await it.start('good'), await it.start('bad')];
    const broken = it.executions.commitBatch.bind(it.executions);
    it.executions.commitBatch = (request, decide) =>
      broken(request, (locked) =>
        decide(
          locked.map((row) =>
            row.workflowId === bad
              ? ({ ...row, changes: { tasks: null } } as unknown as LockedWorkflow)
              : row,
          ),
        ),
      );
    const outcomes = await Promise.allSettled([it.engine.pause(good, TESTER), it.engine.pause(bad, TESTER)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((await it.engine.get(good)).status).toBe('PAUSED');
    await stopEngine(it);
  });
});

/** Lets the time pass until something is over. */
function clockOn(clock: FakeClock, over: Promise<unknown>, stepMs = 100): void {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  over.then(end, end);
  const step = (): void => {
    if (isOver) return;
    clock.advance(stepMs);
    setImmediate(step);
  };
  setImmediate(step);
}
