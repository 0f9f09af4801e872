import { describe, expect, test } from 'vitest';
import { checkWorkflow } from '../../bench/engine/check.js';
import { MEASURES, readOptions } from '../../bench/engine/options.js';
import { median, spread } from '../../bench/engine/statistics.js';

describe('the bench of the engine', () => {
  test('takes five rounds of 20 s of everything unless told otherwise, and refuses what it does not know', () => {
    expect(readOptions([])).toMatchObject({ rounds: 5, seconds: 20, json: false, only: MEASURES });
    expect(readOptions(['--only', 'rest,latency', '--rounds', '1']).only).toEqual(['latency', 'rest']);
    expect(() => readOptions(['--only', 'speed'])).toThrow('there is no speed');
    expect(() => readOptions(['--rounds', 'many'])).toThrow('--rounds');
    expect(readOptions(['--repeats', '0', '--profile', '/tmp/p'])).toMatchObject({
      repeats: 0,
      profile: '/tmp/p',
    });
    expect(() => readOptions(['--seconds', '0'])).toThrow(
      '--seconds: must be a whole number from 1, not "0"',
    );
    expect(() => readOptions(['--fast'])).toThrow(
      /npm run bench:engine -- \[--json\].*\[--profile FOLDER\]\nnames: throughput/,
    );
  });

  test('takes the middle, and tells how far the yardstick moved', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(spread([100])).toBe(0);
    expect(spread([100, 120, 90])).toBeCloseTo(0.3);
  });

  test('refuses a workflow whose tasks are not all there with input, output and times', () => {
    const task = (more: object = {}) => ({
      referenceTaskName: 'step_0',
      status: 'COMPLETED',
      inputData: { given: 1 },
      outputData: { done: 1 },
      scheduledTime: 10,
      startTime: 11,
      endTime: 12,
      ...more,
    });
    const workflow = (...tasks: ReturnType<typeof task>[]) => ({
      status: 'COMPLETED',
      input: { given: 1 },
      tasks,
    });
    expect(() => checkWorkflow('w', workflow(task()), 1)).not.toThrow();
    expect(() => checkWorkflow('w', workflow(task()), 2)).toThrow('has 1 tasks, not 2');
    expect(() => checkWorkflow('w', workflow(task({ outputData: {} })), 1)).toThrow('another output');
    expect(() => checkWorkflow('w', workflow(task({ inputData: {} })), 1)).toThrow('another input');
    expect(() => checkWorkflow('w', workflow(task({ startTime: 0 })), 1)).toThrow('out of order');
    expect(() => checkWorkflow('w', workflow(task({ endTime: 5 })), 1, 10)).not.toThrow();
  });
});
