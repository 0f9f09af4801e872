import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ClientBase } from 'pg';
import { queryable } from '../database/queryable.js';
import { copyIn } from '../engine/postgres/inline-copy.js';
import { ConfigError } from '../errors.js';
import type { BackupPart, BackupTable, Manifest } from './manifest.js';
import { readFileOf } from './open-backup.js';
import type { BackupPlace } from './place.js';
import { EXACT_TEXT, lateConstraintsOf, quoted, tablesOf, type Constraint } from './tables.js';

const unpack = promisify(gunzip);

/**
 * Loads every table in one transaction, into a schema that the migrations have just made. What they put into tables goes:
 * the backup has it as it had become.
 *
 * @throws ConfigError when the backup does not fit, or is not what it was when it was checked.
 */
export async function loadTables(
  client: ClientBase,
  place: BackupPlace,
  manifest: Manifest,
  onTable?: (done: number, all: number) => void,
): Promise<void> {
  const db = queryable(client);
  await client.query(`BEGIN; ${EXACT_TEXT}`);
  const there = await tablesOf(db);
  const known = new Map(there.map(({ name, columns }) => [name, columns.join()]));
  const odd = manifest.tables.find(({ name, columns }) => known.get(name) !== columns.join());
  const missing = there.find(({ name }) => !manifest.tables.some((table) => table.name === name));
  if (odd !== undefined || missing !== undefined)
    throw new ConfigError(
      `${place.name} does not fit the schema that it names: table ${odd?.name ?? missing?.name ?? ''}. Restore it with version ${manifest.version}.`,
    );
  // They are checked once all rows are there; the triggers keep the service from changing what is only appended to.
  const late = await lateConstraintsOf(db);
  for (const { table, name } of late) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  for (const { name } of there)
    await client.query(`ALTER TABLE public."${name}" DISABLE TRIGGER USER; DELETE FROM public."${name}"`);
  for (const [done, table] of manifest.tables.entries()) {
    onTable?.(done, manifest.tables.length);
    await loadTable(client, place, table);
  }
  for (const { name } of there) await client.query(`ALTER TABLE public."${name}" ENABLE TRIGGER USER`);
  await checkAgain(client, late);
  for (const { name, lastValue, isCalled } of manifest.sequences)
    await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [
      `public.${name}`,
      lastValue,
      isCalled,
    ]);
  await client.query('COMMIT');
}

async function loadTable(client: ClientBase, place: BackupPlace, table: BackupTable): Promise<void> {
  const whole = createHash('sha256');
  const statement = `COPY public."${table.name}" (${quoted(table.columns)}) FROM STDIN`;
  for (const part of table.parts) {
    const rows = await unpacked(place, part);
    whole.update(rows);
    await copyIn(client, statement, rows);
  }
  if (whole.digest('hex') !== table.sha256)
    throw new ConfigError(`${place.name} is damaged: the rows of ${table.name} are not what they were.`);
}

async function unpacked(place: BackupPlace, part: BackupPart): Promise<Buffer> {
  const packed = await readFileOf(place, part);
  try {
    // One byte more than there should be, so that too much is an error and not cut off.
    return await unpack(packed, { maxOutputLength: part.plainBytes + 1 });
  } catch (error) {
    throw new ConfigError(`${place.name} is damaged: ${part.name} cannot be unpacked.`, { cause: error });
  }
}

async function checkAgain(client: ClientBase, late: readonly Constraint[]): Promise<void> {
  for (const { table, name, definition } of late)
    await client.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`);
}
