import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Overloaded, Unavailable } from '../../../src/errors.js';
import type { ScriptResult } from '../../../src/engine/model/command.js';
import type { JsonObject } from '../../../src/engine/model/json.js';
import type { ScriptPool, ScriptPoolOptions } from '../../../src/engine/scripts/script-pool.js';
import type { ScriptRequest } from '../../../src/engine/scripts/script-runner.js';
import { eventually } from '../../support/eventually.js';
import { scriptPool } from '../../support/scripts.js';

const NOW = Date.UTC(2026, 10, 23, 12, 30);

const pools: ScriptPool[] = [];
async function pool(options: ScriptPoolOptions = {}): Promise<ScriptPool> {
  const made = await scriptPool(options);
  pools.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((one) => one.close()));
});

const common = await scriptPool();
// Little enough for a test to wait for.
const limits = { limitMs: 150, memoryBytes: 16 * 1024 * 1024 };
const strict = await scriptPool(limits);
afterAll(() => Promise.all([common.close(), strict.close()]));

const request = (expression: string, more: Partial<ScriptRequest> = {}): ScriptRequest => ({
  expression,
  input: {},
  now: NOW,
  seed: 'seed',
  group: 'group',
  member: 'member',
  ...more,
});

const value = (of: ScriptResult): unknown => (of.ok ? of.value : `failed: ${of.message}`);
const message = (of: ScriptResult): string =>
  of.ok ? `no failure: ${JSON.stringify(of.value)}` : of.message;

describe('what a script comes to', () => {
  test.each<readonly [string, JsonObject, unknown]>([
    ["if ($.loop['iteration'] < 3) { true; } else { false; }", { loop: { iteration: 2 } }, true],
    ["if ($.loop['iteration'] < 3) { true; } else { false; }", { loop: { iteration: 3 } }, false],
    ['(function () { return $.n + 1; })()', { n: 41 }, 42],
    [
      'function e() { if ($.value == 1) { return {"result": true} } else { return {"result": false}}} e();',
      { value: 1 },
      { result: true },
    ],
    ['$.items.map((item) => item * 2)', { items: [1, 2, 3] }, [2, 4, 6]],
    [
      'const { a, ...rest } = $; ({ a: a ?? "none", rest })',
      { a: null, b: 1 },
      { a: 'none', rest: { b: 1 } },
    ],
    ['x = 1; x + 1', {}, 2],
    ['"text"', {}, 'text'],
    ['undefined', {}, null],
    ['', {}, null],
    ['(() => 1)', {}, null],
    ['Symbol("s")', {}, null],
    ['0 / 0', {}, null],
    ['new Date()', {}, new Date(NOW).toISOString()],
    ['({ toJSON() { return 7; } })', {}, 7],
    [
      'Object.keys($)',
      JSON.parse('{"__proto__": 1, "constructor": 2}') as JsonObject,
      ['__proto__', 'constructor'],
    ],
  ])('%s', async (expression, input, expected) => {
    expect(value(await common.evaluate(request(expression, { input })))).toEqual(expected);
  });

  test('any JSON comes back as it went in', async () => {
    const json = fc
      .jsonValue({ maxDepth: 5 })
      .filter((one) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(one)));
    await fc.assert(
      fc.asyncProperty(json, async (one) => {
        const input = JSON.parse(JSON.stringify({ one })) as JsonObject;
        expect(value(await common.evaluate(request('$.one', { input })))).toEqual(input['one']);
      }),
      { numRuns: 60 },
    );
  });

  test('what a script does to its input stays in it', async () => {
    const input = { list: [1] };
    await common.evaluate(request('$.list.push(2); delete $.list; $ = 1', { input }));
    expect(input).toEqual({ list: [1] });
  });
});

describe('time and chance', () => {
  test('are given, so a script comes to the same on every node', async () => {
    const expression =
      '[Date.now(), new Date().getTime(), Date(), typeof Date, new Date() instanceof Date, new Date(2026, 0, 1, 12).toISOString(), new Date(0).getTimezoneOffset(), new Date().constructor === Date]';
    expect(value(await common.evaluate(request(expression)))).toEqual([
      NOW,
      NOW,
      'Mon Nov 23 2026 12:30:00 GMT+0000',
      'function',
      true,
      '2026-01-01T12:00:00.000Z',
      0,
      true,
    ]);
  });

  test('the same seed gives the same numbers, another one others', async () => {
    const expression = 'Array.from({ length: 50 }, () => Math.random())';
    const once = value(await common.evaluate(request(expression, { seed: 'a' }))) as number[];
    expect(value(await common.evaluate(request(expression, { seed: 'a' })))).toEqual(once);
    expect(value(await common.evaluate(request(expression, { seed: 'b' })))).not.toEqual(once);
    expect(once.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(once).size).toBe(50);
  });
});

describe('nothing of the host is within reach', () => {
  test('the global object holds the language and the input', async () => {
    const names = value(
      await common.evaluate(
        request('Object.getOwnPropertyNames(globalThis).filter((name) => /^[a-z$_]/.test(name)).sort()'),
      ),
    );
    expect(names).toEqual([
      '$',
      'decodeURI',
      'decodeURIComponent',
      'encodeURI',
      'encodeURIComponent',
      'escape',
      'eval',
      'globalThis',
      'isFinite',
      'isNaN',
      'parseFloat',
      'parseInt',
      'undefined',
      'unescape',
    ]);
  });

  test.each([
    'fetch("http://localhost")',
    'process.exit(1)',
    'require("fs")',
    'setTimeout(() => 1, 1)',
    'this.constructor.constructor("return process")().exit(1)',
    'new Function("return process")().exit(1)',
    'globalThis.console.log(1)',
    'performance.now()',
    'WebAssembly.compile()',
    'new Worker("x")',
  ])('%s fails', async (expression) => {
    expect(message(await common.evaluate(request(expression)))).toMatch(/ReferenceError|TypeError/);
  });

  test('no module can be imported', async () => {
    expect(message(await common.evaluate(request('import("node:fs")')))).toContain('promise');
    expect(message(await common.evaluate(request('import fs from "node:fs"; 1')))).toContain('SyntaxError');
  });

  test('one script leaves nothing for the next', async () => {
    await common.evaluate(
      request(
        'Object.prototype.toJSON = () => "mine"; Array.prototype.map = null; JSON.stringify = () => "mine"; JSON.parse = null; leak = 1; Math.random = 4; Date.now = () => 1;',
      ),
    );
    const expression = '[typeof leak, [1].map(String), JSON.stringify({}), Date.now(), typeof Math.random]';
    expect(value(await common.evaluate(request(expression)))).toEqual([
      'undefined',
      ['1'],
      '{}',
      NOW,
      'function',
    ]);
  });
});

describe('errors', () => {
  test.each([
    ['\n\nnull.x', "TypeError: cannot read property 'x' of null (line 3)"],
    ['let a = 1;\nlet b =;', "SyntaxError: unexpected token in expression: ';' (line 2)"],
    ['function deep() { throw new RangeError("too far"); }\n\ndeep()', 'RangeError: too far (line 1)'],
    ['throw "text"', 'The script threw: text'],
    ['throw null', 'The script threw something that is no error.'],
    ['throw undefined', 'The script threw undefined, which is no error.'],
    ['throw 42', 'The script threw a number, which is no error.'],
    ['throw Symbol("s")', 'The script threw a symbol, which is no error.'],
    ['throw { get message() { throw 1; } }', 'The script threw something that is no error.'],
    [
      'throw new Proxy({}, { get() { throw new Error("trap"); } })',
      'The script threw something that is no error.',
    ],
    ['throw { message: { toString() { throw 1; } } }', 'The script threw something that is no error.'],
    ['const e = new Error("x"); e.stack = 7; e.name = Symbol("n"); throw e', 'Error: x'],
    ['throw { message: "a\\u0000b\\ud800" }', /^Error: a/],
    ['throw new Error("x".repeat(50_000))', /^Error: x{993}…$/],
    ['Promise.resolve(1)', /promise/],
    ['(async () => 1)()', /promise/],
    ['10n', /BigInt/],
    ['const a = {}; a.a = a; a', /circular/],
    ['({ toJSON() { throw new Error("no"); } })', 'Its result cannot be written as JSON. Error: no (line 1)'],
    ['"x".repeat(2_000_000)', 'Its result has 2000002 characters as JSON; at most 1048576 are taken'],
    ['let v = 1; for (let i = 0; i < 70; i += 1) v = [v]; v', /nested deeper than 64 levels/],
    ['"\\u0000"', 'result: must not contain NUL or lone surrogates'],
    ['({ "\\ud800": 1 })', /lone surrogates/],
  ])('%s', async (expression, expected) => {
    const failed = await common.evaluate(request(expression));
    expect(failed.ok).toBe(false);
    if (typeof expected === 'string') expect(message(failed)).toBe(expected);
    else expect(message(failed)).toMatch(expected);
  });
});

describe('a hostile script', () => {
  /** On a machine that is busy the next script may run into the short limit as well, and the one after it not. */
  const isWell = () =>
    eventually(async () => {
      const sorted = await strict.evaluate(request('JSON.stringify({ a: [..."cab"].sort().join() })'));
      return value(sorted) === '{"a":"a,b,c"}';
    });

  const hostile = [
    'for (;;) {}',
    'try { for (;;) {} } finally { for (;;) {} }',
    'for (;;) { try { for (;;) {} } catch { continue } }',
    '/(a+)+$/.test("a".repeat(60) + "b")',
    'const a = []; for (;;) a.push(new Array(1000).fill(1))',
    'let s = "x"; for (;;) s += s',
    'Array(1e9).join("x")',
    'Array.from({ length: 1e9 })',
    'new Array(2 ** 26).fill(0).sort().length',
    '10n ** (10n ** 9n)',
    'let n = 3n; for (;;) n *= n',
    'function f() { f(); } f()',
    'const f = () => { try { f(); } finally { f(); } }; f()',
    'let o = {}; for (let i = 0; i < 1e5; i += 1) o = { o }; JSON.stringify(o)',
    'let o = []; for (let i = 0; i < 1e5; i += 1) o = [o]; o',
    'eval("[".repeat(1e5) + "]".repeat(1e5))',
    'eval("(".repeat(5e5))',
    'eval("!".repeat(5e5) + "1")',
    'let p = {}; for (let i = 0; i < 1e5; i += 1) p = new Proxy(p, {}); p.x',
    'new RegExp("(?:".repeat(20000) + ")".repeat(20000))',
    '({ get a() { for (;;) {} } })',
    '({ toJSON() { for (;;) {} } })',
    'throw { get message() { for (;;) {} } }',
    'throw { get stack() { for (;;) {} }, message: "m", get name() { for (;;) {} } }',
    'Object.defineProperty(globalThis, "$", { get() { for (;;) {} } }); $',
    '({ [Symbol.toPrimitive]() { for (;;) {} } }) + ""',
    'new Proxy({}, { ownKeys() { for (;;) {} } })',
    '"x".repeat(2 ** 20).replace(/x/g, "y".repeat(2 ** 12)).length',
    'const s = "x".repeat(2 ** 24); const a = []; for (;;) a.push(s + a.length)',
    'new ArrayBuffer(2 ** 30)',
    'new WeakRef({}); for (;;) new FinalizationRegistry(() => { for (;;) {} }).register({}, 1)',
    '[..."x".repeat(1e7)].sort(() => 0).length',
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)',
  ];

  test.each(hostile)('%s', async (expression) => {
    await strict.evaluate(request('1'));
    const since = performance.now();
    const result = await strict.evaluate(request(expression));
    // Twice the limit and a little, on a machine that has other things to do.
    expect(performance.now() - since).toBeLessThan(3_000);
    if (!result.ok) expect(result.message).not.toMatch(/brought its sandbox down/);
    await isWell();
  });

  test('does not hold up the process', async () => {
    await strict.evaluate(request('1'));
    const state = { isDone: false };
    const running = strict.evaluate(request('for (;;) {}')).finally(() => (state.isDone = true));
    let turns = 0;
    while (!state.isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect(message(await running)).toMatch(/^The script ran for more than 0\.\d+ seconds/);
    expect(turns).toBeGreaterThan(20);
  });

  test('of random pieces leaves the sandbox able to work', async () => {
    const pieces = [
      'for(;;)',
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      '$',
      '.x',
      '=',
      '=>',
      '"s"',
      '1',
      ';',
      'new ',
      'Proxy',
      'Symbol.iterator',
      ',',
      'function f()',
      'f',
      'throw ',
      'try',
      'catch',
      '`',
      '${',
      '/x/',
      '...',
      'class ',
      'async ',
      'await ',
      'yield ',
      'this',
      'eval',
      'return ',
      '\n',
      'Object.prototype',
      'toJSON',
      '?.',
      '**',
      '9e9',
      'Array',
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), async (words) => {
        await strict.evaluate(request(words.join('')));
        await isWell();
      }),
      { numRuns: 150 },
    );
  });
});

describe('threads', () => {
  test('a group with much to do does not hold up another one', async () => {
    const shared = await pool({ limitMs: 100 });
    await shared.evaluate(request('1'));
    const order: string[] = [];
    const run = (group: string, expression: string): Promise<unknown> =>
      shared.evaluate(request(expression, { group })).then(() => order.push(group));
    const slow = Array.from({ length: 5 }, () => run('slow', 'for (;;) {}'));
    await Promise.all([...slow, run('quick', '1')]);
    expect(order.indexOf('quick')).toBeLessThanOrEqual(1);
  });

  test('too many waiting scripts are refused, and those that wait are evaluated', async () => {
    const shared = await pool({ maxWaiting: 2, limitMs: 800 });
    const running = shared.evaluate(request('for (;;) {}'));
    const waiting = [shared.evaluate(request('1')), shared.evaluate(request('2'))];
    await expect(shared.evaluate(request('3'))).rejects.toBeInstanceOf(Overloaded);
    expect(shared.depth).toEqual({ waiting: 2, running: 1 });
    await running;
    expect((await Promise.all(waiting)).map(value)).toEqual([1, 2]);
  });

  test('end when nothing has come for a while, and start again', async () => {
    const shared = await pool({ idleMs: 1 });
    expect(value(await shared.evaluate(request('1')))).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(value(await shared.evaluate(request('2')))).toBe(2);
  });

  test('closing refuses what waits and ends what runs', async () => {
    const shared = await pool();
    const both = [shared.evaluate(request('for (;;) {}')), shared.evaluate(request('1'))];
    const ended = Promise.allSettled(both);
    await shared.close();
    const ends = await ended;
    expect(ends.map((end) => end.status === 'rejected' && end.reason instanceof Unavailable)).toEqual([
      true,
      true,
    ]);
    await expect(shared.evaluate(request('1'))).rejects.toBeInstanceOf(Unavailable);
  });

  test('a program that is not there says so and says nothing about the script', async () => {
    const shared = await pool({ entry: new URL('./not-there.js', import.meta.url) });
    await expect(shared.evaluate(request('1'))).rejects.toThrow(/does not start.*Is the service built/);
  });
});
