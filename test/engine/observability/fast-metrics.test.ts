import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { FastHistogram, NamedCounts } from '../../../src/engine/observability/fast-metrics.js';

const lines = async (registry: Registry): Promise<readonly string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('a histogram', () => {
  test('counts each value in every bucket that holds it', async () => {
    const registry = new Registry();
    const histogram = new FastHistogram(registry, 'waits', 'help', [1, 2, 5]);
    for (const value of [0.5, 1, 1.5, 5, 7, -3]) histogram.add(value);
    expect(await lines(registry)).toEqual([
      'waits_bucket{le="1"} 3',
      'waits_bucket{le="2"} 4',
      'waits_bucket{le="5"} 5',
      'waits_bucket{le="+Inf"} 6',
      'waits_sum 15',
      'waits_count 6',
    ]);
  });
});

describe('counts by name', () => {
  test('give the first names a label and put all others together', async () => {
    const registry = new Registry();
    const counts = new NamedCounts(registry, { name: 'ended', help: 'h', labels: ['workflow', 'status'] }, 2);
    for (let index = 0; index < 5_000; index++) counts.add(`w${index}`, 'COMPLETED');
    counts.add('w0', 'FAILED');
    counts.add('w0', 'COMPLETED');
    expect(await lines(registry)).toEqual([
      'ended{workflow="w0",status="COMPLETED"} 2',
      'ended{workflow="w0",status="FAILED"} 1',
      'ended{workflow="w1",status="COMPLETED"} 1',
      'ended{workflow="other",status="COMPLETED"} 4998',
    ]);
  });

  test('show a hostile name as text and never longer than 120 characters', async () => {
    const registry = new Registry();
    const counts = new NamedCounts(registry, { name: 'started', help: 'h', labels: ['workflow'] }, 5);
    counts.add('a"} 1\nfake_metric{x="');
    counts.add('x'.repeat(255));
    expect(await lines(registry)).toEqual([
      'started{workflow="a\\"} 1\\nfake_metric{x=\\""} 1',
      `started{workflow="${'x'.repeat(120)}"} 1`,
    ]);
  });
});
