import { describe, expect, test } from 'vitest';
import type { WorkflowChange } from '../../../src/engine/stream/change.js';
import type { TaskFacts, WorkflowFacts } from '../../../src/engine/stream/facts.js';
import { Subscriber, type Interest } from '../../../src/engine/stream/subscriber.js';
import { EventReader } from '../../support/events.js';
import { eventually } from '../../support/eventually.js';

const workflow = (
  workflowId: string,
  revision: number,
  more: Partial<WorkflowFacts> = {},
): WorkflowFacts => ({
  workflowId,
  workflowName: 'scan',
  workflowVersion: 1,
  status: 'RUNNING',
  revision,
  createTime: 1,
  updateTime: 1,
  failedReferenceTaskNames: [],
  ...more,
});

const task = (taskId: string, more: Partial<TaskFacts> = {}): TaskFacts => ({
  taskId,
  referenceTaskName: taskId,
  taskType: 'work',
  taskDefName: 'work',
  status: 'SCHEDULED',
  seq: 1,
  retryCount: 0,
  retried: false,
  iteration: 0,
  pollCount: 0,
  scheduledTime: 1,
  updateTime: 1,
  queued: true,
  dueAt: 1,
  ...more,
});

const change = (
  workflowId: string,
  since: number,
  revision: number,
  tasks: readonly TaskFacts[] = [],
  more: Partial<WorkflowFacts> = {},
): WorkflowChange => ({
  since,
  workflow: workflow(workflowId, revision, more),
  tasks: new Map(tasks.map((one) => [one.taskId, one])),
});

const ALL: Interest = { tasks: true };

/** What a client gets that reads only now. */
async function readAll(subscriber: Subscriber): Promise<EventReader> {
  const reader = new EventReader(subscriber);
  subscriber.finish('shutdown');
  await eventually(() => reader.hasEnded);
  return reader;
}

describe('a client that does not read', () => {
  test('gets one event per workflow, of the newest state and every task that changed', async () => {
    const subscriber = new Subscriber(ALL);
    subscriber.offer(change('a', 0, 1, [task('t1', { lease: { owner: 'n', until: 9 } })]), 'e-1');
    subscriber.offer(change('b', 4, 5), 'e-2');
    // The lease is kept, so that this one does not name it.
    subscriber.offer(change('a', 1, 2, [task('t1', { status: 'IN_PROGRESS' }), task('t2')]), 'e-3');
    const { events } = await readAll(subscriber);
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ['hello', undefined],
      ['change', 'e-2'],
      ['change', 'e-3'],
      ['end', undefined],
    ]);
    expect(events[2]?.data).toMatchObject({
      workflowId: 'a',
      since: 0,
      revision: 2,
      tasks: [{ taskId: 't1', status: 'IN_PROGRESS', lease: { owner: 'n', until: 9 } }, { taskId: 't2' }],
    });
  });

  test('gets a reset instead of more than it may be behind', async () => {
    const subscriber = new Subscriber(ALL);
    for (let n = 1; n <= 1_000; n++) subscriber.offer(change(`w${n}`, 0, 1), `e-${n}`);
    const { events } = await readAll(subscriber);
    expect(events.length).toBeLessThan(210);
    expect(events[1]?.event).toBe('reset');
    const last = events.filter(({ event }) => event === 'change').at(-1);
    expect(last?.data.workflowId).toBe('w1000');
  });

  test('gets a reset of the workflow when too many of its tasks changed', async () => {
    const subscriber = new Subscriber({ workflowId: 'a', tasks: true });
    subscriber.offer({ ...change('a', -1, 3), tasks: undefined }, 'r3');
    const { events } = await readAll(subscriber);
    expect(events[1]).toMatchObject({ event: 'reset', id: 'r3', data: { workflowId: 'a', revision: 3 } });
  });

  test('gets one heartbeat, the newest', async () => {
    const subscriber = new Subscriber(ALL);
    for (const at of [1, 2, 3]) subscriber.heartbeat(at, undefined);
    const { events } = await readAll(subscriber);
    expect(events.filter(({ event }) => event === 'beat').map(({ data }) => data.at)).toEqual([3]);
  });
});

describe('a client that follows one workflow', () => {
  test('refuses what leaves a gap and takes what overlaps', () => {
    const subscriber = new Subscriber({ workflowId: 'a', tasks: true }, 3);
    expect(subscriber.offer(change('a', 4, 5), 'r5')).toBe(false);
    expect(subscriber.knownRevision).toBe(3);
    expect(subscriber.offer(change('a', 2, 5), 'r5')).toBe(true);
    expect(subscriber.knownRevision).toBe(5);
    expect(subscriber.offer(change('a', 0, 4), 'r4')).toBe(true);
    expect(subscriber.knownRevision).toBe(5);
  });
});

describe('a filter by status', () => {
  test('tells also that a workflow left the status, once, where it was told of before', async () => {
    const subscriber = new Subscriber({ status: ['RUNNING'], tasks: false });
    const reader = new EventReader(subscriber);
    subscriber.offer(change('a', 0, 1), 'e-1');
    await reader.first(({ id }) => id === 'e-1', 'the first');
    subscriber.offer(change('a', 1, 2, [], { status: 'COMPLETED' }), 'e-2');
    subscriber.offer(change('b', 1, 2, [], { status: 'COMPLETED' }), 'e-3');
    await reader.first(({ id }) => id === 'e-2', 'the second');
    subscriber.offer(change('a', 2, 3, [], { status: 'COMPLETED' }), 'e-4');
    subscriber.finish('shutdown');
    await eventually(() => reader.hasEnded);
    expect(reader.of('change').map(({ id }) => id)).toEqual(['e-1', 'e-2']);
    expect(reader.of('change')[0]?.data).not.toHaveProperty('tasks');
  });

  const RUNNING: Interest = { status: ['RUNNING'], tasks: false };
  const ended = (workflowId: string, createTime: number) =>
    change(workflowId, 1, 2, [], { status: 'COMPLETED', createTime });
  const idsTo = async (subscriber: Subscriber) =>
    (await readAll(subscriber)).of('change').map(({ id }) => id);

  test('tells once that one left it which was there before the stream began', async () => {
    const subscriber = new Subscriber(RUNNING, -1, 100);
    subscriber.offer(ended('old', 100), 'e-1');
    subscriber.offer(ended('old', 100), 'e-2');
    subscriber.offer(ended('new', 101), 'e-3');
    expect(await idsTo(subscriber)).toEqual(['e-1']);
  });

  test('tells that one left it which came, unheard, before a reset', async () => {
    const subscriber = new Subscriber(RUNNING, -1, 100);
    subscriber.offer(ended('back again', 90), 'e-1');
    subscriber.reset('e-2', 200);
    subscriber.offer(ended('missed', 150), 'e-3');
    subscriber.offer(ended('back again', 90), 'e-4');
    subscriber.offer(ended('new', 201), 'e-5');
    expect(await idsTo(subscriber)).toEqual(['e-3', 'e-4']);
  });

  test('tells that any left it, once more have been told of than it remembers', async () => {
    const subscriber = new Subscriber(RUNNING, -1, 0);
    const reader = new EventReader(subscriber);
    for (let n = 0; n <= 1_000; n++) {
      subscriber.offer(change(`w${n}`, 0, 1), `e-${n}`);
      if (n % 100 === 0) await eventually(() => reader.of('change').at(-1)?.id === `e-${n}`);
    }
    subscriber.offer(ended('w0', 1), 'left');
    await reader.first(({ id }) => id === 'left', 'that the forgotten one left');
    subscriber.destroy();
  });
});
