import { afterEach, beforeEach, expect, it } from 'vitest';
import { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { Task, TaskStatus, WorkflowStatus } from '../../../src/engine/model/execution.js';
import { eventually } from '../../support/eventually.js';
import { person } from '../stage.js';
import { ALICE, DeliveryStage, isLocked, seen } from './delivery-stage.js';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
});
afterEach(() => at.close());

it('shows on every copy how the workflow goes on after the decision, until it has ended', async () => {
  const review = await at.open({ assign: { to: [{ user: 'alice' }] } });
  const copies = [await at.posted(review.id), await at.told(ALICE, review.id)];
  const human = at.stage.engine.tasks.get(review.taskId) as Task;
  const step = (name: string, seq: number, status: TaskStatus): Task => ({
    ...human,
    taskId: name,
    taskDefName: name,
    seq,
    status,
    workflowTask: WorkflowTask.parse({ name, taskReferenceName: name, type: 'SIMPLE' }),
  });
  const runs = (status: WorkflowStatus, ...tasks: Task[]): void => {
    at.stage.engine.runs.set(review.workflowId, { status, tasks: [human, ...tasks] });
  };
  runs('RUNNING', step('release_object', 2, 'IN_PROGRESS'));
  await at.reviews.act(review.id, { kind: 'decide', outcome: 'release', reason: 'ours' }, person('alice'));
  await eventually(() => copies.every((copy) => seen(copy).includes('… releasing')), {
    what: 'the first step',
  });
  runs('RUNNING', step('release_object', 2, 'COMPLETED'), step('tag_object', 3, 'SCHEDULED'));
  await eventually(() => copies.every((copy) => seen(copy).includes('✓ released and verified · … tagging')));
  runs('COMPLETED', step('release_object', 2, 'COMPLETED'), step('tag_object', 3, 'COMPLETED'));
  await eventually(() =>
    copies.every((copy) => seen(copy).includes('*Done*: released and verified, tagged')),
  );
  for (const copy of copies) {
    expect(isLocked(copy)).toBe(true);
    expect(seen(copy)).toContain('decided by Alice');
  }
  await at.quiet();
  const looks = await at.stage.db.query(
    `SELECT 1 FROM outbox WHERE kind = 'slack.steps' AND state <> 'sent'`,
  );
  expect(looks).toEqual([]);
});
