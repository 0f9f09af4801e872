import type { Changes } from '../data/record.js';
import { LISTED_ROWS } from '../data/parts.js';
import { changes } from '../population/changes.js';
import { CHANGE_KINDS, changeKindOf, type ChangeKind } from './change-kinds.js';
import { iso, type Asked } from './section.js';

const WHAT_LENGTH = 600;

/** What was changed in the period, where access changed, and where signing in failed. */
export async function readChanges(asked: Asked): Promise<Changes> {
  const counts = new Map<ChangeKind, number>();
  const rows: Changes['register']['rows'] = [];
  let total = 0;
  for await (const { id, at, actor, action, subject, data } of changes.rows(asked.tx, asked)) {
    const kind = changeKindOf(action);
    if (kind === undefined) continue;
    total += 1;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (rows.length < LISTED_ROWS)
      rows.push({ id, at: iso(at), actor, action, subject, kind, what: wordsOf(data) });
  }
  return {
    byKind: CHANGE_KINDS.flatMap((kind) => {
      const count = counts.get(kind);
      return count === undefined ? [] : [{ kind, count }];
    }),
    register: { total, file: 'data/changes.csv', rows },
    failedSignIns: await failedSignIns(asked),
    accessChanges: counts.get('access') ?? 0,
  };
}

/** The data of an event as a line of text: its fields with what they are or became. The end of a long one is left out, and said to be. */
export function wordsOf(data: string): string {
  const text = fieldsOf(JSON.parse(data) as Readonly<Record<string, unknown>>);
  return text.length <= WHAT_LENGTH ? text : `${text.slice(0, WHAT_LENGTH)} … (${text.length} characters)`;
}

const fieldsOf = (data: Readonly<Record<string, unknown>>): string =>
  Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${valueOf(value)}`)
    .join('; ');

function valueOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueOf).join(', ');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // As changesBetween tells a change.
  const { from, to, ...others } = value as Readonly<Record<string, unknown>>;
  const isChange = Object.keys(others).length === 0 && from !== undefined && to !== undefined;
  return isChange
    ? `${valueOf(from)} → ${valueOf(to)}`
    : `(${fieldsOf(value as Readonly<Record<string, unknown>>)})`;
}

async function failedSignIns({ tx, from, to }: Asked): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM audit_event WHERE at >= $1 AND at < $2 AND action = 'session.refused'`,
    [from, to],
  );
  return row?.count ?? 0;
}
