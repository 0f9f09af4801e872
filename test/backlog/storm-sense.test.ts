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

it('one that does not end holds scans back for about half of the time, whatever its pauses', () => {
  for (const pause of [0, 1100, 5000]) {
    const storm = new Storm();
    let on = 0;
    let looks = 0;
    let now = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      for (let second = 0; second < 60; second += 1) {
        const end = batches(storm, 20, 100, now);
        looks += 1;
        if (storm.isOn(end)) on += 1;
        now = end;
      }
      now += pause;
    }
    expect(on / looks).toBeLessThan(0.55);
    expect(on / looks).toBeGreaterThan(0.4);
  }
});

it('a few events after it do not prolong it', () => {
  const storm = new Storm();
  let now = batches(storm, 20, 10_000);
  for (let event = 0; event < 3; event += 1) storm.stored(1, (now += 1100));
  expect(storm.isOn(now)).toBe(false);
});
