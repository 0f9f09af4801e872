import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.js';
import { openTracing, type Tracing } from '../../../src/engine/observability/tracing.js';
import type { TaskContext } from '../../../src/engine/ports.js';
import { SILENT } from '../../../src/engine/runtime/runtime-log.js';
import { HealthRegistry } from '../../../src/ops/health.js';
import { FunctionWorker, chain, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { OtlpCollector, type CollectedSpan } from '../../support/otlp-collector.js';
import { memoryStores } from '../runtime/stores.js';

const INCOMING = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const toStop: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0).toReversed()) await stop();
});

async function collector(): Promise<OtlpCollector> {
  const it = await OtlpCollector.start();
  toStop.push(() => it.stop());
  return it;
}

async function traced(environment: Record<string, string>, workers: readonly FunctionWorker[] = []) {
  const health = new HealthRegistry();
  const metrics = new Registry();
  const tracing: Tracing = await openTracing({
    config: readConfig(environment),
    log: SILENT,
    metrics,
    health,
  });
  const { observer, traces } = tracing;
  const it = await startEngine(await (await memoryStores()).open(), {
    observers: observer === undefined ? [] : [observer],
    traces,
    workers,
  });
  toStop.push(() => stopEngine(it));
  /** Sends what is left, which needs no timer then. */
  const flush = () => tracing.close();
  const end = async (id: string) =>
    await eventually(async () => {
      it.clock.advance(1_000);
      const { status } = await it.engine.get(id);
      return status !== 'RUNNING' && status;
    });
  return { ...it, health, metrics, tracing, flush, end };
}

const endpoint = (it: OtlpCollector) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: it.url });
const named = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
  const found = spans.filter((span) => span.name === name);
  expect(found, name).toHaveLength(1);
  return found[0]!;
};

describe('the spans of a workflow', () => {
  test('tell when each task waited, ran and ended, below the workflow', async () => {
    const it = await collector();
    const seen: (string | undefined)[] = [];
    const note = (_: unknown, { traceparent }: TaskContext) => {
      seen.push(traceparent);
      return { kind: 'completed', output: { secret: 'hunter2' } } as const;
    };
    const engine = await traced(endpoint(it), [
      new FunctionWorker('one', note),
      new FunctionWorker('two', note),
    ]);
    await register(engine, chain('pair', 'one', 'two'));
    const id = await engine.engine.start({ name: 'pair', input: { given: 'hunter2' } }, TESTER);
    expect(await engine.end(id)).toBe('COMPLETED');
    await engine.flush();

    const run = await engine.engine.get(id);
    const whole = named(it.spans, 'workflow pair');
    expect(it.spans).toHaveLength(3);
    expect(whole).toMatchObject({
      traceId: id.replaceAll('-', ''),
      parentSpanId: undefined,
      startMs: run.createTime,
      endMs: run.endTime,
      statusCode: 0,
      service: 'sallyport',
      attributes: { 'sallyport.workflow.id': id, 'sallyport.workflow.status': 'COMPLETED' },
    });
    for (const [index, task] of run.tasks.entries()) {
      const span = named(it.spans, `task ${task.taskDefName}`);
      expect(span).toMatchObject({
        traceId: whole.traceId,
        parentSpanId: whole.spanId,
        startMs: task.scheduledTime,
        endMs: task.endTime,
        attributes: {
          'sallyport.task.ref': task.referenceTaskName,
          'sallyport.task.status': 'COMPLETED',
          'sallyport.task.attempt': 0,
          'sallyport.task.queue_ms': task.startTime! - task.scheduledTime,
          'sallyport.task.run_ms': task.endTime! - task.startTime!,
        },
        events: [{ name: 'handed out', atMs: task.startTime }],
      });
      // What the worker was given is the span that we tell of it.
      expect(seen[index]).toBe(`00-${whole.traceId}-${span.spanId}-01`);
    }
    expect(it.bodies.join('')).not.toContain('hunter2');
  });

  test('are told for every attempt, and say which failed', async () => {
    const it = await collector();
    let runs = 0;
    const engine = await traced(endpoint(it), [
      new FunctionWorker('shaky', () =>
        runs++ === 0
          ? { kind: 'failed', reason: 'password is hunter2', terminal: false }
          : { kind: 'completed', output: {} },
      ),
    ]);
    const def = chain('retries', 'shaky');
    await register(engine, { ...def, tasks: [{ ...def.tasks[0], retryCount: 2 }] });
    const id = await engine.engine.start({ name: 'retries' }, TESTER);
    expect(await engine.end(id)).toBe('COMPLETED');
    await engine.flush();
    const attempts = it.spans.filter(({ name }) => name === 'task shaky');
    expect(
      attempts.map(({ statusCode, attributes }) => [statusCode, attributes['sallyport.task.attempt']]),
    ).toEqual([
      [2, 0],
      [0, 1],
    ]);
    expect(new Set(it.spans.map(({ spanId }) => spanId)).size).toBe(3);
    expect(it.bodies.join('')).not.toContain('hunter2');
  });

  test('go on with the trace that came in, and hand it to workers outside', async () => {
    const it = await collector();
    const engine = await traced(endpoint(it));
    await register(engine, chain('outside', 'remote'));
    const id = await engine.engine.start({ name: 'outside', traceparent: INCOMING }, TESTER);
    const [claimed] = await engine.engine.poll({ taskType: 'remote', workerId: 'w', count: 1, timeoutMs: 0 });
    await engine.engine.updateTask(
      { workflowInstanceId: id, taskId: claimed!.task.taskId, status: 'COMPLETED' },
      TESTER,
    );
    await engine.flush();
    const whole = named(it.spans, 'workflow outside');
    const task = named(it.spans, 'task remote');
    expect(whole).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
    });
    expect(task).toMatchObject({ traceId: whole.traceId, parentSpanId: whole.spanId });
    expect(claimed?.traceparent).toBe(`00-${whole.traceId}-${task.spanId}-01`);
    expect(claimed?.task.inputData).toEqual({ given: null });
  });

  test.each([undefined, INCOMING])(
    'of a follow-up hang below the workflow that started it (incoming: %s)',
    async (traceparent) => {
      const it = await collector();
      const engine = await traced(endpoint(it), [
        new FunctionWorker('breaks', () => ({ kind: 'failed', reason: 'no', terminal: true })),
        new FunctionWorker('mends'),
      ]);
      await register(engine, chain('mend', 'mends'), { ...chain('main', 'breaks'), failureWorkflow: 'mend' });
      const id = await engine.engine.start({ name: 'main', traceparent }, TESTER);
      expect(await engine.end(id)).toBe('FAILED');
      const { output } = await engine.engine.get(id);
      expect(await engine.end(output['conductor.failure_workflow'] as string)).toBe('COMPLETED');
      await engine.flush();
      const main = named(it.spans, 'workflow main');
      const mend = named(it.spans, 'workflow mend');
      expect(main.statusCode).toBe(2);
      expect(mend).toMatchObject({ traceId: main.traceId, parentSpanId: main.spanId });
      expect(named(it.spans, 'task mends').traceId).toBe(main.traceId);
    },
  );

  test('of a sub workflow hang below the task that started it', async () => {
    const it = await collector();
    const engine = await traced(endpoint(it), [new FunctionWorker('inner')]);
    const step = {
      name: 'nested',
      taskReferenceName: 'nested',
      type: 'SUB_WORKFLOW',
      inputParameters: {},
      subWorkflowParam: { name: 'child' },
    };
    await register(engine, chain('child', 'inner'), { ...chain('parent'), tasks: [step] });
    const id = await engine.engine.start({ name: 'parent' }, TESTER);
    expect(await engine.end(id)).toBe('COMPLETED');
    await engine.flush();
    const parent = named(it.spans, 'workflow parent');
    const task = it.spans.find(({ attributes }) => attributes['sallyport.task.ref'] === 'nested');
    const child = named(it.spans, 'workflow child');
    expect(new Set(it.spans.map(({ traceId }) => traceId))).toEqual(new Set([id.replaceAll('-', '')]));
    expect(task?.parentSpanId).toBe(parent.spanId);
    expect(child.parentSpanId).toBe(task?.spanId);
    expect(named(it.spans, 'task inner').parentSpanId).toBe(child.spanId);
  });

  test('are not told when whoever began the trace did not want it', async () => {
    const it = await collector();
    const engine = await traced(endpoint(it), [new FunctionWorker('one')]);
    await register(engine, chain('quiet', 'one'));
    const traceparent = INCOMING.replace(/01$/, '00');
    const id = await engine.engine.start({ name: 'quiet', traceparent }, TESTER);
    await engine.end(id);
    await engine.flush();
    expect(it.requests).toBe(0);
  });
});

describe('a collector', () => {
  test('that refuses costs its spans, shows as degraded, and holds up no workflow', async () => {
    const it = await collector();
    it.mode = 400;
    const engine = await traced(endpoint(it), [new FunctionWorker('one')]);
    await register(engine, chain('goes on', 'one'));
    const id = await engine.engine.start({ name: 'goes on' }, TESTER);
    expect(await engine.end(id)).toBe('COMPLETED');
    await engine.flush();
    await eventually(async () => (await engine.health.results())[0]?.degraded === true);
    const [result] = await engine.health.results();
    expect(result).toMatchObject({ name: 'tracing', healthy: true });
    expect(result?.remedy).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
    expect(await engine.metrics.metrics()).toContain('sallyport_trace_spans_total{result="failed"} 2');
  });

  test('that hangs costs no more memory than the queue holds', async () => {
    const it = await collector();
    it.mode = 'hang';
    const engine = await traced({ ...endpoint(it), OTEL_BSP_MAX_QUEUE_SIZE: '100' }, [
      new FunctionWorker('one', undefined, 200),
    ]);
    await register(engine, chain('goes on', 'one'));
    const ids = await Promise.all(
      Array.from({ length: 120 }, () => engine.engine.start({ name: 'goes on' }, TESTER)),
    );
    for (const id of ids) expect(await engine.end(id)).toBe('COMPLETED');
    await eventually(async () =>
      (await engine.metrics.metrics()).includes('sallyport_trace_spans_total{result="dropped"} 140'),
    );
    expect((await engine.health.results())[0]).toMatchObject({ degraded: true, healthy: true });
  });

  test('that is not named costs nothing: nothing is derived and what came in passes through', async () => {
    const seen: (string | undefined)[] = [];
    const engine = await traced({}, [
      new FunctionWorker('one', (_, { traceparent }) => {
        seen.push(traceparent);
        return { kind: 'completed', output: {} };
      }),
    ]);
    expect(engine.tracing.observer).toBeUndefined();
    expect(await engine.health.results()).toEqual([]);
    await register(engine, chain('plain', 'one'));
    await engine.end(await engine.engine.start({ name: 'plain' }, TESTER));
    await engine.end(await engine.engine.start({ name: 'plain', traceparent: INCOMING }, TESTER));
    expect(seen).toEqual([undefined, INCOMING]);
  });
});
