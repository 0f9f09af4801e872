import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Execution, Task } from '../../web/src/api.js';
import { applyChange, type TaskFacts, type WorkflowChange } from '../../web/src/live/change.js';
import { LiveConnection, type Liveness, type Source } from '../../web/src/live/connection.js';
import { throttled } from '../../web/src/live/useThrottled.js';

const facts = (taskId: string, more: Partial<TaskFacts> = {}): TaskFacts => ({
  taskId,
  referenceTaskName: taskId,
  taskType: 'work',
  taskDefName: 'work',
  status: 'SCHEDULED',
  seq: 1,
  retryCount: 0,
  iteration: 0,
  pollCount: 0,
  scheduledTime: 1,
  updateTime: 1,
  ...more,
});
const task = (taskId: string): Task => ({ ...facts(taskId), inputData: { a: 1 }, outputData: {} });

const run: Execution = {
  workflowId: 'w',
  workflowName: 'n',
  workflowVersion: 1,
  status: 'RUNNING',
  createTime: 1,
  updateTime: 1,
  revision: 4,
  workflowDefinition: { name: 'n', version: 1, tasks: [] },
  input: {},
  output: {},
  variables: {},
  tasks: [task('a'), task('b')],
  why: [],
};
const change = (more: Partial<WorkflowChange>): WorkflowChange => ({
  workflowId: 'w',
  workflowName: 'n',
  since: 4,
  revision: 5,
  status: 'RUNNING',
  updateTime: 2,
  tasks: [],
  ...more,
});

describe('a change of an execution', () => {
  test('replaces the tasks that it names and keeps the other objects', () => {
    const after = applyChange(
      run,
      change({ tasks: [facts('b', { status: 'IN_PROGRESS' }), facts('c')], status: 'PAUSED' }),
    );
    expect(after?.status).toBe('PAUSED');
    expect(after?.tasks[0]).toBe(run.tasks[0]);
    expect(after?.tasks[1]).toMatchObject({ status: 'IN_PROGRESS', inputData: { a: 1 }, isStale: true });
    expect(after?.tasks[2]).toMatchObject({ taskId: 'c', isStale: true });
  });

  test('that is known already changes nothing', () => {
    expect(applyChange(run, change({ revision: 4, since: 2 }))).toBe(run);
  });

  test('before which something is missing asks for the whole', () => {
    expect(applyChange(run, change({ since: 5, revision: 6 }))).toBeUndefined();
  });

  test('clears an end and a reason that are over, as a retry does', () => {
    const failed: Execution = { ...run, status: 'FAILED', endTime: 9, reasonForIncompletion: 'no' };
    const after = applyChange(failed, change({}));
    expect(after).not.toHaveProperty('endTime');
    expect(after).not.toHaveProperty('reasonForIncompletion');
  });
});

describe('a connection', () => {
  class FakeSource implements Source {
    readyState = 1;
    private readonly listeners = new Map<string, (event: { data?: string }) => void>();
    addEventListener(event: string, listener: (event: { data?: string }) => void): void {
      this.listeners.set(event, listener);
    }
    close(): void {
      this.readyState = 2;
    }
    say(event: string, data: object = {}): void {
      this.listeners.get(event)?.({ data: JSON.stringify(data) });
    }
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function connect() {
    const sources: FakeSource[] = [];
    const states: Liveness[] = [];
    let refused = 0;
    const connection = new LiveConnection({
      open: () => {
        const source = new FakeSource();
        sources.push(source);
        return source;
      },
      onEvent: () => undefined,
      onLiveness: (state) => states.push(state),
      onRefused: () => (refused += 1),
      now: () => Date.now(),
    });
    const newest = (): FakeSource => sources.at(-1) as FakeSource;
    return { connection, sources, states, newest, refusals: () => refused };
  }

  test('is live once the server greets, and says since when it is cut off', () => {
    const { states, newest, connection } = connect();
    expect(states.at(-1)).toEqual({ kind: 'connecting' });
    newest().say('hello');
    expect(states.at(-1)).toEqual({ kind: 'live' });
    const heardAt = Date.now();
    vi.advanceTimersByTime(1_000);
    newest().readyState = 0;
    newest().say('error');
    expect(states.at(-1)).toEqual({ kind: 'reconnecting', since: heardAt });
    connection.close();
  });

  test('tries again, ever more seldom, when the server refuses', () => {
    const { sources, newest, refusals, connection } = connect();
    for (let n = 1; n <= 8; n++) {
      newest().close();
      newest().say('error');
      vi.advanceTimersByTime(40_000);
      expect(sources.length).toBe(n + 1);
    }
    newest().close();
    newest().say('error');
    vi.advanceTimersByTime(20_000);
    expect(sources.length).toBe(9);
    expect(refusals()).toBe(9);
    connection.close();
  });

  test('says stale, and opens a new line, when nothing is heard', () => {
    const { sources, states, newest, connection } = connect();
    newest().say('hello');
    const heardAt = Date.now();
    vi.advanceTimersByTime(50_000);
    expect(states.at(-1)).toEqual({ kind: 'stale', since: heardAt });
    expect(sources.length).toBe(2);
    newest().say('hello');
    expect(states.at(-1)).toEqual({ kind: 'live' });
    connection.close();
  });

  test('says stale when the server itself does not know the newest state', () => {
    const { states, newest, connection } = connect();
    newest().say('beat', { at: 9, behindSince: 5 });
    expect(states.at(-1)).toEqual({ kind: 'stale', since: 5 });
    newest().say('beat', { at: 9 });
    expect(states.at(-1)).toEqual({ kind: 'live' });
    connection.close();
  });
});

test('a throttle calls at once, then at most once in its time, and never forgets the last wish', () => {
  vi.useFakeTimers();
  let calls = 0;
  const { call } = throttled(() => (calls += 1), 1_000);
  call();
  call();
  call();
  expect(calls).toBe(1);
  vi.advanceTimersByTime(1_000);
  expect(calls).toBe(2);
  vi.advanceTimersByTime(5_000);
  expect(calls).toBe(2);
  vi.useRealTimers();
});
