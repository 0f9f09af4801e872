import { expect, it } from 'vitest';
import { visible, visibleLines } from '../../web/src/format.js';

it('what somebody wrote in several lines keeps its lines, and hides nothing in them', () => {
  expect(visibleLines('one\r\ntwo\u202e\n\tthree')).toBe('one\ntwo\\u202e\n\\u0009three');
  expect(visible('one\ntwo')).toBe('one\\u000atwo');
});
