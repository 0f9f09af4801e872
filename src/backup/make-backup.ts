import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Keyring, type Key } from '../access/keyring.js';
import { appendAudit } from '../audit/audit.js';
import { signingKeyOf } from '../audit/chain/checkpoint.js';
import { chainHead, chainState } from '../audit/sql/chain.js';
import { lastCheckpoint } from '../audit/sql/checkpoints.js';
import { holdMigrations, UNFINISHED_RESTORE } from '../database/migrate.js';
import { queryable, type Queryable } from '../database/queryable.js';
import { ConfigError } from '../errors.js';
import { VERSION } from '../ops/version.js';
import { connectAs } from './connect.js';
import {
  CLAIM,
  FORMAT,
  MANIFEST,
  signManifest,
  type BackupFile,
  type BackupSequence,
  type Manifest,
} from './manifest.js';
import { isClaimOf, type BackupPlace } from './place.js';
import { EXACT_TEXT, NOW, schemaOf, tablesOf } from './tables.js';
import { PART_BYTES, writeTable } from './write-tables.js';

export interface BackupWish {
  readonly url: string;
  readonly masterKey: Buffer;
  readonly place: BackupPlace;
  /** Writes what lies beside the database, once its snapshot is taken: it may then be newer, never older. */
  readonly beside: (place: BackupPlace) => Promise<Pick<Manifest, 'objects' | 'secrets'>>;
  /** Told of each table. */
  readonly onTable?: (done: number, all: number) => void;
  readonly partBytes?: number;
}

/**
 * Writes one snapshot of the database, while the service goes on, and what lies beside it. It is complete when its manifest
 * is there; then the audit record says so.
 *
 * @throws ConfigError where something is there already, or the database is no whole one.
 */
export async function makeBackup(wish: BackupWish): Promise<Manifest> {
  const { place } = wish;
  if (await place.isUsed())
    throw new ConfigError(
      `${place.name} is not empty. Name a new place for each backup: nothing is written over.`,
    );
  const client = await connectAs(wish.url, 'sallyport-backup');
  try {
    const db = queryable(client);
    await refuseOthers(db);
    // Said before anything is written: whose key this is not gets no backup.
    await signerOf(db, wish.masterKey);
    const id = randomUUID();
    await place.writeFirst(CLAIM, Buffer.from(id));
    await refuseSecond(place, id);
    const manifest = await writeAll(client, wish, id);
    // Where the endpoint knows no conditional writes, the last of several claims stands, whoever wrote it.
    await refuseSecond(place, id);
    await place.write(MANIFEST, Buffer.from(`${JSON.stringify(manifest)}\n`));
    await refuseSecond(place, id);
    await tell(db, manifest, place.name);
    return manifest;
  } finally {
    await client.end();
  }
}

/** @throws ConfigError where another backup claimed the place. */
async function refuseSecond(place: BackupPlace, id: string): Promise<void> {
  if (await isClaimOf(place, id)) return;
  throw new ConfigError(
    `${place.name} is being written by another backup. Name a new place for each backup: nothing is written over.`,
  );
}

async function refuseOthers(db: Queryable): Promise<void> {
  const [row] = await db.query<{ is_ours: boolean; is_half: boolean }>(
    `SELECT to_regclass('public.audit_chain') IS NOT NULL AS is_ours, to_regclass('public.${UNFINISHED_RESTORE}') IS NOT NULL AS is_half`,
  );
  if (row?.is_half === true)
    throw new ConfigError('A restore into this database was cut short: it holds nothing to back up.');
  if (row?.is_ours !== true)
    throw new ConfigError(
      'DATABASE_URL: this database has no Sallyport in it. Start the service once, or check the URL.',
    );
}

/** One transaction: all of it is from the snapshot of its first statement. */
async function writeAll(client: pg.Client, wish: BackupWish, id: string): Promise<Manifest> {
  const db = queryable(client);
  const { place, partBytes = PART_BYTES } = wish;
  // What fails ends the connection, which is the rollback: it may be in the middle of a COPY whose rest nobody reads.
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${EXACT_TEXT}`);
  // A migration under way would change tables that the snapshot knows otherwise.
  await holdMigrations(db);
  const about = await aboutOf(db);
  const { key, sealed } = await signerOf(db, wish.masterKey);
  const found = await tablesOf(db);
  const tables = [];
  for (const [done, table] of found.entries()) {
    wish.onTable?.(done, found.length);
    tables.push(await writeTable(client, table, place, partBytes));
  }
  const sequences = await sequencesOf(db);
  await client.query('COMMIT');
  const beside = await wish.beside(place);
  const signedBy = { keyId: key.id, sealed: sealed.toString('base64') };
  return signManifest({ ...about, id, tables, sequences, ...beside, signedBy }, signingKeyOf(key.key));
}

/** The key that signs checkpoints, as it is and as the keyring holds it. */
async function signerOf(db: Queryable, masterKey: Buffer): Promise<{ key: Key; sealed: Buffer }> {
  const key = (await Keyring.read(db, masterKey)).for('audit');
  const [row] = await db.query<{ sealed: Buffer }>('SELECT sealed FROM keyring WHERE id = $1', [key.id]);
  if (row === undefined) throw new Error(`the key ${key.id} vanished from the keyring`);
  return { key, sealed: row.sealed };
}

async function aboutOf(db: Queryable) {
  const [row] = await db.query<{ at: string; postgres: string; waiting: string }>(
    `SELECT ${NOW} AS at, current_setting('server_version') AS postgres,
            (SELECT count(*) FROM audit_event e
              WHERE e.id > (SELECT swept_id FROM audit_chain)
                AND NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.event_id = e.id)) AS waiting`,
  );
  if (row === undefined) throw new Error('PostgreSQL did not say what time it is');
  const head = await chainHead(db);
  return {
    kind: 'sallyport-backup' as const,
    format: FORMAT as typeof FORMAT,
    at: new Date(Number(row.at)).toISOString(),
    version: VERSION,
    postgres: row.postgres,
    schema: await schemaOf(db),
    chain: {
      id: (await chainState(db)).chainId,
      events: head?.seq ?? 0,
      head: head?.hash.toString('hex') ?? null,
      waiting: Number(row.waiting),
      signedUpTo: (await lastCheckpoint(db))?.seq ?? 0,
    },
  };
}

/** They belong to no snapshot: what they say is at least what the tables hold. */
async function sequencesOf(db: Queryable): Promise<BackupSequence[]> {
  const rows = await db.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace ORDER BY relname`,
  );
  const sequences: BackupSequence[] = [];
  for (const { name } of rows) {
    const [row] = await db.query<{ last_value: string; is_called: boolean }>(
      `SELECT last_value, is_called FROM public."${name}"`,
    );
    if (row !== undefined) sequences.push({ name, lastValue: row.last_value, isCalled: row.is_called });
  }
  return sequences;
}

async function tell(db: Queryable, manifest: Manifest, place: string): Promise<void> {
  const [row] = await db.query<{ at: string }>(`SELECT ${NOW} AS at`);
  const { id, at, chain, tables } = manifest;
  await appendAudit(db, [
    {
      at: Number(row?.at),
      actor: 'system:backup',
      action: 'backup.made',
      subject: `backup:${id}`,
      data: {
        place,
        at,
        chain: chain.id,
        events: chain.events,
        head: chain.head,
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
        bytes: bytesOf(manifest),
      },
    },
  ]);
}

/** All files but the manifest. */
export function bytesOf({ tables, objects, secrets }: Manifest): number {
  const files: readonly Pick<BackupFile, 'bytes'>[] = [
    ...tables.flatMap(({ parts }) => parts),
    ...(objects ?? []),
    ...(secrets ?? []),
  ];
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
