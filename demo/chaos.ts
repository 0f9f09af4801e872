import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { killAtRandom, uploadAll, type Acknowledged } from '../prove/kill-uploads/chaos.js';
import { randomFrom } from '../prove/proof.js';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { servePage } from './chaos/page.js';
import { progressLines } from './chaos/progress-lines.js';
import { addUp } from './chaos/tally.js';

const CLIENTS = 6;
const SETTLE_MS = 120_000;
const LOOK_MS = 500;
const ANSWER_MS = 3_000;
// Long enough for a browser to show the end.
const LINGER_MS = 3_000;

/**
 * Uploads files while the service and its PostgreSQL are killed at random, and then compares what the uploader was told,
 * what S3 lists and what the ledger says.
 *
 * @returns whether every upload has exactly one verdict, the right one.
 */
export async function demo(args: readonly string[]): Promise<boolean> {
  const { files, kills, seed } = readOptions(args);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-chaos-'));
  chmodSync(folder, 0o711);
  // Tagged where they are, so that S3's own listing can be compared.
  const service = await ServiceProcess.on(join(folder, 'home'), { ACTION_MODE: 'tag' });
  const acknowledged: Acknowledged[] = [];
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  const shown = { verdicts: 0, serviceKills: 0, databaseKills: 0, isUp: false, outcome: '' };
  let holds: boolean | undefined;
  const page = await servePage(() => ({
    ...shown,
    files,
    uploaded: acknowledged.length,
    holds,
    seconds: seconds(),
  }));
  const looking = new AbortController();
  try {
    say(`${files} files, ${kills} kills, seed ${seed}. Watch it at ${page.url}`);
    say('       the service starts, with a PostgreSQL and an S3 of its own');
    await service.start();
    shown.isUp = true;
    const lineFor = progressLines();
    const watching = watch(service, looking.signal, (verdicts, isUp) => {
      shown.isUp = isUp;
      if (verdicts !== undefined) shown.verdicts = verdicts;
      const { verdicts: spoken } = shown;
      const line = lineFor({ uploaded: acknowledged.length, verdicts: spoken, isUp, seconds: seconds() });
      if (line !== undefined) say(line);
    });
    let isUploading = true;
    const uploading = uploadAll(service, { count: files, clients: CLIENTS }, acknowledged).finally(
      () => (isUploading = false),
    );
    await killAtRandom(service, {
      kills,
      uploads: files,
      random: randomFrom(seed),
      progress: () => (isUploading ? acknowledged.length : Infinity),
      onKill: (database) => {
        shown.isUp = false;
        shown.serviceKills += 1;
        shown.databaseKills += database ? 1 : 0;
        say(`       kill -9: ${database ? 'the service and PostgreSQL' : 'the service'}`);
      },
    });
    await uploading;
    await everythingJudged(service, files);
    looking.abort();
    await watching;
    const tally = await addUp(service, acknowledged);
    const { uploaded, verdicts, lost, twice, wrong } = tally;
    shown.verdicts = verdicts;
    holds = uploaded === files && verdicts === files && lost === 0 && twice === 0 && wrong.length === 0;
    const equals = uploaded === verdicts ? '=' : '≠';
    shown.outcome = `${uploaded} uploaded ${equals} ${verdicts} verdicts, ${lost} lost, ${twice} twice`;
    for (const problem of wrong.slice(0, 20)) say(`WRONG: ${problem}`);
    say(
      `killed ${shown.serviceKills} times, PostgreSQL ${shown.databaseKills} times with it; ${seconds()} s`,
    );
    say(shown.outcome);
    if (!holds) process.stderr.write(`${service.printed.slice(-4000)}\n`);
    await delay(LINGER_MS);
    return holds;
  } finally {
    looking.abort();
    await page.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(args: readonly string[]): { files: number; kills: number; seed: number } {
  const { values } = parseArgs({
    args: [...args],
    options: { files: { type: 'string' }, kills: { type: 'string' }, seed: { type: 'string' } },
  });
  const value = (name: 'files' | 'kills' | 'seed', fallback: number): number => {
    const given = values[name] === undefined ? fallback : Number(values[name]);
    if (!Number.isSafeInteger(given) || given < 1)
      throw new Error(`--${name}: must be a whole number from 1`);
    return given;
  };
  return {
    files: value('files', 500),
    kills: value('kills', 8),
    seed: value('seed', 1 + Math.floor(Math.random() * 1e9)),
  };
}

/** Tells how far the service has come, by its own account, until the signal aborts. */
async function watch(
  service: ServiceProcess,
  signal: AbortSignal,
  tell: (verdicts: number | undefined, isUp: boolean) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const answer = await Promise.race([summary(service), delay(ANSWER_MS)]);
      // An answer that does not come is none: its database was killed, most likely.
      if (answer === undefined) tell(undefined, false);
      else tell(answer.total - (answer.counts['pending'] ?? 0), true);
    } catch {
      // Killed, or not up yet: that is what is shown.
      tell(undefined, false);
    }
    await delay(LOOK_MS);
  }
}

const summary = (service: ServiceProcess) =>
  service.api<{ total: number; counts: Record<string, number> }>('/api/v1/objects/summary?bucket=uploads');

/** Until nothing is pending, or the time is over: what is missing then is what the tally shows. */
async function everythingJudged(service: ServiceProcess, files: number): Promise<void> {
  await eventually(
    async () => {
      const { total, counts } = await summary(service);
      return total >= files && (counts['pending'] ?? 0) === 0;
    },
    { timeoutMs: SETTLE_MS, what: 'every upload has its verdict' },
  ).catch(() => undefined);
  await everythingActedOn(service);
}

/** What is done about an object follows its verdict: waits until that is told of every one. */
async function everythingActedOn(service: ServiceProcess): Promise<void> {
  await eventually(
    async () => {
      const rows = await service.all<{ action: string | null }>('/api/v1/objects?bucket=uploads');
      return rows.every(({ action }) => action !== null);
    },
    { timeoutMs: 30_000, what: 'the last tag' },
  ).catch(() => undefined);
}
