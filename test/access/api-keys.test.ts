import { describe, expect, it } from 'vitest';
import { ApiKeys } from '../../src/access/api-keys.js';
import { FakeClock } from '../support/clock.js';
import type { Queryable } from '../../src/database/queryable.js';

/** A table of keys in memory that counts what is asked. */
function table() {
  const ids = new Set(['one', 'two']);
  const asked: (readonly string[])[] = [];
  const state = { isAway: false };
  const db: Queryable = {
    query: async <Row>(text: string, values: readonly unknown[] = []) => {
      if (text.startsWith('UPDATE')) return [];
      if (state.isAway) throw new Error('away');
      const wanted = values[0] as readonly string[];
      asked.push(wanted);
      await new Promise((resolve) => setImmediate(resolve));
      return wanted.filter((id) => ids.has(id)).map((id) => ({ id })) as Row[];
    },
  };
  const clock = new FakeClock();
  return { keys: new ApiKeys(db, clock), ids, asked, state, clock };
}

describe('API keys', () => {
  it('are looked up together for all who ask at about the same time', async () => {
    const { keys, asked } = table();
    const found = await Promise.all(
      Array.from({ length: 300 }, (_, n) => keys.find(['one', 'two', 'three'][n % 3] ?? '')),
    );
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(found.slice(0, 3).map((key) => key?.id)).toEqual(['one', 'two', undefined]);
  });

  it('are refused a quarter of a second after they are gone, whoever asks meanwhile', async () => {
    const { keys, ids, asked, clock } = table();
    expect(await keys.find('one')).toBeDefined();
    ids.delete('one');
    for (let n = 0; n < 5; n++) {
      expect(await keys.find('one')).toBeDefined();
      clock.advance(50);
    }
    expect(asked).toHaveLength(1);
    expect(await keys.find('one')).toBeUndefined();
  });

  it('are known from the next look-up on when they are new', async () => {
    const { keys, ids } = table();
    expect(await keys.find('three')).toBeUndefined();
    ids.add('three');
    expect(await keys.find('three')).toBeDefined();
  });

  it('fail for those who asked while the database is away, and only for them', async () => {
    const { keys, state } = table();
    state.isAway = true;
    await expect(keys.find('one')).rejects.toThrow('away');
    state.isAway = false;
    expect(await keys.find('one')).toBeDefined();
  });
});
