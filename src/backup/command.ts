import { join } from 'node:path';
import { readConfig, type Config } from '../config.js';
import { findMasterKey } from '../embedded/home.js';
import { startEmbeddedPostgres } from '../embedded/postgres/start-embedded-postgres.js';
import { visitEmbeddedPostgres } from '../embedded/postgres/visit-postgres.js';
import { AppError, ConfigError } from '../errors.js';
import {
  finishObjects,
  keepSecrets,
  keyIn,
  refuseObjects,
  stageObjects,
  writeObjects,
  writeSecrets,
} from './beside.js';
import { FolderPlace } from './folder-place.js';
import { bytesOf, makeBackup } from './make-backup.js';
import type { Manifest } from './manifest.js';
import { checkFiles, checkSignature, findManifest } from './open-backup.js';
import type { BackupPlace } from './place.js';
import { refuseNewer, restoreBackup } from './restore-backup.js';
import { S3Place } from './s3-place.js';

/*
 * What `sallyport backup` and `sallyport restore` do. They work on the database itself, because a restore comes when no
 * service runs; the command line loads this when it is asked for them, and stays a client of the API otherwise.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Told how far the work is: of what, how much of it, and of how much. */
export type Telling = (what: 'tables' | 'files', done: number, all: number) => void;

export interface BackupAnswer {
  readonly place: string;
  readonly id: string;
  readonly at: string;
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
  readonly chain: Manifest['chain'];
  readonly hasObjects: boolean;
  readonly hasSecrets: boolean;
  /** Where SALLYPORT_KEY is, without which what is sealed cannot be read. */
  readonly key: string;
}

export interface RestoreAnswer {
  readonly place: string;
  readonly id: string;
  readonly backupAt: string;
  readonly rows: number;
  readonly isWhole: boolean;
  readonly forkedAfter: number;
  readonly head: string | null;
  readonly hasObjects: boolean;
}

export async function backup(
  placeName: string,
  { withSecrets = false }: { readonly withSecrets?: boolean },
  environment: Environment,
  tell: Telling,
): Promise<BackupAnswer> {
  const config = readConfig(environment);
  const place = placeOf(placeName, config);
  const visit = await visitDatabase(config);
  try {
    const masterKey = keyOf(config);
    if (masterKey === undefined) throw noKey(config);
    const manifest = await makeBackup({
      url: visit.url,
      masterKey,
      place,
      // After the snapshot: an object may be newer than what the ledger says, as in any bucket, and never missing from it.
      beside: async () => ({
        objects: config.embeddedS3 ? await writeObjects(config.SALLYPORT_HOME, place) : null,
        secrets: withSecrets ? await writeSecrets(config.SALLYPORT_HOME, masterKey, place) : null,
      }),
      onTable: (done, all) => tell('tables', done, all),
    });
    return {
      place: placeName,
      ...aboutOf(manifest),
      id: manifest.id,
      at: manifest.at,
      tables: manifest.tables.length,
      bytes: bytesOf(manifest),
      chain: manifest.chain,
      hasSecrets: withSecrets,
      key:
        config.SALLYPORT_KEY === undefined ? join(config.SALLYPORT_HOME, 'sallyport.key') : 'SALLYPORT_KEY',
    };
  } finally {
    await visit.close();
    place.close();
  }
}

export async function restore(
  placeName: string,
  options: { readonly discardExisting?: boolean; readonly takeBrokenChain?: boolean },
  environment: Environment,
  tell: Telling,
): Promise<RestoreAnswer> {
  const config = readConfig(environment);
  const place = placeOf(placeName, config);
  try {
    const manifest = await findManifest(place);
    await refuseNewer(manifest, place);
    const masterKey = keyOf(config) ?? (await keyIn(place, manifest));
    if (masterKey === undefined) throw noKey(config);
    checkSignature(manifest, masterKey, place);
    await checkFiles(place, manifest, (done, all) => tell('files', done, all));
    const home = config.SALLYPORT_HOME;
    // Where the endpoint is not embedded here, nobody would serve them.
    const beside = { ...manifest, objects: config.embeddedS3 ? manifest.objects : null };
    refuseObjects(home, beside, options.discardExisting === true);
    const database = await openDatabase(config);
    try {
      const { id, verification } = await restoreBackup({
        ...database,
        masterKey,
        place,
        manifest,
        discardsExisting: options.discardExisting === true,
        takesBrokenChain: options.takeBrokenChain === true,
        beside: async () => {
          // Not before the database is this backup's: a home whose restore is refused must not get a key of another.
          if (config.SALLYPORT_KEY === undefined) await keepSecrets(home, place, manifest);
          const putInPlace = await stageObjects(home, place, beside);
          await putInPlace();
        },
        onTable: (done, all) => tell('tables', done, all),
      });
      finishObjects(home);
      return {
        place: placeName,
        ...aboutOf(beside),
        id,
        backupAt: manifest.at,
        isWhole: verification.isWhole,
        forkedAfter: manifest.chain.events,
        head: manifest.chain.head,
      };
    } finally {
      await database.close();
    }
  } finally {
    place.close();
  }
}

/** What is told to whoever called, of an error that they can mend; `undefined` for a fault of ours. */
export const sentenceOf = (error: unknown): string | undefined =>
  error instanceof AppError ? error.message : undefined;

const placeOf = (name: string, config: Config): BackupPlace =>
  /^s3:\/\//i.test(name) ? new S3Place(name, config) : new FolderPlace(name);

const keyOf = (config: Config): Buffer | undefined =>
  config.SALLYPORT_KEY === undefined
    ? findMasterKey(config.SALLYPORT_HOME)
    : Buffer.from(config.SALLYPORT_KEY, 'base64');

const noKey = ({ SALLYPORT_HOME: home }: Config): ConfigError =>
  new ConfigError(
    `SALLYPORT_KEY: ${home} holds no sallyport.key. Set SALLYPORT_KEY to what stands in the sallyport.key of the service that the backup is of, or put that file there.`,
  );

const aboutOf = ({ tables, objects }: Manifest) => ({
  rows: tables.reduce((sum, { rows }) => sum + rows, 0),
  hasObjects: objects !== null && objects.length > 0,
});

async function visitDatabase(config: Config): Promise<{ url: string; close: () => Promise<void> }> {
  if (config.DATABASE_URL !== undefined) return { url: config.DATABASE_URL, close: () => Promise.resolve() };
  const visit = await visitEmbeddedPostgres(join(config.SALLYPORT_HOME, 'postgres'));
  if (visit !== undefined) return visit;
  throw new ConfigError(
    `${config.SALLYPORT_HOME} holds no database. Call this where the service's .sallyport is, set SALLYPORT_HOME to it, or DATABASE_URL.`,
  );
}

async function openDatabase(
  config: Config,
): Promise<{ url: string; adminUrl: string; close: () => Promise<void> }> {
  if (config.DATABASE_URL !== undefined)
    return {
      url: config.DATABASE_URL,
      adminUrl: config.DATABASE_ADMIN_URL ?? config.DATABASE_URL,
      close: () => Promise.resolve(),
    };
  const server = await startEmbeddedPostgres({ directory: join(config.SALLYPORT_HOME, 'postgres') });
  return { url: server.url, adminUrl: server.url, close: () => server.stop() };
}
