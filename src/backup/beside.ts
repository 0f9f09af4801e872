import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CREDENTIALS, MASTER_KEY, openHome } from '../embedded/home.js';
import { writePrivate } from '../embedded/private-file.js';
import { copyStore } from '../embedded/s3/copy-store.js';
import { syncDirectory } from '../embedded/s3/sync-directory.js';
import { ConfigError } from '../errors.js';
import type { BackupFile, Manifest } from './manifest.js';
import { readFileOf } from './open-backup.js';
import type { BackupPlace } from './place.js';
import { sha256Of } from './write-tables.js';

/** What is in `place` of the embedded S3 endpoint's folder; a piece of a file says in its name which one it is. */
export async function writeObjects(home: string, place: BackupPlace): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  for await (const { file, bytes } of copyStore(join(home, 's3')))
    files.push(await write(place, `objects/${file}.${String(files.length + 1).padStart(8, '0')}`, bytes));
  return files;
}

/** The key that everything sealed opens with, and what the first start made up. */
export async function writeSecrets(
  home: string,
  masterKey: Buffer,
  place: BackupPlace,
): Promise<BackupFile[]> {
  const key = Buffer.from(`${masterKey.toString('base64')}\n`);
  const files = [await write(place, `secrets/${MASTER_KEY}`, key)];
  const credentials = join(home, CREDENTIALS);
  if (existsSync(credentials))
    files.push(await write(place, `secrets/${CREDENTIALS}`, readFileSync(credentials)));
  return files;
}

async function write(place: BackupPlace, name: string, bytes: Buffer): Promise<BackupFile> {
  await place.write(name, bytes);
  return { name, bytes: bytes.length, sha256: sha256Of(bytes) };
}

/** SALLYPORT_KEY as the backup holds it; `undefined` where it does not. */
export async function keyIn(place: BackupPlace, { secrets }: Manifest): Promise<Buffer | undefined> {
  const file = secrets?.find(({ name }) => name === `secrets/${MASTER_KEY}`);
  if (file === undefined) return undefined;
  return Buffer.from((await readFileOf(place, file)).toString('utf8').trim(), 'base64');
}

/** In the folder of the objects, until the database that they belong to is whole. */
const UNFINISHED = 'restoring';

/** @throws ConfigError where objects are that a restore would cover, and that none that was cut short put there. */
export function refuseObjects(home: string, { objects }: Manifest, discardsExisting: boolean): void {
  const folder = join(home, 's3');
  if (objects === null || discardsExisting || !existsSync(join(folder, 'journal'))) return;
  if (existsSync(join(folder, UNFINISHED))) return;
  throw new ConfigError(
    `${folder} holds objects. Restore into another SALLYPORT_HOME, or say --discard-existing: they are then kept aside, in a folder beside it.`,
  );
}

/** Lays the backup's objects beside those that are there. @returns what puts them in place. */
export async function stageObjects(
  home: string,
  place: BackupPlace,
  { id, objects }: Manifest,
): Promise<() => Promise<void>> {
  const folder = join(home, 's3');
  const staged = `${folder}.restoring`;
  rmSync(staged, { recursive: true, force: true });
  if (objects === null) return () => Promise.resolve();
  openHome(home);
  mkdirSync(join(staged, 'blobs'), { recursive: true, mode: 0o700 });
  for (const file of objects) await append(staged, await readFileOf(place, file), file.name);
  await syncDirectory(join(staged, 'blobs'));
  writePrivate(join(staged, UNFINISHED), `${id}\n`);
  await syncDirectory(staged);
  return async () => {
    const isUsed = existsSync(folder) && readdirSync(folder).length > 0;
    if (isUsed)
      renameSync(folder, `${folder}.before-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`);
    else rmSync(folder, { recursive: true, force: true });
    renameSync(staged, folder);
    await syncDirectory(home);
  };
}

/** The database is whole: from now on they are objects like any others. */
export const finishObjects = (home: string): void => rmSync(join(home, 's3', UNFINISHED), { force: true });

async function append(folder: string, bytes: Buffer, name: string): Promise<void> {
  const path = join(folder, name.replace(/^objects\//, '').replace(/\.\d{8}$/, ''));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts the secrets of a backup into a home that has none. What is there stays. */
export async function keepSecrets(home: string, place: BackupPlace, { secrets }: Manifest): Promise<void> {
  if (secrets === null) return;
  openHome(home);
  for (const file of secrets) {
    const path = join(home, file.name.replace(/^secrets\//, ''));
    if (!existsSync(path)) writePrivate(path, (await readFileOf(place, file)).toString('utf8'));
  }
}
