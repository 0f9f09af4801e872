import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../model/json.js';

/** Where a large value is kept. */
export interface PayloadRef {
  /** Name of the store that holds it. */
  readonly store: string;
  readonly bytes: number;
  /** `<owner>/<SHA-256 of the text>-<random>`. */
  readonly key: string;
}

/**
 * Something looked into a value that is kept elsewhere. Whoever decides fetches it and starts again; anybody else forgot
 * to hydrate what came from a store.
 */
export class PayloadNeeded extends Error {
  constructor(readonly ref: PayloadRef) {
    super(`The value ${ref.key} is kept in the payload store and has to be fetched before it is read.`);
  }
}

const refs = new WeakMap<object, PayloadRef>();
/** The placeholder of a value that is known to be stored. */
const standIns = new WeakMap<object, JsonObject>();

/**
 * Stands for a value that is kept elsewhere. It may be copied from row to row; whoever looks into it gets PayloadNeeded,
 * so that nothing is ever taken for empty that is not.
 */
export function placeholder(ref: PayloadRef): JsonObject {
  const needed = (): never => {
    throw new PayloadNeeded(ref);
  };
  const stand = new Proxy<JsonObject>(
    {},
    {
      // What awaits or prints a value asks for these, and means nothing by it.
      get: (_, key) => (typeof key === 'symbol' || key === 'then' ? undefined : needed()),
      has: needed,
      ownKeys: needed,
      getOwnPropertyDescriptor: needed,
    },
  );
  refs.set(stand, ref);
  return stand;
}

/** The reference of a placeholder; `undefined` for any other value. */
export const refOf = (value: object): PayloadRef | undefined => refs.get(value);

export const isPlaceholder = (value: object): boolean => refs.has(value);

/** From now on this value is known to be what the placeholder stands for. */
export const remember = (value: JsonObject, stand: JsonObject): void => {
  standIns.set(value, stand);
};

/** The placeholder of a value that is stored, or the placeholder itself. */
export const standInOf = (value: JsonObject): JsonObject | undefined =>
  refs.has(value) ? value : standIns.get(value);

/** A payload belongs to one workflow: its key begins with this. */
export const ownerOf = (workflowId: string): string =>
  createHash('sha256').update(workflowId).digest('hex').slice(0, 32);

export const digestOfText = (text: string): string => createHash('sha256').update(text).digest('hex');

export const digestOfKey = (key: string): string => key.slice(key.indexOf('/') + 1).split('-', 1)[0] ?? '';

/** Whether a value is the stored one, which need not be fetched to say so. */
export function isSameValue(stored: JsonObject, value: JsonObject): boolean {
  const ref = refs.get(stored);
  if (ref === undefined) return isDeepStrictEqual(stored, value);
  const other = refs.get(value);
  return (
    digestOfKey(ref.key) ===
    (other === undefined ? digestOfText(JSON.stringify(value)) : digestOfKey(other.key))
  );
}

/** How a row keeps a reference: as a JSON text where every value of a client is a JSON object. */
export const refText = ({ store, bytes, key }: PayloadRef): string => `${store}:${bytes}:${key}`;

export function parseRef(text: string): PayloadRef {
  const [store = '', bytes = '', key = ''] = text.split(':');
  if (store === '' || key === '' || !/^\d+$/.test(bytes)) {
    throw new Error(`A row refers to its payload by "${text.slice(0, 100)}", which is no reference`);
  }
  return { store, bytes: Number(bytes), key };
}

/** What a row says, as a value: a placeholder for a reference. */
export const fromRow = (value: JsonObject | string): JsonObject =>
  typeof value === 'string' ? placeholder(parseRef(value)) : value;

/** What a row keeps of a value: the reference in the place of a placeholder. */
export function toRow(value: JsonObject): JsonObject | string {
  const ref = refs.get(value);
  return ref === undefined ? value : refText(ref);
}
