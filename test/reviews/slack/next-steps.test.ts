import { describe, expect, it } from 'vitest';
import { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { Task, TaskStatus, WorkflowStatus } from '../../../src/engine/model/execution.js';
import type { JsonObject } from '../../../src/engine/model/json.js';
import { courseLine } from '../../../src/reviews/channels/slack/delivery/course-block.js';
import { courseAfter } from '../../../src/reviews/channels/slack/delivery/next-steps.js';

let seq = 0;
const AT = Date.UTC(2026, 10, 23);
const task = (name: string, status: TaskStatus, outputData: JsonObject = {}, type = 'SIMPLE'): Task => ({
  taskId: name,
  workflowInstanceId: 'w1',
  workflowType: 'scan_upload',
  referenceTaskName: name,
  taskDefName: name,
  taskType: type === 'SIMPLE' ? name : type,
  status,
  seq: (seq += 1),
  retried: false,
  outputData,
  inputData: {},
  workflowTask: WorkflowTask.parse({ name, taskReferenceName: name, type }),
  retryCount: 0,
  executed: true,
  iteration: 0,
  pollCount: 1,
  scheduledTime: AT,
  updateTime: AT,
  firstScheduledTime: AT,
  callbackAfterSeconds: 0,
  queued: false,
  dueAt: AT,
  priority: 0,
});
const asked = () => task('review_upload', 'COMPLETED', {}, 'HUMAN');
const line = (status: WorkflowStatus, ...tasks: Task[]): string =>
  courseLine(courseAfter({ status, tasks }, 'review_upload'));

describe('what comes after a decision', () => {
  it('is said step by step while the workflow runs', () => {
    expect(line('RUNNING', task('quarantine_object', 'COMPLETED'), asked())).toBe(
      '*Next*: … the workflow goes on',
    );
    expect(
      line(
        'RUNNING',
        asked(),
        task('what_was_decided', 'COMPLETED', {}, 'SWITCH'),
        task('release_object', 'COMPLETED', { outcome: 'released' }),
        task('tag_object', 'IN_PROGRESS'),
      ),
    ).toBe('*Next*: ✓ released and verified · … tagging');
  });

  it('is summed up at the end', () => {
    expect(
      line(
        'COMPLETED',
        asked(),
        task('release_object', 'COMPLETED', { outcome: 'released' }),
        task('tag_object', 'COMPLETED', { tagged: true, tags: { 'sallyport-verdict': 'clean' } }),
        task('close_scan', 'COMPLETED'),
      ),
    ).toBe('*Done*: released and verified, tagged clean, record closed');
  });

  it('does not call done what a worker did not do', () => {
    expect(
      line(
        'COMPLETED',
        asked(),
        task('release_object', 'COMPLETED', { outcome: 'not_released' }),
        task('tag_object', 'COMPLETED', { tagged: false, tags: {} }),
        task('delete_object', 'COMPLETED', { deleted: false }),
      ),
    ).toBe('*Done*: not released, not tagged, not deleted');
  });

  it('says what failed, by its latest attempt', () => {
    const first = { ...task('release_object', 'FAILED'), retried: true };
    expect(line('FAILED', asked(), first, task('release_object', 'FAILED_WITH_TERMINAL_ERROR'))).toBe(
      '*Failed*: the release did not succeed. Open it to see why.',
    );
    expect(
      line('TERMINATED', asked(), task('tag_object', 'COMPLETED'), task('my_own-step', 'CANCELED')),
    ).toBe('*Stopped*: the workflow was ended (before: tagged, my own step left out). Open it to see why.');
  });

  it('names no more than a message has room for, and none of them as a format', () => {
    const many = Array.from({ length: 50 }, (_, n) => task(`step_${n} <!channel> *x*`, 'COMPLETED'));
    const said = line('COMPLETED', asked(), ...many);
    expect(said.length).toBeLessThan(1500);
    expect(said).not.toMatch(/<!|\*x/);
  });
});
