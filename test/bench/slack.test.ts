import { describe, expect, test } from 'vitest';
import { placeOf, questionsFor, STEPS } from '../../bench/slack/load.js';
import { readOptions } from '../../bench/slack/options.js';

describe('the bench of what comes in from Slack', () => {
  test('measures both ways in, with 200 interactions a second for more than 30 s', () => {
    expect(readOptions([])).toEqual({
      json: false,
      only: ['http', 'socket'],
      rate: 200,
      seconds: 32,
      people: 20,
    });
    expect(() => readOptions(['--rate', '0'])).toThrow('--rate: must be a whole number from 4');
  });

  test('takes each question through its steps in their order, four seconds apart, and all to the end', () => {
    const [rate, seconds] = [8, 4];
    const questions = questionsFor({ rate, seconds });
    const seen = new Map<number, { step: number; slot: number }[]>();
    const last = rate * seconds + 2 * 4 * rate * (STEPS.length - 1);
    for (let slot = 0; slot < last; slot++) {
      const { question, step } = placeOf(slot, rate);
      if (question >= 0 && question < questions)
        seen.set(question, [...(seen.get(question) ?? []), { step, slot }]);
    }
    expect(seen.size).toBe(questions);
    for (const steps of seen.values()) {
      expect(steps.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
      for (const [index, { slot }] of steps.slice(1).entries())
        expect((slot - (steps[index]?.slot ?? 0)) / rate).toBeGreaterThanOrEqual(4);
    }
  });
});
