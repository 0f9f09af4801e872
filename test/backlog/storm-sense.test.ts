import { expect, it } from 'vitest';
import { Storm } from '../../src/backlog/storm.js';

const batches = (storm: Storm, count: number, messages: number, from = 0): number => {
  for (let batch = 0; batch < count; batch += 1) storm.stored(messages, from + batch * 50);
  return from + count * 50;
};

it('a storm is on while many senders wait for each batch', () => {
  const storm = new Storm();
  expect(storm.isOn(0)).toBe(false);
  expect(storm.isOn(batches(storm, 20, 64))).toBe(true);
});

it('a few senders are no storm, nor is one large batch among small ones', () => {
  const storm = new Storm();
  let now = batches(storm, 100, 10);
  storm.stored(100, now);
  expect(storm.isOn(now)).toBe(false);
  now = batches(storm, 100, 10, now);
  expect(storm.isOn(now)).toBe(false);
});

it('it is over a second after its last batch', () => {
  const storm = new Storm();
  const now = batches(storm, 20, 64);
  expect(storm.isOn(now + 2000)).toBe(false);
});

it('one that does not end stops holding scans back after two minutes', () => {
  const storm = new Storm();
  let now = batches(storm, 20, 64);
  expect(storm.isOn(now)).toBe(true);
  now = batches(storm, 2400, 64, now);
  expect(storm.isOn(now)).toBe(false);
  expect(storm.isOn((now = batches(storm, 20, 64, now)))).toBe(false);
  // Once it has ended, the next one counts anew.
  expect(storm.isOn(now + 5000)).toBe(false);
  expect(storm.isOn(batches(storm, 20, 64, now + 5000))).toBe(true);
});
