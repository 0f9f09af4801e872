import { describe, expect, it } from 'vitest';
import { Conflict } from '../../../src/errors.js';
import { listingTest, upload } from './listing-parts.js';

const it_ = await listingTest();
const { runs } = it_;
const { clock } = it_.parts;
const state = async (id: string) => (await runs.find(id)).state;

describe('an estimate', () => {
  it('that nobody answers within seven days is forgotten, and says so', async () => {
    await upload(it_.s3, ['a']);
    const { id } = await it_.backfill({ start: false });
    await it_.work(it_.lister());
    expect(await state(id)).toBe('estimated');
    const lister = it_.lister();
    clock.advance(6.9 * 86_400_000);
    await it_.work(lister);
    expect(await state(id)).toBe('estimated');
    clock.advance(0.2 * 86_400_000);
    await it_.work(lister);
    expect(await runs.find(id)).toMatchObject({
      state: 'cancelled',
      lastError: 'Nobody began it within seven days; ask for a new estimate.',
    });
    await expect(runs.start(id, 'user:alice')).rejects.toThrow(Conflict);
    expect(await it_.count('audit_event', `action = 'backfill.expired' AND subject = 'run:${id}'`)).toBe(1);
  });
});
