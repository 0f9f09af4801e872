import { describe, expect, it } from 'vitest';
import { demo } from '../../demo/chaos.js';

describe('the demonstration of kill -9', () => {
  it('adds up: every upload that S3 lists has one verdict, none is lost, none is told twice', async () => {
    expect(await demo(['--files', '24', '--kills', '2'])).toBe(true);
  }, 240_000);
});
