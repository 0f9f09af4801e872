import { describe, expect, test } from 'vitest';
import { progressLines } from '../../demo/chaos/progress-lines.js';

describe('the lines of the chaos demonstration', () => {
  test('come when something changed, and not otherwise while the service is up', () => {
    const lineFor = progressLines();
    const now = { uploaded: 3, verdicts: 1, isUp: true };
    expect(lineFor({ ...now, seconds: 1 })).toBe('   1 s  3 uploaded  1 verdicts');
    expect(lineFor({ ...now, seconds: 60 })).toBeUndefined();
    expect(lineFor({ ...now, verdicts: 2, seconds: 61 })).toBe('  61 s  3 uploaded  2 verdicts');
  });

  test('go on while the service is down for long, and say for how long and what happens', () => {
    const lineFor = progressLines();
    const down = { uploaded: 3, verdicts: 1, isUp: false };
    expect(lineFor({ ...down, seconds: 10 })).toBe('  10 s  3 uploaded  1 verdicts  the service is down');
    expect(lineFor({ ...down, seconds: 12 })).toBeUndefined();
    expect(lineFor({ ...down, seconds: 15 })).toMatch(/is down for 5 s; it is started again/);
    expect(lineFor({ ...down, seconds: 19 })).toBeUndefined();
    expect(lineFor({ ...down, seconds: 20 })).toMatch(/is down for 10 s;/);
    expect(lineFor({ ...down, isUp: true, seconds: 21 })).toBe('  21 s  3 uploaded  1 verdicts');
    expect(lineFor({ ...down, seconds: 22 })).toMatch(/the service is down$/);
  });
});
