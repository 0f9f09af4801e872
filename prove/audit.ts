import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyring } from '../src/access/keyring.js';
import { Database } from '../src/database/database.js';
import { FakeClock } from '../test/support/clock.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { Copy } from './audit/copy.js';
import { damageFile } from './audit/file.js';
import { makeRecord, type Made } from './audit/record.js';
import { damageRows } from './audit/rows.js';
import { watched } from './audit/watched.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';
import { CleanUp } from './scale/clean-up.js';
import { startCluster } from './scale/cluster.js';

/*
 * A large audit record, verified in the database and as an extract: how long that takes and how much memory; and that
 * whatever byte of it is changed, left out, moved or cut off, the verification names the first place that is bad.
 */

/** The small size runs beside other tests, so its time is held to the bar with much patience. */
const SIZES = {
  small: { events: 3_000, rows: 24, files: 12, patience: 20 },
  full: { events: 250_000, rows: 80, files: 40, patience: 1 },
} as const;

// Of verifying a thousand events, beside the second that starting takes; and what a process may take on for it.
const BAR = { millisecondsAThousand: 100, memoryMebibytes: 150 };

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const size = SIZES[options.size];
  process.stdout.write(`audit: ${size.events} events, seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'));
  chmodSync(folder, 0o711);
  const cleanUp = new CleanUp();
  cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));
  const began = performance.now();
  try {
    const { parked: scratch } = await startCluster(folder, cleanUp);
    const key = randomBytes(32);
    const settings = { DATABASE_URL: scratch.url, SALLYPORT_KEY: key.toString('base64') };
    const service = await ServiceProcess.on(join(folder, 'home'), settings);
    cleanUp.add(() => service.stop());
    // Makes the tables, and is not wanted any more: the record is verified without it.
    await service.start();
    await service.stop();
    const db = new Database(scratch.url);
    cleanUp.add(() => db.close());
    const clock = new FakeClock(Date.now());
    const keyring = await Keyring.open(db, key, clock);
    const made = await makeRecord({ db, scratch, clock, keyring, events: size.events });
    const copy = await Copy.of(scratch.adminUrl, made);
    cleanUp.add(() => copy.close());

    const inDatabase = await watched(() => copy.verify());
    const file = await copy.extract(folder);
    const inFile = await file.verify();
    const random = randomFrom(options.seed);
    const rows = await damageRows(copy, made, size.rows, random);
    const files = await damageFile(file, size.files, random);
    const figures = {
      ...figuresOf(made),
      verify: { seconds: rounded(inDatabase.seconds), memoryMebibytes: Math.round(inDatabase.mebibytes) },
      extract: { mebibytes: Math.round(file.bytes / 2 ** 20), seconds: rounded(file.seconds) },
      verifyExtract: { seconds: rounded(inFile.seconds), memoryMebibytes: Math.round(inFile.mebibytes) },
      rows,
      files,
      barSeconds: barOf(size.events, size.patience),
    };
    const passed =
      inDatabase.result.isWhole &&
      inDatabase.result.events === made.events &&
      inFile.isWhole &&
      [...rows.missed, ...files.missed].length === 0 &&
      [inDatabase, inFile].every(
        (one) => one.seconds <= barOf(size.events, size.patience) && one.mebibytes <= BAR.memoryMebibytes,
      );
    report('audit', options, (performance.now() - began) / 1000, figures, passed);
    return passed;
  } finally {
    await cleanUp.run();
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
const barOf = (events: number, patience: number): number =>
  (1 + (events / 1_000_000) * BAR.millisecondsAThousand) * patience;
const figuresOf = ({ events, checkpoints, personal, erased }: Made) => ({
  events,
  checkpoints,
  personal,
  erased,
});
