/**
 * Runs before a script, in its own realm, and takes from it what would differ from one run to the next: the time, which
 * is the one given, and chance, which follows the seed (sfc32). Returns the functions that carry values in and out,
 * taken before the script can put others in their place.
 */
export const SURROUNDINGS = `(function (now, a, b, c, d) {
  'use strict';
  const NativeDate = Date;
  const { construct } = Reflect;
  function FixedDate(...parts) {
    if (new.target === undefined) return new NativeDate(now).toString();
    return construct(NativeDate, parts.length === 0 ? [now] : parts, new.target);
  }
  const hidden = (value) => ({ value, writable: true, configurable: true, enumerable: false });
  Object.defineProperties(FixedDate, {
    name: { value: 'Date', configurable: true },
    length: { value: 7, configurable: true },
    prototype: { value: NativeDate.prototype, writable: false },
    now: hidden(function now_() { return now; }),
    parse: hidden(NativeDate.parse),
    UTC: hidden(NativeDate.UTC),
  });
  Object.defineProperty(NativeDate.prototype, 'constructor', hidden(FixedDate));
  Object.defineProperty(globalThis, 'Date', hidden(FixedDate));
  function next() {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  }
  for (let i = 0; i < 12; i += 1) next();
  Object.defineProperty(Math, 'random', hidden(function random() {
    return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
  }));
  const { parse, stringify } = JSON;
  const NativePromise = Promise;
  return {
    parse,
    write: (value) => (value instanceof NativePromise ? 0 : stringify(value)),
  };
})`;
