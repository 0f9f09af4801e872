import type { Json, JsonObject } from '../../../src/engine/model/json.js';

const EXPRESSION = /\$\{([^${}]+)\}/g;

/** Dotted paths only: all that the definitions in these tests use. */
export function resolve(value: Json, look: (root: string) => Json | undefined): Json {
  if (typeof value === 'string') {
    const whole = /^\$\{([^${}]+)\}$/.exec(value);
    if (whole?.[1] !== undefined) return follow(whole[1], look) ?? null;
    return value.replaceAll(EXPRESSION, (_, path: string) => textOf(follow(path, look)));
  }
  if (Array.isArray(value)) return value.map((item: Json) => resolve(item, look));
  return isObject(value) ? resolveObject(value, look) : value;
}

export const resolveObject = (value: JsonObject, look: (root: string) => Json | undefined): JsonObject =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, look)]));

function follow(path: string, look: (root: string) => Json | undefined): Json | undefined {
  const [root = '', ...keys] = path.split('.');
  return keys.reduce<Json | undefined>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    look(root),
  );
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How a value reads inside a text, and what a SWITCH compares. */
export const textOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);
