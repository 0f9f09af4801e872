import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInput } from '../../src/errors.js';
import { parseJsonBody, textOf } from '../../src/http/json-body.js';

describe('a JSON body', () => {
  it('is what JSON.parse says when PostgreSQL can keep it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(
          !text.includes('\\u0000') &&
            !text.includes('__proto__') &&
            !/\\ud[89a-f]/i.test(text) &&
            !/\d{16,}/.test(text),
        );
        expect(parseJsonBody(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":', /not valid JSON/],
    ['{"a":{"b":["x","\\u0000"]}}', /body\.a\.b\[1\]: must not contain the NUL/],
    ['{"a":"\\ud800"}', /body\.a: must not contain lone surrogates/],
    ['{"id":9007199254740993}', /9007199254740993 is beyond 2\^53/],
    [`${'['.repeat(70)}${']'.repeat(70)}`, /nested deeper than 64/],
    ['{"a":[1,{"b":1e400}]}', /1e400 is beyond what can be kept/],
    ['{"a.b":[{"c":"\\ud800"}]}', /body\.a\.b\[0\]\.c: must not contain lone/],
    ['{"__proto__":{"admin":true}}', /__proto__/],
  ])('is refused with the place and the reason: %s', (text, reason) => {
    expect(() => parseJsonBody(text)).toThrow(InvalidInput);
    expect(() => parseJsonBody(text)).toThrow(reason);
  });

  it.each([
    ['plain', 'x'],
    ['escaped', '\\n'],
    ['quoted', '\\"9007199254740993'],
  ])('may hold a string of ten megabytes: %s', (_, part) => {
    const text = `{"a":"${part.repeat(10_000_000 / part.length)}","n":-1.5e3}`;
    expect(parseJsonBody(text)).toEqual(JSON.parse(text));
  });

  it('must be UTF-8, or another object would be named', () => {
    expect(() => textOf(Buffer.from('{"key":"caf\u00e9"}', 'latin1'))).toThrow(/must be UTF-8/);
    expect(textOf(Buffer.from('{"key":"caf\u00e9"}'))).toContain('caf\u00e9');
  });

  it('keeps large digits inside strings', () => {
    expect(parseJsonBody('{"id":"9007199254740993"}')).toEqual({ id: '9007199254740993' });
  });
});
