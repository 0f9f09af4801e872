import { beforeEach, describe, expect, test } from 'vitest';
import type { ExecutionStore, NodeRecord, WorkflowWrite } from '../../../src/engine/execution-store.js';
import { MAX_SECONDS } from '../../../src/engine/model/definition.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { chain } from '../../support/engine.js';
import {
  command,
  complete,
  definitionOf,
  extendLease,
  fairTags,
  freshId,
  NOW,
  redecide,
  start,
  startWrite,
} from './fixtures.js';

const node = (incarnation: string, homeId: string, heartbeatAt = NOW): NodeRecord => ({
  incarnation,
  homeId,
  host: 'here',
  pid: 1,
  roles: ['engine'],
  startedAt: NOW,
  heartbeatAt,
});

const takers = (count: number, owner?: string) =>
  Array.from({ length: count }, (_, index) => ({ workerId: `w${index}`, owner }));

const AGEING_MS = 600_000;

const wait = (duration: string) => ({
  name: 'waits',
  tasks: [{ name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration } }],
});

const human = {
  name: 'asks',
  tasks: [{ name: 'ask', taskReferenceName: 'ask', type: 'HUMAN' }],
};

/** What every store must do; `make` gives an empty one. */
export function executionStoreSuite(make: () => Promise<ExecutionStore>): void {
  let store: ExecutionStore;
  beforeEach(async () => {
    store = await make();
  });

  const claim = (taskType: string, count = 1, owner?: string, now = NOW) =>
    store.claimTasks({ taskType, takers: takers(count, owner), now, ageingMs: AGEING_MS });
  const only = async (taskType = 'work', owner?: string): Promise<Task> => {
    const [claimed] = await claim(taskType, 1, owner);
    if (claimed === undefined) throw new Error('nothing to claim');
    return claimed.task;
  };

  describe('a start', () => {
    test('is read back as it was written', async () => {
      const input = { text: 'ü "quoted" \\ \n', big: 9_007_199_254_740_991, list: [1, null, { a: 0.1 }] };
      const write = startWrite({ input, correlationId: 'c', priority: 7 });
      await store.commitBatch({ now: NOW, members: [], wait: false }, () => [write]);
      const stored = await store.load(write.workflow.workflowId);
      expect(stored?.workflow).toEqual(write.workflow);
      expect(stored?.tasks).toEqual(write.tasks.map(({ task }) => task));
    });

    test('keeps the order of keys in its input', async () => {
      const id = await start(store, { input: { z: 1, a: { y: 2, b: 3 } } });
      expect(JSON.stringify((await store.load(id))?.workflow.input)).toBe('{"z":1,"a":{"y":2,"b":3}}');
    });

    test("keeps its depth, and a task's iteration and child as they change", async () => {
      const { workflow, tasks, ...write } = startWrite();
      const parent = { parentWorkflowId: freshId(), parentWorkflowTaskId: freshId(), depth: 3 };
      const at = (revision: number, more: Partial<Task>, isNew: boolean): WorkflowWrite => ({
        ...write,
        workflow: { ...workflow, ...parent, revision },
        tasks: tasks.map((one) => ({
          ...one,
          kind: isNew ? ('new' as const) : ('changed' as const),
          task: { ...one.task, ...more },
        })),
        headChanged: true,
        isNew,
      });
      const { workflowId, revision } = workflow;
      const members = [{ workflowId, knownRevision: revision, commandIds: [] }];
      const inLoop = { referenceTaskName: `${tasks[0]?.task.referenceTaskName}__2`, iteration: 2 };
      await store.commitBatch({ now: NOW, members: [], wait: false }, () => [at(revision, inLoop, true)]);
      expect(await store.load(workflowId)).toMatchObject({ workflow: parent, tasks: [inLoop] });
      const later = { ...inLoop, iteration: 3, subWorkflowId: freshId() };
      await store.commitBatch({ now: NOW, members, wait: false }, () => [at(revision + 1, later, false)]);
      expect((await store.load(workflowId))?.tasks).toMatchObject([later]);
    });

    test('whose id exists changes nothing', async () => {
      const workflowId = await start(store, { input: { first: true } });
      expect(await start(store, { workflowId, input: { first: false } })).toBe(workflowId);
      expect((await store.load(workflowId))?.workflow.input).toEqual({ first: true });
      expect((await store.load(workflowId))?.tasks).toHaveLength(1);
    });

    test('with a used idempotency key answers with the first id, others of its batch go on', async () => {
      const first = await start(store, { idempotencyKey: 'k' });
      const again = startWrite({ idempotencyKey: 'k' });
      const other = startWrite({ idempotencyKey: 'l' });
      const { existing } = await store.commitBatch({ now: NOW, members: [], wait: false }, () => [
        again,
        other,
      ]);
      expect(existing).toEqual(new Map([[again.workflow.workflowId, first]]));
      expect(await store.load(again.workflow.workflowId)).toBeUndefined();
      expect(await store.load(other.workflow.workflowId)).toBeDefined();
    });

    test('with the same key and another name is another workflow', async () => {
      const first = await start(store, { idempotencyKey: 'k' });
      const second = await start(store, { idempotencyKey: 'k', definition: chain('other', 'work') });
      expect(second).not.toBe(first);
    });
  });

  describe('a batch', () => {
    test('tells a caller with current knowledge nothing, and a stale one only what changed', async () => {
      const id = await start(store);
      const before = await store.load(id);
      const known = before?.workflow.revision ?? -1;
      await complete(store, await only());
      const seen: unknown[] = [];
      const ask = (knownRevision: number) =>
        store.commitBatch(
          { now: NOW, wait: false, members: [{ workflowId: id, knownRevision, commandIds: [] }] },
          (locked) => {
            seen.push(locked[0]?.changes?.tasks.map(({ task }) => `${task.seq} ${task.status}`));
            return [];
          },
        );
      const current = (await store.load(id))?.workflow.revision ?? -1;
      await ask(current);
      await ask(known);
      await ask(-1);
      await complete(store, await only());
      await ask(current);
      expect(seen).toEqual([
        undefined,
        ['1 COMPLETED', '2 SCHEDULED'],
        ['1 COMPLETED', '2 SCHEDULED'],
        ['2 COMPLETED'],
      ]);
    });

    test('that assumes what is so is stored like any other, and told of no changes', async () => {
      const id = await start(store);
      const before = await store.load(id);
      const seen: unknown[] = [];
      const assumed = { now: NOW, wait: false, assumed: true } as const;
      const members = [{ workflowId: id, knownRevision: before?.workflow.revision ?? -1, commandIds: [] }];
      const fresh = startWrite();
      const result = await store.commitBatch({ ...assumed, members }, (locked) => {
        seen.push(...locked.map(({ changes }) => changes));
        return [fresh];
      });
      expect(seen).toEqual([undefined]);
      expect(result).toMatchObject({ busy: [], missing: [], existing: new Map() });
      expect((await store.load(fresh.workflow.workflowId))?.workflow.status).toBe('RUNNING');
    });

    test.each([
      ['a revision that is not the newest', (id: string) => [{ id, revision: 0 }]],
      [
        'a workflow that does not exist',
        (id: string) => [
          { id, revision: 1 },
          { id: 'nobody', revision: 1 },
        ],
      ],
    ])('that assumes %s is stale, and nothing of it is stored', async (_, of) => {
      const id = await start(store);
      const members = of(id).map(({ id: workflowId, revision }) => ({
        workflowId,
        knownRevision: revision,
        commandIds: [],
      }));
      const fresh = startWrite();
      const stale = store.commitBatch({ now: NOW, wait: false, assumed: true, members }, () => [fresh]);
      await expect(stale).rejects.toMatchObject({ kind: 'stale' });
      expect(await store.load(fresh.workflow.workflowId)).toBeUndefined();
    });

    test('that assumes a start to be new which is not is stale, and nothing of it is stored', async () => {
      const workflowId = await start(store);
      const [again, other] = [startWrite({ workflowId }), startWrite()];
      const stale = store.commitBatch({ now: NOW, wait: false, assumed: true, members: [] }, () => [
        other,
        again,
      ]);
      await expect(stale).rejects.toMatchObject({ kind: 'stale' });
      expect(await store.load(other.workflow.workflowId)).toBeUndefined();
    });

    test('names workflows that do not exist', async () => {
      const id = await start(store);
      const nobody = freshId();
      const members = [id, nobody].map((workflowId) => ({ workflowId, knownRevision: -1, commandIds: [] }));
      const { missing, busy } = await store.commitBatch({ now: NOW, wait: false, members }, () => []);
      expect({ missing, busy }).toEqual({ missing: [nobody], busy: [] });
    });

    test('recognises a command that it recorded before', async () => {
      const id = await start(store);
      const pause = () => command(store, id, { kind: 'pause' }, { commandId: 'once' });
      expect((await pause()).locked?.applied).toEqual(new Set());
      await command(store, id, { kind: 'resume' });
      expect((await pause()).locked?.applied).toEqual(new Set(['once']));
      expect((await store.load(id))?.workflow.status).toBe('RUNNING');
      await store.pruneCommands(NOW + 1, 100);
      expect((await pause()).locked?.applied).toEqual(new Set());
    });

    test('stores a state on which deciding again changes nothing', async () => {
      const id = await start(store, { definition: chain('three', 'work', 'work', 'work') });
      await complete(store, await only(), { answer: 42 });
      const stored = await store.load(id);
      if (stored === undefined) throw new Error('not stored');
      const state = { workflow: stored.workflow, tasks: stored.tasks, taskDefs: new Map() };
      expect(redecide(state, NOW).state).toBe(state);
    });

    test('leaves nothing behind when deciding throws', async () => {
      const id = await start(store);
      const write = startWrite();
      const members = [{ workflowId: id, knownRevision: -1, commandIds: [] }];
      await expect(
        store.commitBatch({ now: NOW, wait: false, members }, () => {
          throw new Error('a defect');
        }),
      ).rejects.toThrow('a defect');
      expect(await store.load(write.workflow.workflowId)).toBeUndefined();
      await complete(store, await only());
    });
  });

  describe('a claim', () => {
    test('hands each task to one taker and counts the poll', async () => {
      const id = await start(store);
      const [claimed] = await claim('work', 3, 'node-a', NOW + 5);
      expect(claimed).toMatchObject({ taker: 0, lease: { owner: 'node-a', until: NOW + 5 + 3_600_000 } });
      expect(claimed?.definition).toEqual(definitionOf());
      expect(claimed?.task).toMatchObject({
        status: 'IN_PROGRESS',
        queued: false,
        pollCount: 1,
        workerId: 'w0',
        startTime: NOW + 5,
        updateTime: NOW + 5,
      });
      expect(await claim('work', 3)).toEqual([]);
      expect((await store.load(id))?.tasks).toEqual([claimed?.task]);
      expect((await store.load(id))?.leases.get(claimed?.task.taskId ?? '')?.owner).toBe('node-a');
      expect((await store.load(id))?.workflow.revision).toBe(claimed?.revision);
      expect(claimed?.revision).toBe((claimed?.revisionBefore ?? 0) + 1);
    });

    test('hands out what was stored with a timeout that no time can be added to, and all others', async () => {
      const write = startWrite();
      const timeouts = { responseTimeoutMs: 9.223372036854774e18, executionTimeoutMs: 9.223372036854774e18 };
      const tasks = write.tasks.map((one) => ({ ...one, ...timeouts }));
      await store.commitBatch({ now: NOW, members: [], wait: false }, () => [{ ...write, tasks }]);
      await start(store);
      const claimed = await claim('work', 2);
      expect(claimed.map(({ lease }) => lease.until)).toEqual([NOW + MAX_SECONDS * 1000, NOW + 3_600_000]);
    });

    test('is extended by its response time-out from when it was heard of last', async () => {
      const id = await start(store);
      const task = await only('work', 'node-a');
      await extendLease(store, task, NOW + 5_000);
      const lease = { owner: 'node-a', until: NOW + 5_000 + 3_600_000 };
      expect((await store.load(id))?.leases).toEqual(new Map([[task.taskId, lease]]));
      await command(store, id, { kind: 'pause' }, { now: NOW + 6_000 });
      expect((await store.load(id))?.leases.get(task.taskId)).toEqual(lease);
    });

    test('without a response time-out keeps its end when it is extended', async () => {
      const id = await start(store, { definition: human });
      const task = await only('HUMAN', 'node-a');
      const before = (await store.load(id))?.leases;
      await extendLease(store, task, NOW + 5_000);
      expect((await store.load(id))?.leases).toEqual(before);
    });

    test('takes higher priorities first, and older ones within a priority', async () => {
      const low = await start(store, { priority: 1 });
      const high = await start(store, { priority: 9 });
      const high2 = await start(store, { priority: 9 });
      const claimed = await claim('work', 3);
      expect(claimed.map(({ task }) => task.workflowInstanceId)).toEqual([high, high2, low]);
    });

    test('leaves out what it is told to, and takes what lies behind', async () => {
      const [first, second, third] = [await start(store), await start(store), await start(store)];
      const waiting = (await Promise.all([first, second, third].map((id) => store.load(id)))).map(
        (stored) => stored?.tasks[0]?.taskId ?? '',
      );
      const asked = { taskType: 'work', now: NOW, ageingMs: AGEING_MS };
      const except = waiting.slice(0, 2);
      const claimed = await store.claimTasks({ ...asked, takers: takers(3), except });
      expect(claimed.map(({ task }) => task.taskId)).toEqual(waiting.slice(2));
      const others = await store.claimTasks({ ...asked, takers: takers(3) });
      expect(others.map(({ task }) => task.taskId).toSorted()).toEqual(except.toSorted());
    });

    test('counts a task one priority higher per 600 s that it waits', async () => {
      const old = await start(store, { priority: 1, now: NOW - 2 * AGEING_MS });
      const higher = await start(store, { priority: 2 });
      const top = await start(store, { priority: 4 });
      const order: string[] = [];
      for (let n = 0; n < 3; n++) order.push((await only()).workflowInstanceId);
      expect(order).toEqual([top, old, higher]);
    });

    test('changes nothing by age among tasks of one priority, also when others are lifted over', async () => {
      const branch = (n: number) => [{ name: 'work', taskReferenceName: `r${n}`, type: 'SIMPLE' }];
      const definition = {
        name: 'wide3',
        tasks: [
          { name: 'f', taskReferenceName: 'f', type: 'FORK_JOIN', forkTasks: [1, 2, 3].map(branch) },
          { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['r1', 'r2', 'r3'] },
        ],
      };
      const wide = await start(store, { definition, now: NOW - 3 * AGEING_MS });
      const young = await start(store, { priority: 5 });
      await only();
      fairTags.advance('work', (await store.fairTags(['work'])).get('work') ?? 0);
      const late = await start(store);
      const order: string[] = [];
      for (let n = 0; n < 3; n++) order.push((await only()).workflowInstanceId);
      expect(new Set(order.slice(0, 2))).toEqual(new Set([wide, late]));
      expect(order[2]).toBe(wide);
      expect(young).not.toBe(order[0]);
    });

    test('shares several out over the priorities that wait', async () => {
      const low = [await start(store), await start(store)];
      const high = await start(store, { priority: 3 });
      const old = await start(store, { priority: 2, now: NOW - 5 * AGEING_MS });
      const claimed = await claim('work', 3);
      expect(new Set(claimed.map(({ task }) => task.workflowInstanceId))).toEqual(
        new Set([old, high, low[0]]),
      );
      expect((await claim('work', 3)).map(({ task }) => task.workflowInstanceId)).toEqual([low[1]]);
    });

    test('goes round over workflows', async () => {
      const branch = (n: number) => [{ name: 'work', taskReferenceName: `r${n}`, type: 'SIMPLE' }];
      const definition = {
        name: 'wide',
        tasks: [
          { name: 'f', taskReferenceName: 'f', type: 'FORK_JOIN', forkTasks: [1, 2, 3, 4].map(branch) },
          { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['r1', 'r2', 'r3', 'r4'] },
        ],
      };
      const wide = await start(store, { definition });
      const wide2 = await start(store, { definition });
      for (let round = 0; round < 4; round++) {
        const claimed = [await only(), await only()];
        const both = new Set(claimed.map((task) => task.workflowInstanceId));
        expect(both).toEqual(new Set([wide, wide2]));
      }
    });

    test('raises the revision once per workflow, however many tasks it takes', async () => {
      const branch = (n: number) => [{ name: 'work', taskReferenceName: `r${n}`, type: 'SIMPLE' }];
      const definition = {
        name: 'fork',
        tasks: [
          { name: 'f', taskReferenceName: 'f', type: 'FORK_JOIN', forkTasks: [1, 2].map(branch) },
          { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['r1', 'r2'] },
        ],
      };
      const id = await start(store, { definition });
      const claimed = await claim('work', 5);
      expect(claimed).toHaveLength(2);
      expect(new Set(claimed.map(({ revision }) => revision)).size).toBe(1);
      expect((await store.load(id))?.workflow.revision).toBe(claimed[0]?.revision);
    });

    test('leaves a HUMAN task in progress and takes it once', async () => {
      await start(store, { definition: human });
      const task = await only('HUMAN', 'node-a');
      expect(task).toMatchObject({ status: 'IN_PROGRESS', queued: false, pollCount: 1 });
      expect(await claim('HUMAN')).toEqual([]);
    });

    test('arms a timer for workers outside, who may fall silent, and none for a process that lives', async () => {
      const outside = await start(store);
      const [away] = await claim('work');
      expect(away?.deadline).toBe(NOW + 3_600_000);
      expect((await store.load(outside))?.timerAt).toBe(NOW + 3_600_000);
      const inside = await start(store);
      const [near] = await claim('work', 1, 'node-a');
      expect(near?.deadline).toBeUndefined();
      expect((await store.load(inside))?.timerAt).toBeUndefined();
    });

    test('for workers outside can be taken back, without a retry and only as itself', async () => {
      const id = await start(store);
      const first = await only();
      expect(await store.returnTasks([first], NOW + 1)).toEqual({ busy: [] });
      expect((await store.load(id))?.tasks).toMatchObject([
        { status: 'SCHEDULED', queued: true, retryCount: 0 },
      ]);
      const [second] = await claim('work', 1, undefined, NOW + 2);
      expect(second?.task).toMatchObject({ taskId: first.taskId, pollCount: 2, retryCount: 0 });
      expect(second?.revisionBefore).toBe((await store.load(id))!.workflow.revision - 1);
      // The first claim is over; the second is not the first's to give back.
      expect(await store.returnTasks([first], NOW + 3)).toEqual({ busy: [] });
      expect(await claim('work')).toEqual([]);
      await complete(store, second?.task ?? first);
      await store.returnTasks([second?.task ?? first], NOW + 4);
      expect((await store.task(first.taskId))?.status).toBe('COMPLETED');
    });

    test('of a process is not taken back as one for workers outside', async () => {
      await start(store);
      const task = await only('work', 'node-a');
      await store.returnTasks([task, { taskId: 'no-such-task', pollCount: 1 }], NOW + 1);
      expect(await store.heldBy('node-a')).toEqual(new Set([task.taskId]));
    });

    test('finds no delayed task before it is promoted', async () => {
      const id = await start(store);
      const task = await only();
      await command(store, id, {
        kind: 'updateTask',
        taskId: task.taskId,
        status: 'IN_PROGRESS',
        outputData: {},
        callbackAfterSeconds: 60,
      });
      expect(await claim('work')).toEqual([]);
      expect(await store.outlook(NOW, ['work'])).toMatchObject({ nextDueAt: NOW + 60_000, dueTypes: [] });
      expect(await store.promoteDelayed(NOW + 59_999, 10)).toEqual([]);
      expect(await store.promoteDelayed(NOW + 60_000, 10)).toEqual(['work']);
      expect((await store.outlook(NOW + 60_000, ['work', 'other'])).dueTypes).toEqual(['work']);
      const [again] = await claim('work', 1, undefined, NOW + 60_000);
      expect(again?.task).toMatchObject({ taskId: task.taskId, pollCount: 2 });
    });
  });

  describe('leases', () => {
    test('of a dead node are handed back without a retry', async () => {
      const id = await start(store);
      const task = await only('work', 'node-a');
      expect(await store.heldBy('node-a')).toEqual(new Set([task.taskId]));
      expect(await store.release(['node-a'], NOW + 1)).toEqual({ types: ['work'], busy: false });
      expect(await store.heldBy('node-a')).toEqual(new Set());
      const [again] = await claim('work', 1, 'node-b', NOW + 2);
      expect(again?.task).toMatchObject({
        taskId: task.taskId,
        retryCount: 0,
        pollCount: 2,
        status: 'IN_PROGRESS',
      });
      expect((await store.load(id))?.tasks).toHaveLength(1);
    });

    test('of other nodes and of workers outside stay', async () => {
      await start(store);
      await start(store);
      await only('work', 'node-b');
      await only('work');
      expect(await store.release(['node-a'], NOW)).toEqual({ types: [], busy: false });
      expect(await claim('work')).toEqual([]);
    });

    test('can be handed back one by one', async () => {
      await start(store);
      await start(store);
      const one = await only('work', 'node-a');
      const two = await only('work', 'node-a');
      await store.release(['node-a'], NOW, [one.taskId]);
      expect(await store.heldBy('node-a')).toEqual(new Set([two.taskId]));
    });

    test('end with the task', async () => {
      const id = await start(store);
      await complete(store, await only('work', 'node-a'));
      expect(await store.heldBy('node-a')).toEqual(new Set());
      expect((await store.load(id))?.tasks.map(({ status }) => status)).toEqual(['COMPLETED', 'SCHEDULED']);
      await only('work', 'node-a');
      await command(store, id, { kind: 'terminate', reason: 'enough' });
      expect(await store.heldBy('node-a')).toEqual(new Set());
    });

    test('end when a task is parked', async () => {
      const id = await start(store, { definition: human });
      const task = await only('HUMAN', 'node-a');
      await command(store, id, {
        kind: 'updateTask',
        taskId: task.taskId,
        status: 'IN_PROGRESS',
        outputData: {},
      });
      expect(await store.heldBy('node-a')).toEqual(new Set());
      expect((await store.load(id))?.tasks[0]).toMatchObject({ status: 'IN_PROGRESS', queued: false });
      await store.release(['node-a'], NOW);
      expect(await claim('HUMAN')).toEqual([]);
    });

    test('of a HUMAN task that its taker lost leave it in progress and queued', async () => {
      const id = await start(store, { definition: human });
      await only('HUMAN', 'node-a');
      await store.release(['node-a'], NOW);
      expect((await store.load(id))?.tasks[0]).toMatchObject({ status: 'IN_PROGRESS', queued: true });
      await only('HUMAN', 'node-b');
    });
  });

  describe('nodes', () => {
    test('replace an earlier run of the same home, and no other', async () => {
      expect(await store.registerNode(node('a1', 'home-a'))).toEqual([]);
      expect(await store.registerNode(node('b1', 'home-b'))).toEqual([]);
      expect(await store.registerNode(node('a2', 'home-a'))).toEqual(['a1']);
      // Again, as when the first answer was lost.
      expect(await store.registerNode(node('a2', 'home-a'))).toEqual([]);
      expect((await store.listNodes()).map(({ incarnation }) => incarnation).sort()).toEqual(['a2', 'b1']);
      expect(await store.heartbeat('a1', NOW)).toBe(false);
      expect(await store.heartbeat('a2', NOW + 9)).toBe(true);
      expect((await store.listNodes()).find((one) => one.incarnation === 'a2')?.heartbeatAt).toBe(NOW + 9);
    });

    test('are removed when they said nothing since they were looked at', async () => {
      await store.registerNode(node('a', 'home-a', NOW));
      await store.registerNode(node('b', 'home-b', NOW + 1));
      const seen = await store.listNodes();
      await store.heartbeat('b', NOW + 2);
      expect(await store.removeNodes(seen)).toEqual(['a']);
      expect(await store.removeNodes(seen)).toEqual([]);
      await store.removeNode('b');
      expect(await store.listNodes()).toEqual([]);
    });

    test('without a row that hold something are found', async () => {
      await start(store);
      await only('work', 'gone');
      await store.registerNode(node('here', 'home'));
      await start(store);
      await only('work', 'here');
      expect(await store.orphanedOwners()).toEqual(['gone']);
    });
  });

  describe('a timer', () => {
    test('is claimed once when due, and moves only with the wake', async () => {
      const id = await start(store, { definition: wait('10 seconds') });
      const due = NOW + 10_000;
      expect(await store.outlook(NOW, [])).toMatchObject({ nextDueAt: due });
      expect(await store.claimTimers('node-a', due - 1, 10)).toEqual([]);
      expect(await store.claimTimers('node-a', due, 10)).toEqual([id]);
      expect(await store.claimTimers('node-b', due, 10)).toEqual([]);
      expect((await store.outlook(due, [])).nextDueAt).toBeUndefined();
      await command(store, id, { kind: 'wake' }, { now: due, timer: true });
      expect((await store.load(id))?.workflow.status).toBe('COMPLETED');
      expect((await store.load(id))?.timerAt).toBeUndefined();
    });

    test('is known before it is due, unless somebody has claimed it', async () => {
      const later = await start(store, { definition: wait('20 seconds') });
      const sooner = await start(store, { definition: wait('10 seconds') });
      await start(store, { definition: wait('30 seconds') });
      expect(await store.soonDue(NOW, NOW + 20_000, 10)).toEqual([sooner, later]);
      expect(await store.soonDue(NOW, NOW + 20_000, 1)).toEqual([sooner]);
      expect(await store.soonDue(NOW + 10_000, NOW + 20_000, 10)).toEqual([later]);
      await store.claimTimers('node-a', NOW + 10_000, 10);
      expect(await store.soonDue(NOW, NOW + 20_000, 10)).toEqual([later]);
    });

    test('that a dead node had claimed is due again', async () => {
      const id = await start(store, { definition: wait('10 seconds') });
      await store.claimTimers('node-a', NOW + 10_000, 10);
      expect(await store.orphanedOwners()).toEqual(['node-a']);
      await store.release(['node-a'], NOW + 10_000);
      expect(await store.claimTimers('node-b', NOW + 10_000, 10)).toEqual([id]);
    });

    test('can be handed back for later', async () => {
      const id = await start(store, { definition: wait('10 seconds') });
      await store.claimTimers('node-a', NOW + 10_000, 10);
      await store.returnTimer(id, NOW + 20_000);
      expect(await store.claimTimers('node-b', NOW + 19_999, 10)).toEqual([]);
      expect(await store.claimTimers('node-b', NOW + 20_000, 10)).toEqual([id]);
    });

    test('is let go of by its holder only, and due as before', async () => {
      const id = await start(store, { definition: wait('10 seconds') });
      const due = NOW + 10_000;
      expect(await store.claimedTimers('node-a')).toEqual([]);
      await store.claimTimers('node-a', due, 10);
      expect(await store.claimedTimers('node-a')).toEqual([id]);
      expect(await store.claimedTimers('node-b')).toEqual([]);
      await store.unclaimTimers('node-b', [id]);
      await store.unclaimTimers('node-a', [freshId()]);
      expect(await store.claimTimers('node-b', due, 10)).toEqual([]);
      await store.unclaimTimers('node-a', [id]);
      expect(await store.claimedTimers('node-a')).toEqual([]);
      expect(await store.claimTimers('node-b', due, 10)).toEqual([id]);
    });

    test('goes with a workflow that ends before', async () => {
      const id = await start(store, { definition: wait('10 seconds') });
      await command(store, id, { kind: 'terminate', reason: '' });
      expect(await store.claimTimers('node-a', NOW + 10_000, 10)).toEqual([]);
    });
  });

  describe('the inbox', () => {
    const failing = {
      ...chain('fails', 'work'),
      failureWorkflow: 'two',
    };
    const fail = async () => {
      const source = await start(store, { definition: failing });
      const { taskId } = await only();
      await command(store, source, {
        kind: 'updateTask',
        taskId,
        status: 'FAILED_WITH_TERMINAL_ERROR',
        outputData: {},
      });
      return source;
    };

    test('holds an effect until the target is stored', async () => {
      const source = await fail();
      expect((await store.outlook(NOW, [])).inboxDue).toBe(true);
      const [row] = await store.claimInbox('node-a', NOW, 10);
      expect(row).toMatchObject({ sourceWorkflowId: source, attempts: 0, effect: { name: 'two' } });
      expect(await store.claimInbox('node-b', NOW, 10)).toEqual([]);
      expect((await store.outlook(NOW, [])).inboxDue).toBe(false);
      const write = startWrite({ workflowId: row?.effect.workflowId ?? '' }, row?.id);
      await store.commitBatch({ now: NOW, members: [], wait: false }, () => [write]);
      await store.release(['node-a'], NOW);
      expect(await store.claimInbox('node-b', NOW, 10)).toEqual([]);
      expect(await store.load(write.workflow.workflowId)).toBeDefined();
    });

    test('forgets an effect whose target was started before', async () => {
      await fail();
      const [row] = await store.claimInbox('node-a', NOW, 10);
      const workflowId = await start(store, { workflowId: row?.effect.workflowId ?? '' });
      const write = startWrite({ workflowId }, row?.id);
      const { existing } = await store.commitBatch({ now: NOW, members: [], wait: false }, () => [write]);
      expect(existing.get(workflowId)).toBe(workflowId);
      await store.release(['node-a'], NOW);
      expect(await store.claimInbox('node-b', NOW, 10)).toEqual([]);
    });

    test('gives a row back for later, and gives it up', async () => {
      await fail();
      const [row] = await store.claimInbox('node-a', NOW, 10);
      await store.returnInbox(row?.id ?? 0, 'not registered', NOW + 5_000);
      expect(await store.claimInbox('node-a', NOW + 4_999, 10)).toEqual([]);
      const [again] = await store.claimInbox('node-a', NOW + 5_000, 10);
      expect(again).toMatchObject({ id: row?.id, attempts: 1 });
      await store.returnInbox(row?.id ?? 0, 'never', undefined);
      expect(await store.claimInbox('node-a', NOW + 1e9, 10)).toEqual([]);
    });

    test('holds a row for its owner from the beginning, once per effect', async () => {
      const source = await fail();
      const [first] = await store.claimInbox('node-a', NOW, 10);
      const other = await start(store, { definition: failing });
      const task = [...(await store.load(other))!.tasks].at(-1)!;
      const { taskId } = task;
      const terminal = {
        kind: 'updateTask',
        taskId,
        status: 'FAILED_WITH_TERMINAL_ERROR',
        outputData: {},
      } as const;
      const { result } = await command(store, other, terminal, { inboxOwner: 'node-b' });
      const { held } = result;
      expect(held).toEqual([
        {
          id: expect.any(Number),
          sourceWorkflowId: other,
          attempts: 0,
          effect: expect.objectContaining({ name: 'two' }),
        },
      ]);
      expect(await store.claimedInbox('node-b')).toEqual(held.map(({ id }) => id));
      expect(await store.claimedInbox('node-a')).toEqual([first?.id]);
      expect(first?.sourceWorkflowId).toBe(source);
      expect(await store.claimInbox('node-c', NOW, 10)).toEqual([]);
      // The same effects again, by a batch that did not know of the first.
      const effects = held.map(({ effect }) => effect);
      const again = await command(
        store,
        other,
        { kind: 'wake' },
        { timer: true, inboxOwner: 'node-b', effects },
      );
      expect(again.result.held).toEqual([]);
    });

    test('rows are let go of by their holder only, and dropped', async () => {
      await fail();
      const [row] = await store.claimInbox('node-a', NOW, 10);
      const ids = [row?.id ?? 0];
      await store.unclaimInbox('node-b', ids);
      expect(await store.claimInbox('node-c', NOW, 10)).toEqual([]);
      await store.unclaimInbox('node-a', ids);
      expect(await store.claimInbox('node-c', NOW, 10)).toMatchObject([{ id: row?.id, attempts: 0 }]);
      await store.dropInbox(ids);
      await store.release(['node-c'], NOW);
      expect(await store.claimInbox('node-a', NOW, 10)).toEqual([]);
    });

    test('says what was given up, oldest first', async () => {
      await fail();
      const [row] = await store.claimInbox('node-a', NOW, 10);
      expect(await store.abandonedInbox(10)).toEqual([]);
      await store.returnInbox(row?.id ?? 0, 'never', undefined);
      expect(await store.abandonedInbox(10)).toEqual([
        {
          id: row?.id,
          kind: 'startWorkflow',
          sourceWorkflowId: row?.sourceWorkflowId,
          targetWorkflowId: row?.effect.workflowId,
          createdAt: NOW,
          attempts: 1,
          problem: 'never',
        },
      ]);
      expect(await store.abandonedInbox(0)).toEqual([]);
    });

    test('knows which child has yet to start', async () => {
      const parent = await start(store, {});
      const effect = {
        kind: 'startWorkflow',
        workflowId: 'child-1',
        name: 'two',
        input: {},
        priority: 0,
        parent: { workflowId: parent, taskId: 'task-1', depth: 0 },
      } as const;
      await command(store, parent, { kind: 'wake' }, { timer: true, effects: [effect] });
      expect(await store.isStartPending(parent, 'task-1', 'child-1')).toBe(true);
      expect(await store.isStartPending(parent, 'task-2', 'child-1')).toBe(false);
      expect(await store.isStartPending(parent, 'task-1', 'child-2')).toBe(false);
      const [row] = await store.claimInbox('node-a', NOW, 10);
      expect(await store.isStartPending(parent, 'task-1', 'child-1')).toBe(true);
      await store.returnInbox(row?.id ?? 0, 'never', undefined);
      expect(await store.isStartPending(parent, 'task-1', 'child-1')).toBe(false);
    });

    test('gives rows of one commit in their order', async () => {
      const source = await start(store, {});
      const effects = Array.from({ length: 30 }, (_, n) => ({
        kind: 'terminateChild' as const,
        workflowId: `child-${n}`,
        taskId: `task-${n}`,
        reason: 'enough',
      }));
      await command(store, source, { kind: 'wake' }, { timer: true, effects });
      const first = await store.claimInbox('node-a', NOW, 20);
      const second = await store.claimInbox('node-a', NOW, 20);
      expect([...first, ...second].map(({ effect }) => effect)).toEqual(effects);
    });

    test('of a dead node is taken over', async () => {
      await fail();
      await store.claimInbox('node-a', NOW, 10);
      await store.release(['node-a'], NOW);
      expect(await store.claimInbox('node-b', NOW, 10)).toHaveLength(1);
    });
  });

  describe('the executions list', () => {
    test('comes newest first, in pages, each row once', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push(await start(store, { now: NOW + Math.floor(i / 2) }));
      const seen: string[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await store.search({ limit: 2, cursor });
        seen.push(...page.items.map(({ workflowId }) => workflowId));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual([ids[4], ids[3], ids[2], ids[1], ids[0]]);
    });

    test('leaves out the newest that are to be skipped', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push(await start(store, { now: NOW + i }));
      const page = await store.search({ limit: 2, skip: 1 });
      expect(page.items.map(({ workflowId }) => workflowId)).toEqual([ids[3], ids[2]]);
      const next = await store.search({ limit: 5, cursor: page.nextCursor });
      expect(next.items.map(({ workflowId }) => workflowId)).toEqual([ids[1], ids[0]]);
      expect((await store.search({ limit: 2, skip: 5 })).items).toEqual([]);
    });

    test('merges several statuses, newest first', async () => {
      const [one, two, three] = [
        await start(store),
        await start(store, { now: NOW + 1 }),
        await start(store, { now: NOW + 2 }),
      ];
      await command(store, two, { kind: 'terminate', reason: 'x' });
      for (const more of [{}, { workflowName: (await store.load(one))?.workflow.workflowName }]) {
        const query = { ...more, status: ['RUNNING', 'TERMINATED', 'RUNNING'] as const };
        const page = await store.search({ ...query, limit: 2 });
        const rest = await store.search({ ...query, limit: 2, cursor: page.nextCursor });
        expect([...page.items, ...rest.items].map(({ workflowId }) => workflowId)).toEqual([three, two, one]);
        expect(await store.count(query)).toBe(3);
      }
    });

    test('is narrowed by status, name, correlation id and time', async () => {
      const one = await start(store, { correlationId: 'c' });
      const two = await start(store, { definition: chain('other', 'work'), now: NOW + 10 });
      await command(store, one, { kind: 'terminate', reason: 'x' });
      const ids = async (query: Partial<Parameters<ExecutionStore['search']>[0]>) =>
        (await store.search({ limit: 10, ...query })).items.map(({ workflowId }) => workflowId);
      expect(await ids({ status: ['TERMINATED'] })).toEqual([one]);
      expect(await ids({ status: ['RUNNING', 'COMPLETED'] })).toEqual([two]);
      expect(await ids({ workflowName: 'other' })).toEqual([two]);
      expect(await ids({ correlationId: 'c' })).toEqual([one]);
      expect(await ids({ from: NOW + 10 })).toEqual([two]);
      expect(await ids({ to: NOW + 10 })).toEqual([one]);
      expect(await store.count({})).toBe(2);
      expect(await store.count({ workflowName: 'nobody' })).toBe(0);
    });

    test('refuses a cursor that it did not give out', async () => {
      await expect(store.search({ limit: 1, cursor: 'bm9wZQ' })).rejects.toThrow('cursor');
    });
  });

  describe('beside the workflows', () => {
    test('tasks are found by id and by reference', async () => {
      const id = await start(store);
      const task = await only();
      expect(await store.task(task.taskId)).toEqual(task);
      expect(await store.task(freshId())).toBeUndefined();
      expect(await store.taskByReference(id, task.referenceTaskName)).toEqual(task);
      expect(await store.taskByReference(id, 'nobody')).toBeUndefined();
    });

    test('the trace of a start is kept and comes with every claim', async () => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const id = await start(store, { traceparent });
      expect((await store.load(id))?.workflow.traceparent).toBe(traceparent);
      const [claimed] = await store.claimTasks({
        taskType: 'work',
        takers: takers(1),
        now: NOW,
        ageingMs: AGEING_MS,
      });
      expect(claimed?.traceparent).toBe(traceparent);
      await complete(store, claimed!.task);
      expect((await store.load(id))?.workflow.traceparent).toBe(traceparent);
    });

    test('queues are counted', async () => {
      await start(store);
      await start(store);
      await only();
      expect(await store.queueSizes(['work', 'other'])).toEqual(
        new Map([
          ['work', 1],
          ['other', 0],
        ]),
      );
      expect(await store.queueSizes()).toEqual(new Map([['work', 1]]));
    });

    test('a waiting task knows how many come before it', async () => {
      const ids: string[] = [];
      for (const priority of [0, 5, 0, 5, 0]) ids.push(await start(store, { priority }));
      await start(store, { definition: chain('other', 'else'), priority: 9 });
      const ahead: (number | undefined)[] = [];
      for (const id of ids) {
        const [task] = (await store.load(id))?.tasks ?? [];
        ahead.push(await store.tasksAhead(task!.taskId));
      }
      // Those of equal rank take turns: none is before the other.
      expect(ahead).toEqual([2, 0, 2, 0, 2]);
      const held = await only();
      expect(await store.tasksAhead(held.taskId)).toBeUndefined();
      expect(await store.tasksAhead('nobody')).toBeUndefined();
    });

    test('what is open and what waits is read for the metrics', async () => {
      await start(store);
      await start(store, { now: NOW + 5 });
      const paused = await start(store, { definition: chain('other', 'else'), now: NOW + 7 });
      await command(store, paused, { kind: 'pause' });
      await only();
      expect(await store.readings(['nobody'])).toMatchObject({
        running: { count: 2, isEstimate: false },
        paused: { count: 1, isEstimate: false },
        inbox: { waiting: 0, oldestAt: undefined },
      });
      const { queues } = await store.readings(['nobody']);
      const byType = new Map(queues.map((queue) => [queue.taskType, queue]));
      expect(byType.get('work')).toMatchObject({ waiting: 1, oldestDueAt: NOW + 5 });
      expect(byType.get('nobody')).toEqual({ taskType: 'nobody', waiting: 0, oldestDueAt: undefined });
    });

    test('logs come back in order', async () => {
      await store.appendLogs([
        { taskId: 't', createdTime: NOW, log: 'one' },
        { taskId: 't', createdTime: NOW, log: 'two' },
        { taskId: 'u', createdTime: NOW, log: 'three' },
      ]);
      expect((await store.logs('t')).map(({ log }) => log)).toEqual(['one', 'two']);
      expect(await store.logs('nobody')).toEqual([]);
    });

    test('the last poll of each worker is kept', async () => {
      const poll = { queueName: 'q', workerId: 'w', domain: '', lastPollTime: NOW };
      await store.recordPolls([poll]);
      await store.recordPolls([{ ...poll, lastPollTime: NOW + 1 }]);
      expect(await store.polls('q')).toEqual([{ ...poll, lastPollTime: NOW + 1 }]);
      expect(await store.polls('other')).toEqual([]);
      expect(await store.polls()).toHaveLength(1);
    });
  });

  describe('a place for a payload', () => {
    const place = {
      token: 'a-token',
      operation: 'WRITE',
      payloadType: 'WORKFLOW_INPUT',
      issuedTo: 'user:erin',
      expiresAt: NOW + 10,
    } as const;

    test('is found as it was issued, and knows what was written there', async () => {
      await store.issuePayloadLocation(place);
      await store.issuePayloadLocation({ ...place, token: 'b', operation: 'READ', ref: 'memory:1:key' });
      expect(await store.payloadLocation('a-token')).toEqual({ ...place, ref: undefined });
      expect(await store.payloadLocation('b')).toMatchObject({ operation: 'READ', ref: 'memory:1:key' });
      expect(await store.payloadLocation('unknown')).toBeUndefined();
      await store.settlePayloadLocation('a-token', 'memory:2:other');
      expect((await store.payloadLocation('a-token'))?.ref).toBe('memory:2:other');
    });

    test('is taken once, in time, and again when nothing came of it', async () => {
      await store.issuePayloadLocation(place);
      const take = (now: number) => store.takePayloadLocation('a-token', now);
      expect(await take(NOW + 10)).toBe(false);
      const both = await Promise.all([take(NOW), take(NOW)]);
      expect(both.filter(Boolean)).toHaveLength(1);
      await store.settlePayloadLocation('a-token', undefined);
      expect(await take(NOW + 9)).toBe(true);
      await store.settlePayloadLocation('a-token', 'memory:1:key');
      expect(await take(NOW + 9)).toBe(false);
      await store.issuePayloadLocation({ ...place, token: 'b', operation: 'READ' });
      expect(await store.takePayloadLocation('b', NOW)).toBe(false);
      expect(await store.takePayloadLocation('unknown', NOW)).toBe(false);
    });

    test('may be asked for a value that rows refer to, and for no other', async () => {
      const payload = { workflowId: 'w', store: 'memory', bytes: 7, createdAt: NOW };
      await store.registerPayload({ ...payload, key: 'used' });
      await store.registerPayload({ ...payload, key: 'unused' });
      const write = startWrite();
      await store.commitBatch({ now: NOW, members: [], wait: false }, () => [
        { ...write, payloadKeys: ['used'] },
      ]);
      expect(await store.usedPayload('used')).toBe('memory:7:used');
      expect(await store.usedPayload('unused')).toBeUndefined();
      expect(await store.usedPayload('unknown')).toBeUndefined();
    });
  });

  describe('what changed', () => {
    test('since nothing is every task with its lease, without payloads', async () => {
      const id = await start(store, { input: { secret: 'x' }, correlationId: 'c' });
      const [claimed] = await claim('work', 1, 'node-a');
      const [change] = await store.changes([{ workflowId: id, since: -1 }], 10);
      expect(change).toMatchObject({
        since: -1,
        workflow: {
          workflowId: id,
          workflowName: 'two',
          status: 'RUNNING',
          correlationId: 'c',
          createTime: NOW,
        },
        tasks: [
          {
            taskId: claimed?.task.taskId,
            referenceTaskName: 'work_0',
            status: 'IN_PROGRESS',
            workerId: 'w0',
            lease: { owner: 'node-a', until: claimed?.lease.until },
          },
        ],
      });
      expect(JSON.stringify(change)).not.toContain('secret');
    });

    test('since a revision is what a later commit wrote, and nothing at the newest', async () => {
      const id = await start(store);
      const before = (await store.revisions([id])).get(id) ?? -1;
      await complete(store, await only());
      const [change] = await store.changes([{ workflowId: id, since: before }], 10);
      expect(
        change?.tasks?.map(({ referenceTaskName, status, lease }) => [referenceTaskName, status, lease]),
      ).toEqual([
        ['work_0', 'COMPLETED', null],
        ['work_1', 'SCHEDULED', null],
      ]);
      const now = (await store.revisions([id])).get(id) ?? -1;
      expect(change?.workflow.revision).toBe(now);
      expect(now).toBeGreaterThan(before);
      expect((await store.changes([{ workflowId: id, since: now }], 10))[0]?.tasks).toEqual([]);
    });

    test('names no tasks where more changed than was asked for, and no workflow that is not there', async () => {
      const id = await start(store);
      await complete(store, await only());
      const changes = await store.changes(
        [
          { workflowId: id, since: -1 },
          { workflowId: 'none', since: -1 },
        ],
        1,
      );
      expect(changes.map(({ workflow, tasks }) => [workflow.workflowId, tasks])).toEqual([[id, undefined]]);
      expect([...(await store.revisions([id, 'none'])).keys()]).toEqual([id]);
    });
  });
}
