import { beforeEach, describe, expect, test } from 'vitest';
import { PayloadGone, type PayloadStore } from '../../../src/engine/payloads/payload-store.js';

/** What every payload store does. */
export function payloadStoreSuite(open: () => Promise<PayloadStore>): void {
  let store: PayloadStore;
  let last = 0;
  const freshKey = (): string => `owner/${(last += 1).toString(16).padStart(64, '0')}-${Date.now()}`;
  beforeEach(async () => {
    store = await open();
  });

  test.each([
    ['nothing', '{}'],
    ['text that is not ASCII', JSON.stringify({ a: 'äß€😀', b: '\u2028' })],
    ['what JSON escapes', JSON.stringify({ nul: '\u0000', lone: '\ud800', tab: '\t"\\' })],
    ['ten megabytes', JSON.stringify({ text: 'x'.repeat(10 * 1024 * 1024 - 20) })],
  ])('gives back %s as it was', async (_, text) => {
    const key = freshKey();
    await store.put(key, text);
    expect((await store.get(key)) === text).toBe(true);
  });

  test('takes the same value under the same key again', async () => {
    const key = freshKey();
    await store.put(key, '{"a":1}');
    await store.put(key, '{"a":1}');
    expect(await store.get(key)).toBe('{"a":1}');
  });

  test('says what is not there', async () => {
    const key = freshKey();
    await expect(store.get(key)).rejects.toThrow(PayloadGone);
    await expect(store.get(key)).rejects.toThrow(key);
  });

  describe('a removal', () => {
    test('takes these and no others, and may be repeated', async () => {
      const [a, b, c] = [freshKey(), freshKey(), freshKey()];
      for (const key of [a, b, c]) await store.put(key, JSON.stringify({ key }));
      await store.remove([a, c]);
      await store.remove([a, c, freshKey()]);
      await store.remove([]);
      await expect(store.get(a)).rejects.toThrow(PayloadGone);
      await expect(store.get(c)).rejects.toThrow(PayloadGone);
      expect(await store.get(b)).toBe(JSON.stringify({ key: b }));
    });
  });
}
