import { describe, expect, test } from 'vitest';
import { Unauthorized } from '../../../src/errors.js';
import { Attendance } from '../../../src/engine/stream/attendance.js';
import { Subscriber } from '../../../src/engine/stream/subscriber.js';
import { FakeClock } from '../../support/clock.js';
import { EventReader } from '../../support/events.js';
import { eventually } from '../../support/eventually.js';

const BEAT_MS = 15_000;

function opened(reassure: () => Promise<void>, count = 1) {
  const clock = new FakeClock();
  const attendance = new Attendance(clock, () => 7);
  const readers = Array.from({ length: count }, (_, n) => {
    const subscriber = new Subscriber({ tasks: true });
    attendance.admit({ principalId: `p${n}`, subscriber, reassure });
    return new EventReader(subscriber);
  });
  const beat = async (): Promise<void> => {
    await eventually(() => clock.sleeping.count > 0);
    clock.advance(BEAT_MS);
    const heard = (reader: EventReader) => reader.of('beat').at(-1)?.data.at === clock.now();
    await eventually(() => readers.filter(({ hasEnded }) => !hasEnded).every(heard));
  };
  return { attendance, readers, beat };
}

describe('while nobody can say who may stay', () => {
  test('the beats go on and say since when the state is old', async () => {
    const { attendance, readers, beat } = opened(() => new Promise(() => undefined));
    await beat();
    await beat();
    expect(readers[0]?.of('beat').map(({ data }) => data.behindSince)).toEqual([7, 7]);
    attendance.stop();
  });

  test('few are asked for at once, and nobody twice', async () => {
    let asked = 0;
    const { attendance, beat } = opened(() => {
      asked += 1;
      return new Promise(() => undefined);
    }, 20);
    await beat();
    await beat();
    await beat();
    expect(asked).toBe(4);
    attendance.stop();
  });
});

test('everybody is asked for after each beat, and who may not stay is told so', async () => {
  let asked = 0;
  const { attendance, readers, beat } = opened(() => {
    asked += 1;
    return asked > 20 ? Promise.reject(new Unauthorized('gone')) : Promise.resolve();
  }, 20);
  await beat();
  await eventually(() => asked === 20);
  await beat();
  await eventually(() => readers.every(({ hasEnded }) => hasEnded));
  expect(readers[0]?.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'session' } });
  attendance.stop();
});
