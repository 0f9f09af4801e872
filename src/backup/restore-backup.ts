import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Keyring } from '../access/keyring.js';
import { appendAudit } from '../audit/audit.js';
import { publicKeyOf, readPublicKey, signingKeyOf } from '../audit/chain/checkpoint.js';
import { verifyChain, type Verification } from '../audit/chain/verify.js';
import { migrations } from '../database/data-source.js';
import { migrate, UNFINISHED_RESTORE } from '../database/migrate.js';
import { queryable, type Queryable } from '../database/queryable.js';
import { ConfigError } from '../errors.js';
import { clearDatabase, refuseToReplace } from './clear-database.js';
import { connectAs } from './connect.js';
import { loadTables } from './load-tables.js';
import type { Manifest } from './manifest.js';
import type { BackupPlace } from './place.js';
import { NOW } from './tables.js';

export interface RestoreWish {
  /** Of the role that the service works with. */
  readonly url: string;
  /** Of the role that owns the schema. */
  readonly adminUrl: string;
  readonly masterKey: Buffer;
  readonly place: BackupPlace;
  /** Checked, with its signature and files. */
  readonly manifest: Manifest;
  /** What the database holds is lost. */
  readonly discardsExisting: boolean;
  /** Goes on with a record whose chain is not whole, which is then on record itself. */
  readonly takesBrokenChain: boolean;
  /** Puts what lies beside the database in its place, once the database is whole. */
  readonly beside: () => Promise<void>;
  readonly onTable?: (done: number, all: number) => void;
}

export interface Restored {
  readonly id: string;
  readonly verification: Verification;
}

/** @throws ConfigError for a backup of a schema that this version does not know. */
export async function refuseNewer({ schema, version }: Manifest, place: BackupPlace): Promise<void> {
  const known = new Set((await migrations()).map(({ name }) => name));
  const newer = schema.filter((name) => !known.has(name));
  if (newer.length === 0) return;
  throw new ConfigError(
    `${place.name} was made by Sallyport ${version}, whose database is newer (${newer[0] ?? ''}). Restore it with that version or a later one.`,
  );
}

/**
 * Brings a database to what a backup says, and marks it: until the last step a start is refused, after it everything that
 * leaves the service is held. Whatever happens in between, the next restore begins anew.
 */
export async function restoreBackup(wish: RestoreWish): Promise<Restored> {
  const { url, adminUrl, place, manifest } = wish;
  const client = await connectAs(adminUrl, 'sallyport-restore');
  const db = queryable(client);
  try {
    await refuseToReplace(db, wish.discardsExisting);
    await db.query(
      `CREATE TABLE IF NOT EXISTS public.${UNFINISHED_RESTORE} (backup_id uuid NOT NULL, at bigint NOT NULL)`,
    );
    await clearDatabase(db);
    await db.query(`INSERT INTO public.${UNFINISHED_RESTORE} VALUES ($1, ${NOW})`, [manifest.id]);
    await migrate(adminUrl, url, undefined, { only: manifest.schema, isRestore: true });
    await loadTables(client, place, manifest, wish.onTable);
    await migrate(adminUrl, url, undefined, { isRestore: true });
    const verification = await verify(db, wish);
    await wish.beside();
    const id = await finish(client, manifest, verification);
    return { id, verification };
  } finally {
    await client.end();
  }
}

async function verify(db: Queryable, wish: RestoreWish): Promise<Verification> {
  const { chain } = wish.manifest;
  const keyring = await Keyring.read(db, wish.masterKey);
  const keyOf = (id: string) => {
    const key = id.startsWith('audit-') ? keyring.named(id) : undefined;
    return key && readPublicKey(publicKeyOf(signingKeyOf(key.key)));
  };
  const known = chain.head === null ? [] : [{ seq: chain.events, head: chain.head }];
  const found = await verifyChain(db, keyOf, known);
  if (found.isWhole || wish.takesBrokenChain) return found;
  const where = found.bad?.seq === undefined ? `event ${found.bad?.eventId ?? ''}` : `place ${found.bad.seq}`;
  throw new ConfigError(
    `The audit record in ${wish.place.name} is not whole: ${where} ${found.bad?.what ?? ''}. ` +
      'It was so when the backup was made. Take an older backup, or restore this one with --take-broken-chain, which is then on record.',
  );
}

/** All at once: what the restore is on record as, what holds the service, and that nothing is unfinished any more. */
async function finish(client: pg.Client, manifest: Manifest, verification: Verification): Promise<string> {
  const db = queryable(client);
  const { id: backupId, at, chain, version } = manifest;
  const id = randomUUID();
  await client.query('BEGIN');
  const [row] = await db.query<{ now: string }>(`SELECT ${NOW} AS now`);
  const now = Number(row?.now);
  await db.query(
    `UPDATE restoration SET released_at = $1, released_by = 'system:restore' WHERE released_at IS NULL`,
    [now],
  );
  await db.query(
    `INSERT INTO restoration (id, backup_id, backup_at, restored_at, fork_seq, fork_head) VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      id,
      backupId,
      Date.parse(at),
      now,
      chain.events,
      chain.head === null ? null : Buffer.from(chain.head, 'hex'),
    ],
  );
  // Numbers of transactions are the server's own: those of another one may never come here, or mean others.
  await db.query(`UPDATE audit_chain SET mark_xid = pg_current_xact_id(), mark_at = $1`, [now]);
  await db.query('UPDATE review_event SET xid = NULL WHERE xid IS NOT NULL');
  // It may have gone out in the former life: who can look does so before it is sent again.
  await db.query(`UPDATE outbox SET state = 'ambiguous' WHERE state IN ('pending', 'sending')`);
  // A session that was ended since the backup must not live again.
  await db.query('DELETE FROM app_session');
  const { isWhole, bad } = verification;
  await appendAudit(db, [
    {
      at: now,
      actor: 'system:restore',
      action: 'backup.restored',
      subject: `backup:${backupId}`,
      data: {
        restoration: id,
        backupAt: at,
        version,
        chain: chain.id,
        seq: chain.events,
        head: chain.head,
        isWhole,
        ...(bad === undefined ? {} : { bad }),
      },
    },
  ]);
  await db.query(`DROP TABLE public.${UNFINISHED_RESTORE}`);
  await client.query('COMMIT');
  return id;
}
