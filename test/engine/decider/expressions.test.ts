import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ExpressionTooLarge,
  compileTemplate,
  referencesIn,
} from '../../../src/engine/decider/expressions.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';

const roots: { [root: string]: JsonObject } = {
  workflow: {
    input: {
      a: { b: [{ 'x y': 'deep' }, { 'x y': 'deeper' }] },
      text: 'hello',
      count: 3,
      flag: false,
      nothing: null,
      key: 'a',
      dotted: 'a.b',
      evil: '${workflow.secrets.TOKEN} and ${workflow.input.text}',
      quote: "'] or ['",
      "it's": 'quoted',
      'a.b': 'one key',
    },
    variables: { v: [1, 2, 3] },
  },
  scan: { output: { list: [{ n: 1 }, { n: 2 }, {}], size: 7 }, status: 'COMPLETED' },
};

const resolve = (template: Json): Json =>
  compileTemplate(template)({
    taskId: 'task-1',
    read: (root) => (Object.hasOwn(roots, root) ? roots[root] : undefined),
  });

describe('an expression', () => {
  it.each<[string, Json, Json]>([
    ['keeps the type of a number', '${workflow.input.count}', 3],
    ['keeps the type of a boolean', '${workflow.input.flag}', false],
    ['keeps the type of a list', '${workflow.variables.v}', [1, 2, 3]],
    ['follows names, indexes and quoted names', "${workflow.input.a.b[0]['x y']}", 'deep'],
    ['takes double quotes', '${workflow.input.a.b[1]["x y"]}', 'deeper'],
    ['counts indexes from the end', '${workflow.variables.v[-1]}', 3],
    ['reads another task', '${scan.output.size}', 7],
    ['reads a whole task part', '${scan.status}', 'COMPLETED'],
    ['collects with [*] and leaves out what is missing', '${scan.output.list[*].n}', [1, 2]],
    ['collects the values of an object', '${workflow.input.a.*}', [[{ 'x y': 'deep' }, { 'x y': 'deeper' }]]],
    ['gives an empty list when nothing matches', '${scan.output.list[*].m}', []],
    ['gives the length of a list', '${scan.output.list.length()}', 3],
    ['is null when it finds nothing', '${workflow.input.absent.deeper}', null],
    ['is null for a task that never ran', '${other.output.x}', null],
    ['is null past the end of a list', '${workflow.variables.v[9]}', null],
    ['is null when its path is malformed', '${workflow.input[}', null],
    ['stands for its text inside a longer one', 'is ${workflow.input.text}!', 'is hello!'],
    [
      'is written as JSON inside a text',
      'v=${workflow.variables.v} ${workflow.input.flag}',
      'v=[1,2,3] false',
    ],
    ['reads "null" inside a text when it finds nothing', '<${workflow.input.absent}>', '<null>'],
    ['reads "null" inside a text for null', '<${workflow.input.nothing}>', '<null>'],
    ['may stand twice in a text', '${workflow.input.count}${workflow.input.count}', '33'],
    ['may be empty', 'a${}b${  }c', 'abc'],
    ['may hold blanks around it', '${ workflow.input.count }', 3],
    ['is escaped by a second dollar', '$${workflow.input.text}', '${workflow.input.text}'],
    ['is text when it is never closed', '${workflow.input.text', '${workflow.input.text'],
    ['is still found inside one that is never closed', '${a ${workflow.input.text}', '${a hello'],
    [
      'works in lists and objects',
      { x: ['${workflow.input.count}', { y: '${scan.output.size}' }] },
      { x: [3, { y: 7 }] },
    ],
    ['does not work in keys', { '${workflow.input.text}': 1 }, { '${workflow.input.text}': 1 }],
    ['names the task being made', '${CPEWF_TASK_ID}', 'task-1'],
    ['takes a nested name', "${workflow.input['${workflow.input.key}'].b[0]['x y']}", 'deep'],
    ['takes a nested name after a dot', "${workflow.input.${workflow.input.key}.b[1]['x y']}", 'deeper'],
    ['takes a nested index', '${workflow.variables.v[${workflow.variables.v[0]}]}', 2],
    ['takes a quoted name that holds a brace', "${workflow.input['}']}", null],
  ])('%s', (_, template, expected) => {
    expect(resolve(template)).toEqual(expected);
  });

  it.each<[string, Json, Json]>([
    [
      'what it found is never expanded again',
      '${workflow.input.evil}',
      '${workflow.secrets.TOKEN} and ${workflow.input.text}',
    ],
    [
      'nor is it inside a longer text',
      '> ${workflow.input.evil}',
      '> ${workflow.secrets.TOKEN} and ${workflow.input.text}',
    ],
    ['a nested value is one name, not a path', '${workflow.input.${workflow.input.dotted}}', 'one key'],
    ['a nested value cannot break out of quotes', "${workflow.input['${workflow.input.quote}']}", null],
    ['a nested value cannot choose the root', '${${workflow.input.text}.output}', null],
    ['a nested value cannot reach secrets', '${workflow.${workflow.input.key}}', null],
    [
      'secrets stay as they are, for the hand-over',
      'Bearer ${workflow.secrets.TOKEN}',
      'Bearer ${workflow.secrets.TOKEN}',
    ],
    ['constructor is no property of data', '${workflow.input.constructor}', null],
    ['__proto__ is no property of data', '${workflow.input.__proto__}', null],
    ['__proto__ in quotes neither', "${workflow.input['__proto__'].toString}", null],
    ['a list has no inherited properties', '${workflow.variables.v.map}', null],
    ['an unknown root is not looked up in the prototype', '${constructor.name}', null],
    ['a text has no properties', '${workflow.input.text.length}', null],
  ])('%s', (_, template, expected) => {
    expect(resolve(template)).toEqual(expected);
  });

  it('may define a key named __proto__ without touching any prototype', () => {
    const template: Json = JSON.parse('{"__proto__":{"polluted":"${workflow.input.text}"}}');
    const resolved = resolve(template);
    expect(Object.keys(resolved ?? {})).toEqual(['__proto__']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('stops when the text outgrows its bound', () => {
    const large = { read: () => ({ x: 'y'.repeat(6 * 1024 * 1024) }) };
    expect(() => compileTemplate('${a.x}${a.x}')(large)).toThrow(ExpressionTooLarge);
  });

  it('is total, and takes time in proportion to the text', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('$', '{', '}', '[', ']', "'", '.', 'a', '*', '\\'),
          maxLength: 60,
        }),
        (text) => {
          expect(() => resolve(text)).not.toThrow();
          if (!text.includes('${')) expect(resolve(text)).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
    const began = performance.now();
    for (const hostile of [
      '${'.repeat(100_000),
      "${a['".repeat(50_000),
      '${a['.repeat(50_000),
      '$${'.repeat(90_000),
    ]) {
      resolve(hostile);
    }
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('what is wrong with an expression', () => {
  it.each([
    ['${a.b[?(@.x > 1)]}', 'JSONPath filters are not supported yet'],
    ['${a..b}', '".." (search at any depth) is not supported yet'],
    ['${a.b[0:2]}', '"[0:2]" is not an index, "*" or a quoted name'],
    ["${a['x','y']}", 'several names in one bracket are not supported yet'],
    ['${a.min()}', 'the JSONPath function min() is not supported yet'],
    ['${.b}', 'the expression names nothing'],
    ['${a.}', 'a name is missing after "."'],
    ['${a[1}', '"]" is missing'],
    ['${${a.b}.c}', 'the first name of an expression must be written out'],
    ['${a.b}', undefined],
    ['${}', undefined],
  ])('%s: %s', (text, problem) => {
    expect(referencesIn(text)[0]?.problem).toBe(problem);
  });

  it('is also found in nested ones', () => {
    expect(
      referencesIn("x ${a['${b.c[?(1)]}']} ${d.e}").map(({ source, problem }) => [source, problem]),
    ).toEqual([
      ["${a['${b.c[?(1)]}']}", undefined],
      ['${b.c[?(1)]}', 'JSONPath filters are not supported yet'],
      ['${d.e}', undefined],
    ]);
  });
});
