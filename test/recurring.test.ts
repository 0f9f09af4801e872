import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Recurring } from '../src/recurring.js';
import { FakeClock } from './support/clock.js';
import { eventually } from './support/eventually.js';

let clock: FakeClock;
let turns: number;
let turn: () => Promise<void>;
let work: Recurring;

beforeEach(() => {
  clock = new FakeClock();
  turns = 0;
  turn = () => Promise.resolve();
  work = new Recurring({
    clock,
    log: pino({ level: 'silent' }),
    everyMs: 1000,
    onFailure: 'the turn failed',
    turn: () => {
      turns += 1;
      return turn();
    },
  });
});
afterEach(() => work.stop());

const pausing = () => eventually(() => clock.sleeping.count === 1);

it('takes a turn at once, and the next when its time has come', async () => {
  work.start();
  await pausing();
  expect(turns).toBe(1);
  clock.advance(999);
  expect(clock.sleeping.count).toBe(1);
  clock.advance(1);
  await eventually(() => turns === 2);
});

it('goes on after a turn that failed', async () => {
  turn = () => Promise.reject(new Error('away'));
  work.start();
  await pausing();
  clock.advance(1000);
  await eventually(() => turns === 2);
});

it('takes the next turn at once when it is woken, also during a turn', async () => {
  work.start();
  await pausing();
  work.wake();
  await eventually(() => turns === 2);
  await pausing();
  let end: () => void = () => undefined;
  turn = () => new Promise((resolve) => (end = resolve));
  work.wake();
  await eventually(() => turns === 3);
  work.wake();
  turn = () => Promise.resolve();
  end();
  await eventually(() => turns === 4);
});

it('waits for the turn that is under way, and begins none after it', async () => {
  let end: () => void = () => undefined;
  turn = () => new Promise((resolve) => (end = resolve));
  work.start();
  let isStopped = false;
  const stopped = work.stop().then(() => (isStopped = true));
  await Promise.resolve();
  expect(isStopped).toBe(false);
  end();
  await stopped;
  clock.advance(5000);
  expect(turns).toBe(1);
});
