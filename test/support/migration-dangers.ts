/**
 * What a migration must not do while the version before it serves. Reads the source of one migration, not the database:
 * whoever writes it should hear of it before it runs anywhere.
 */

// Few rows at any time: an index on them is made within milliseconds, and a lock is held no longer.
const SMALL_TABLES = new Set([
  'workflow_inbox',
  'workflow_timer',
  'workflow_def',
  'task_def',
  'node',
  'poll_data',
  'api_key',
  'app_user',
]);

/** Words that are never right, and why. */
const NEVER: readonly (readonly [RegExp, string])[] = [
  [/\bDROP\s+(TABLE|COLUMN|FUNCTION|TYPE|VIEW|SEQUENCE|SCHEMA)\b/i, 'the version before still uses it'],
  [
    // But for a CHECK, by the name that PostgreSQL gives one: without it nothing is refused that was taken before.
    /\bDROP\s+CONSTRAINT\s+(?!(IF\s+EXISTS\s+)?\w+_check\d*\b)/i,
    'the version before still uses it',
  ],
  [/\bRENAME\b/i, 'the version before knows it by the old name'],
  [/\bALTER\s+(COLUMN\s+)?"?\w+"?\s+(SET\s+DATA\s+)?TYPE\b/i, 'it rewrites the table under a lock'],
  [/\bSET\s+NOT\s+NULL\b/i, 'the version before may write NULL, and the whole table is read under a lock'],
  [
    // But for a trigger that refuses it.
    /(?<!\bOR\s+)\b(TRUNCATE|LOCK\s+TABLE|CLUSTER|VACUUM\s+FULL|REINDEX(?!\s+\w+\s+CONCURRENTLY))\b/i,
    'it keeps everybody out',
  ],
  [/\bSET\s+(UN)?LOGGED\b|\bSET\s+TABLESPACE\b/i, 'it rewrites the table under a lock'],
  [
    /\bDEFAULT\s+(now|clock_timestamp|random|gen_random_uuid|nextval)\b/i,
    'a default that differs by row rewrites the table',
  ],
];

/** @param source of the file. @param before sources of the migrations that came before it. @returns what is wrong. */
export function dangersOf(source: string, before: readonly string[]): readonly string[] {
  const up = upOf(source);
  const made = tablesIn(up);
  const isBig = (table: string): boolean => !made.has(table) && !SMALL_TABLES.has(table);
  const found = NEVER.flatMap(([pattern, why]) => {
    const said = pattern.exec(up)?.[0];
    return said === undefined ? [] : [`${said}: ${why}`];
  });
  found.push(...columnDangers(up), ...indexDangers(up, before, isBig), ...constraintDangers(up, made));
  const hasNoTransaction = /\btransaction\s*=\s*false\b/.test(source);
  if (/\bCONCURRENTLY\b|createIndexConcurrently/.test(up) && !hasNoTransaction) {
    found.push(
      'CONCURRENTLY: works outside of a transaction only; say `readonly transaction = false` in the class',
    );
  }
  for (const [, table = ''] of up.matchAll(
    /\b(?:UPDATE|DELETE\s+FROM)\s+"?(\w+)"?\s+(?:SET|WHERE|USING)\b/gi,
  )) {
    if (isBig(table)) found.push(`UPDATE or DELETE on ${table}: it locks rows that the version before needs`);
  }
  return found;
}

/** Everything but comments and the way back. */
function upOf(source: string): string {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const down = code.search(/\basync\s+down\s*\(/);
  if (down < 0) return code;
  // `down` ends at the brace in the column where it began.
  const rest = code.slice(down);
  const end = /\n {2}\}/.exec(rest);
  return code.slice(0, down) + (end === null ? '' : rest.slice(end.index + 4));
}

const tablesIn = (sql: string): ReadonlySet<string> =>
  new Set(
    [...sql.matchAll(/\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?/gi)].map(([, name = '']) => name),
  );

function columnDangers(up: string): string[] {
  return up
    .split(/\bADD\s+COLUMN\b/i)
    .slice(1)
    .map((rest) => /^[^,;`']*/.exec(rest.replace(/\([^)]*\)/g, '()'))?.[0] ?? '')
    .filter((column) => /\bNOT\s+NULL\b/i.test(column) && !/\bDEFAULT\b/i.test(column))
    .map(
      (column) =>
        `ADD COLUMN${column.trimEnd()}: NOT NULL needs a DEFAULT, or the version before cannot insert`,
    );
}

function indexDangers(up: string, before: readonly string[], isBig: (table: string) => boolean): string[] {
  const found: string[] = [];
  for (const [said, unique, concurrently, table = ''] of up.matchAll(
    /\bCREATE\s+(UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?:"?\w+"?\s+)?ON\s+"?(\w+)"?/gi,
  )) {
    if (!isBig(table)) continue;
    if (unique !== undefined) found.push(`${said}: the version before may write what it forbids`);
    if (concurrently === undefined) {
      found.push(`${said}: nobody can write ${table} meanwhile; use createIndexConcurrently`);
    }
  }
  const tableOf = new Map(
    [...before, up].flatMap((source) =>
      [...source.matchAll(/\bINDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s+ON\s+(\w+)/gi)].map(
        ([, index = '', table = '']) => [index, table] as const,
      ),
    ),
  );
  for (const [said, concurrently, index = ''] of up.matchAll(
    /\bDROP\s+INDEX\s+(CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?"?(\w+)"?/gi,
  )) {
    const table = tableOf.get(index);
    if (concurrently === undefined && (table === undefined || isBig(table))) {
      found.push(`${said}: waits for everybody on the table, and everybody for it; DROP INDEX CONCURRENTLY`);
    }
  }
  return found;
}

function constraintDangers(up: string, made: ReadonlySet<string>): string[] {
  return [...up.matchAll(/\bALTER\s+TABLE\s+(?:ONLY\s+)?"?(\w+)"?[^;`]*?\bADD\s+CONSTRAINT\b([^;`]*)/gi)]
    .filter(
      ([, table = '', rest = '']) => !made.has(table) && !/\bNOT\s+VALID\b|\bUSING\s+INDEX\b/i.test(rest),
    )
    .map(
      ([, table = '']) => `ADD CONSTRAINT on ${table}: add it NOT VALID (or USING INDEX), validate it later`,
    );
}
