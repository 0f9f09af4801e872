import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten-core';

/** The name under which a script's lines appear in stack traces. */
export const SCRIPT_NAME = 'script';

const MAX_MESSAGE_CHARACTERS = 1_000;

/**
 * Says in one line what a script threw, with the line number where it is known.
 *
 * Whatever was thrown is the script's own making: each property may be a trap, so only strings are taken, and of
 * them only what is worth reading.
 */
export function describeError(context: QuickJSContext, thrown: QuickJSHandle): string {
  const type = context.typeof(thrown);
  if (type === 'string') return cut(`The script threw: ${text(context, thrown) ?? ''}`);
  if (type === 'object' || type === 'function') {
    const message = property(context, thrown, 'message');
    if (message === undefined) return 'The script threw something that is no error.';
    const name = property(context, thrown, 'name') ?? 'Error';
    const line = lineOf(property(context, thrown, 'stack'));
    const problem = name === 'InternalError' ? (LIMITS.get(message) ?? message) : `${name}: ${message}`;
    return cut(line === undefined ? problem : `${problem} (line ${line})`);
  }
  return `The script threw ${type === 'undefined' ? 'undefined' : `a ${type}`}, which is no error.`;
}

const LIMITS: ReadonlyMap<string, string> = new Map([
  ['out of memory', 'The script used more memory than scripts may'],
  ['stack overflow', 'The script calls itself too often, or its values are nested too deeply'],
  ['string too long', 'The script made a text that is too long'],
]);

// A getter that throws gives a handle of no type, which is no string either.
const property = (context: QuickJSContext, of: QuickJSHandle, key: string): string | undefined =>
  context.getProp(of, key).consume((value) => text(context, value));

/** `undefined` for what is no string, or too long to be worth carrying out. */
function text(context: QuickJSContext, value: QuickJSHandle): string | undefined {
  if (context.typeof(value) !== 'string') return undefined;
  const length = context.getProp(value, 'length').consume((handle) => context.getNumber(handle));
  return length <= 100 * MAX_MESSAGE_CHARACTERS ? context.getString(value) : undefined;
}

const LINE = new RegExp(`\\b${SCRIPT_NAME}:(\\d{1,7})`);

const lineOf = (stack: string | undefined): string | undefined =>
  stack === undefined ? undefined : LINE.exec(stack)?.[1];

const cut = (message: string): string => {
  const clean = message.toWellFormed().replaceAll('\u0000', '');
  return clean.length <= MAX_MESSAGE_CHARACTERS ? clean : `${clean.slice(0, MAX_MESSAGE_CHARACTERS)}…`;
};
