import { expect, it } from 'vitest';
import { holderWords, placeWords } from '../../web/src/format.js';

it('the list of reviews says to whom one was given, and by whom one is claimed', () => {
  expect(holderWords('ASSIGNED', 'Carol')).toBe('to Carol');
  expect(holderWords('CLAIMED', 'Carol')).toBe('by Carol');
  expect(holderWords('ON_HOLD', 'Carol')).toBe('by Carol');
});

it('where an object is counts as of now while its review waits, as in Slack and mail', () => {
  expect(placeWords(true)).toBe('Now');
  expect(placeWords(false)).toBe('Where it was when asked');
});
