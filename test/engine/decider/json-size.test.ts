import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithin, jsonBytes } from '../../../src/engine/decider/json-size.js';

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('the size of a value as JSON', () => {
  test('is that of the text, byte for byte', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(jsonBytes(value, Infinity)).toBe(bytesOf(value));
      }),
    );
  });

  test.each(['', 'a"\\\b\n\u0001\u001f', 'äß€', '😀', '\ud800x', '\udc00', 'x\ud83d'])(
    'counts %j',
    (text) => {
      expect(jsonBytes({ [text]: text }, Infinity)).toBe(bytesOf({ [text]: text }));
    },
  );

  test('counts what is left out and what becomes null as JSON does', () => {
    const value = { a: undefined, b: [undefined, NaN, -0, 1e300], c: true, d: false };
    expect(jsonBytes(value, Infinity)).toBe(bytesOf(value));
  });

  test('stops at the bound, however far shared parts unfold', () => {
    let value: object = { x: 'x' };
    for (let i = 0; i < 60; i++) value = [value, value];
    expect(isWithin(value, 1_000_000)).toBe(false);
  });

  test('refuses what is nested too deeply', () => {
    let value: object = {};
    for (let i = 0; i < 201; i++) value = [value];
    expect(isWithin(value, 1_000_000)).toBe(false);
  });
});
