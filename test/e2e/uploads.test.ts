import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/uploads.js';

describe('uploads told twice, late and out of order, from an S3 that fails', () => {
  it('end with one right verdict for each version, also when the service is killed meanwhile', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
