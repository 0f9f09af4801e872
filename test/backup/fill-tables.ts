import type pg from 'pg';
import { queryable } from '../../src/database/queryable.js';
import { tablesOf } from '../../src/backup/tables.js';

/** Values that are easily lost on the way: quotes of COPY, emoji, a directional mark, a number beyond 2^53. */
const ODD: Readonly<Record<string, string>> = {
  text: `E'a\\\\b\\tc\\nd\\r🚪\\u202e\\\\N'`,
  json: `'{"n": 9007199254740993,  "a": [1e400, "\\u00e9\\ud83d\\ude00"], "n": null}'`,
  jsonb: `'{"n": 9007199254740993, "t": "🚪\\\\t"}'`,
  bytea: `'\\x00ff0a095c4e00'`,
  uuid: 'gen_random_uuid()',
  'uuid[]': 'ARRAY[gen_random_uuid(), NULL]',
  bigint: '9007199254740993',
  integer: '7',
  smallint: '3',
  boolean: 'true',
  'double precision': `'-0.1234567890123456789'`,
  real: `'1e-30'`,
  numeric: `'12345678901234567890.000000000100'`,
  'text[]': `ARRAY['a,b', NULL, '', '{"x"}', E'\\\\N']`,
  'bigint[]': `ARRAY[9007199254740993, NULL]`,
  'timestamp with time zone': `'2026-10-25 02:30:00.123456+02'`,
  xid8: `'18446744073709551610'`,
  int8multirange: `'{[1,5), [9007199254740993,9007199254740999)}'`,
  'integer[]': 'ARRAY[1, NULL]',
  'boolean[]': 'ARRAY[true]',
  date: `'2026-02-28'`,
};

/** Where trying would take too long. */
const GIVEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  review: { state: "'ON_HOLD'", outcome: 'NULL', cancelled_at: 'NULL', completion: 'NULL' },
  restoration: { backup_at: '1', restored_at: '2', fork_seq: '0' },
  remedy: {
    finding_kind: "'secret'",
    state: "'OPEN'",
    remedied_at: 'NULL',
    proof: 'NULL',
    returned_at: 'NULL',
  },
  finding_exception: {
    kind: "'suppressed'",
    scope: "'finding'",
    finding_kind: "'secret'",
    state: "'EXTENDED'",
    next_at: 'NULL',
  },
};
const TRIES = 400;

/** What a row of a table must keep to. */
interface Facts {
  readonly columns: readonly Column[];
  /** What the table's checks name in quotes: one of these is what a column may hold. */
  readonly words: readonly string[];
  readonly keys: readonly Key[];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

interface Key {
  readonly columns: readonly string[];
  readonly table: string;
  readonly others: readonly string[];
}

/**
 * Puts a row into every table that has none: the odd values wherever the table takes them, elsewhere what its checks and
 * foreign keys ask for, found by trying.
 *
 * @returns the tables that took nothing.
 */
export async function fillEveryTable(admin: pg.Client, random: () => number): Promise<string[]> {
  let left = (await tablesOf(queryable(admin))).map(({ name }) => name);
  const facts = await factsOf(admin);
  // Until no table becomes fillable any more by what others hold now.
  for (let before = -1; before !== left.length;) {
    before = left.length;
    const still: string[] = [];
    for (const table of left) if (!(await fill(admin, table, facts.get(table), random))) still.push(table);
    left = still;
  }
  return left;
}

async function fill(
  admin: pg.Client,
  table: string,
  facts: Facts | undefined,
  random: () => number,
): Promise<boolean> {
  const { rowCount } = await admin.query(`SELECT FROM public."${table}" LIMIT 1`);
  if (rowCount !== 0) return true;
  if (facts === undefined) return false;
  const names = facts.columns.map(({ name }) => `"${name}"`).join(', ');
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const values = facts.columns.map(
      (column) => GIVEN[table]?.[column.name] ?? valueOf(column, facts, attempt, random),
    );
    try {
      await admin.query(`INSERT INTO public."${table}" (${names}) VALUES (${values.join(', ')})`);
      return true;
    } catch (error) {
      if (!/^2[23]/.test((error as { code?: string }).code ?? '')) throw error;
    }
  }
  return false;
}

function valueOf(column: Column, facts: Facts, attempt: number, random: () => number): string {
  const { name, type, nullable } = column;
  const key = facts.keys.find(({ columns }) => columns.includes(name));
  if (key !== undefined)
    return `(SELECT "${key.others[key.columns.indexOf(name)]}" FROM public."${key.table}" LIMIT 1)`;
  const odd = ODD[type];
  if (odd === undefined) throw new Error(`no odd value for ${type} (${name})`);
  const words = facts.words.map((word) => `'${word}'`);
  const others = [
    ...(nullable ? ['NULL'] : []),
    ...(type === 'text' ? ["'a'", "repeat('a', 64)", ...words] : []),
    ...(type === 'text[]' ? ["ARRAY['a']", ...words.map((word) => `ARRAY[${word}]`)] : []),
    ...(/^(bigint|integer|smallint)$/.test(type) ? ['0', '1', '2', '100'] : []),
    ...(type === 'bytea' ? ["decode(repeat('0a', 32), 'hex')"] : []),
    ...(type === 'boolean' ? ['false'] : []),
  ];
  // The odd one first of all, and then as often as all the others.
  if (attempt === 0 || random() < 0.5 || others.length === 0) return odd;
  return others[Math.floor(random() * others.length)] ?? odd;
}

const FACTS = `
  SELECT c.relname AS name,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL),
                                       'nullable', NOT a.attnotnull) ORDER BY a.attnum)
       FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '') AS columns,
    (SELECT array_agg(DISTINCT word[1])
       FROM pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([a-zA-Z_ -]+)''::', 'g') AS word
      WHERE k.conrelid = c.oid AND k.contype = 'c') AS words,
    (SELECT json_agg(json_build_object('table', k.confrelid::regclass::text,
        'columns', (SELECT json_agg(a.attname ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY u(num, n)
                      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
        'others', (SELECT json_agg(a.attname ORDER BY n) FROM unnest(k.confkey) WITH ORDINALITY u(num, n)
                     JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num)))
       FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f') AS keys
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`;

async function factsOf(admin: pg.Client): Promise<Map<string, Facts>> {
  const { rows } = await admin.query<{
    name: string;
    columns: Column[];
    words: string[] | null;
    keys: Key[] | null;
  }>(FACTS);
  return new Map(
    rows.map(({ name, columns, words, keys }) => [name, { columns, words: words ?? [], keys: keys ?? [] }]),
  );
}
