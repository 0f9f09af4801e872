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
      rows.push({ id, at: iso(at), actor, action, subject, kind, what: shortened(data) });
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

/** Its end is left out where it is long, and said to be. */
const shortened = (text: string): string =>
  text.length <= WHAT_LENGTH ? text : `${text.slice(0, WHAT_LENGTH)} … (${text.length} characters)`;

async function failedSignIns({ tx, from, to }: Asked): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM audit_event WHERE at >= $1 AND at < $2 AND action = 'session.refused'`,
    [from, to],
  );
  return row?.count ?? 0;
}
