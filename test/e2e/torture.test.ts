import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/torture.js';

describe('workflows on two replicas under kill -9, restarts of PostgreSQL and cut connections', () => {
  it('all end as undisturbed ones do, each attempt once, and leave nothing behind', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 400_000);
});
