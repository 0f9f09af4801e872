import { createHash, randomBytes } from 'node:crypto';
import type { AuditEvent } from '../audit.js';
import { personalFields, personOf } from './fields.js';

/** The field of an event's data that holds the commitments, each under the name of the fact that it stands for. */
const COMMITMENTS = 'personal';
const SALT_BYTES = 16;
const IS_HASH = /^[0-9a-f]{64}$/;

/** A fact about a person as it stands beside its event. */
export interface PersonalFact {
  /** Hexadecimal, as in the event. */
  readonly commitment: string;
  readonly person: string;
  /** Hexadecimal. */
  readonly salt: string;
  /** JSON. */
  readonly value: string;
}

/** What shows that a commitment is to this value. */
export type Opening = Pick<PersonalFact, 'salt' | 'value'>;

/** SHA-256 of the salt and the value's text; hexadecimal. Who knows the value alone can compare it with nothing. */
export const commitmentTo = ({ salt, value }: Opening): string =>
  createHash('sha256').update(Buffer.from(salt, 'hex')).update(value).digest('hex');

/**
 * The event with commitments in place of what it says of a person, and what belongs beside it.
 *
 * @throws Error for data that has a field of the commitments' name: it would be read as such.
 */
export function withCommitments(event: AuditEvent): {
  readonly event: AuditEvent;
  readonly facts: readonly PersonalFact[];
} {
  if (Object.hasOwn(event.data, COMMITMENTS))
    throw new Error(`${event.action}: \`${COMMITMENTS}\` in an event's data is for what is erasable`);
  const facts = personalFields(event.action).flatMap((field) => {
    const value = event.data[field];
    // Nothing was said.
    if (value === undefined || value === null || value === '') return [];
    const opening = { salt: randomBytes(SALT_BYTES).toString('hex'), value: JSON.stringify(value) };
    return [[field, { commitment: commitmentTo(opening), person: personOf(event), ...opening }] as const];
  });
  if (facts.length === 0) return { event, facts: [] };
  const hidden = new Map(facts);
  const open = Object.entries(event.data).filter(([field]) => !hidden.has(field));
  const commitments = Object.fromEntries(facts.map(([field, { commitment }]) => [field, commitment]));
  const data = { ...Object.fromEntries(open), [COMMITMENTS]: commitments };
  return { event: { ...event, data }, facts: [...hidden.values()] };
}

/** The commitments of stored data by their fields; none where it holds none, as what was recorded before there were any. */
export function commitmentsIn(data: string): ReadonlyMap<string, string> {
  // Most events hold none: they need not be read.
  if (!data.includes(`"${COMMITMENTS}"`)) return new Map();
  const { [COMMITMENTS]: found } = JSON.parse(data) as Readonly<Record<string, unknown>>;
  if (found === null || typeof found !== 'object') return new Map();
  const entries = Object.entries(found);
  const isOurs = entries.every(([, hash]) => typeof hash === 'string' && IS_HASH.test(hash));
  return new Map(isOurs ? (entries as [string, string][]) : []);
}

/** What is shown of an event's data: each value that still stands, and which do not. */
export function opened(
  data: string,
  openings: ReadonlyMap<string, Opening>,
): { readonly data: Readonly<Record<string, unknown>>; readonly erased: readonly string[] } {
  const { ...shown } = JSON.parse(data) as Record<string, unknown>;
  const commitments = [...commitmentsIn(data)];
  if (commitments.length === 0) return { data: shown, erased: [] };
  delete shown[COMMITMENTS];
  for (const [field, commitment] of commitments) {
    shown[field] = valueOf(commitment, openings.get(commitment));
  }
  return {
    data: shown,
    erased: commitments.filter(([, one]) => !openings.has(one)).map(([field]) => field),
  };
}

function valueOf(commitment: string, opening: Opening | undefined): unknown {
  if (opening === undefined) return 'erased';
  // Somebody changed it: what it says now is nobody's word.
  if (commitmentTo(opening) !== commitment) return 'not what was recorded';
  return JSON.parse(opening.value);
}
