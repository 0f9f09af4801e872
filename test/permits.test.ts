import { describe, expect, it } from 'vitest';
import { Permits } from '../src/permits.js';

describe('permits', () => {
  it('never give more than there are, in the order of asking', async () => {
    const permits = new Permits(4);
    const never = new AbortController().signal;
    const order: number[] = [];
    const first = await permits.take(2, never);
    const second = await permits.take(2, never);
    const third = permits.take(2, never).then((release) => (order.push(3), release));
    const fourth = permits.take(1, never).then((release) => (order.push(4), release));
    first();
    (await third)();
    (await fourth)();
    second();
    expect(order).toEqual([3, 4]);
  });

  it('who stops waiting gives up the place', async () => {
    const permits = new Permits(1);
    const release = await permits.take(1, new AbortController().signal);
    const controller = new AbortController();
    const waiting = permits.take(1, controller.signal);
    const next = permits.take(1, new AbortController().signal);
    controller.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    release();
    (await next)();
  });
});
