import { expect, test } from 'vitest';
import { scanIdOf, workflowIdOf } from '../../src/verdicts/ids.js';

test('the ids of scans and of their workflows are for ever what they were', () => {
  const scanId = scanIdOf('7d3f3b43-58d5-4a3a-8a19-4a3e9e4f7b11', 3);
  expect(scanId).toBe('7738ec9d-86c3-5c1f-b784-9595d5ba0a8f');
  expect(workflowIdOf(scanId)).toBe('8ca0a215-b575-5088-95b6-12dc77283ea7');
});
