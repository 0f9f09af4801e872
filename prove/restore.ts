import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ListObjectVersionsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startS3Endpoint } from '../src/embedded/s3/endpoint.js';
import type { S3EventMessage } from '../src/embedded/s3/event-message.js';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { startSmtp } from '../test/support/smtp.js';
import { uploadNumber, type Upload } from '../test/support/uploads.js';
import { readOptions, report, SIZE_AND_SEED } from './proof.js';

/*
 * A backup in the middle of a storm of uploads, restored into a fresh database after the service had gone on and was lost.
 * Held, it does nothing to any object and sends no mail; let go on, it loses nothing, doubles nothing, and its record is
 * whole. The first try at each is killed in the middle.
 */

const SIZES = { small: 60, full: 2_000 } as const;
const CLIENTS = 8;
// Of the kinds that the tests upload.
const [CLEAN, INFECTED, SECRETS] = [0, 3, 7] as const;
const SETTLE_MS = 30 * 60_000;
const KEYS = { accessKeyId: 'RESTOREKEYID', secretAccessKey: 'a-secret-of-the-restore' };
const AT_COPY = new URL('./restore/killed-at-copy.mjs', import.meta.url).href;
const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const count = SIZES[options.size];
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-restore-'));
  chmodSync(folder, 0o711);
  const began = performance.now();
  const problems: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || problems.push(what));
  /** Keys whose events the service of the moment answered with 200. */
  const accepted = new Set<string>();
  let service: ServiceProcess | undefined;
  const endpoint = await startS3Endpoint({
    directory: join(folder, 's3'),
    port: 0,
    ...KEYS,
    eventBuckets: ['vault'],
    onEvent: (message) => tell(service, message, accepted),
  });
  await endpoint.createBucket('vault', { versioning: true });
  await endpoint.createBucket('held', { versioning: true });
  const smtp = await startSmtp();
  const environment = {
    S3_ENDPOINT: endpoint.url,
    S3_FORCE_PATH_STYLE: 'true',
    S3_BUCKETS: 'vault',
    ACTION_MODE: 'quarantine',
    QUARANTINE_BUCKET: 'held',
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    SMTP_URL: smtp.url,
    REVIEW_TO: 'reviewers@example.com',
    LOG_LEVEL: 'error',
  };
  const s3 = new S3Client({
    endpoint: endpoint.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: KEYS,
  });
  const former = await ServiceProcess.on(join(folder, 'former'), environment);
  const restored = await ServiceProcess.on(join(folder, 'restored'), environment);
  const place = join(folder, 'backup');
  const run = (home: string, words: readonly string[], killed: Killed = {}) =>
    command(words, { ...environment, SALLYPORT_HOME: home }, killed);
  const figures: Record<string, unknown> = { uploads: count };
  try {
    await former.start();
    service = former;
    const uploads = Array.from({ length: count }, (_, n) => upload(n));
    // The last tenth comes when the backup is made: it cannot know of these.
    const later = uploads.slice(Math.floor(count * 0.9));
    const uploading = putAll(s3, uploads.slice(0, -later.length));
    await eventually(() => accepted.size >= count / 2, { timeoutMs: SETTLE_MS, what: 'half of the uploads' });
    const before = new Set(accepted);
    const cut = await run(former.home, ['backup', `${place}-half`], {
      when: () => existsSync(join(`${place}-half`, 'tables')),
    });
    must(cut.code === null, `the first backup was not killed: ${cut.text}`);
    const backupBegan = performance.now();
    const made = await run(former.home, ['backup', place, '--with-secrets', '--json']);
    figures['backupSeconds'] = seconds(backupBegan);
    must(made.code === 0, `the backup failed: ${made.text}`);
    const { bytes, rows } = JSON.parse(made.out) as { bytes: number; rows: number };
    Object.assign(figures, { acceptedBeforeBackup: before.size, bytes, rows });
    await uploading;
    await putAll(s3, later);
    await eventually(() => accepted.size === count, { timeoutMs: SETTLE_MS, what: 'all uploads' });
    await settled(former);
    await quiet(s3);
    await former.stop();
    service = undefined;

    const mailsBefore = smtp.mails.length;
    const objectsBefore = await objectsIn(s3);
    const half = await run(restored.home, ['restore', `${place}-half`]);
    must(half.text.includes('is no complete backup'), `half a backup was not refused: ${half.text}`);
    const killed = await run(restored.home, ['restore', place], { preload: AT_COPY });
    must(killed.code === null, `the first try was not killed: ${killed.text}`);
    const refused = await restored.start().then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    must(refused.includes('was cut short'), `a start on half a restore was not refused: ${refused}`);
    const restoreBegan = performance.now();
    const done = await run(restored.home, ['restore', place]);
    figures['restoreSeconds'] = seconds(restoreBegan);
    must(done.code === 0, `the restore failed: ${done.text}`);

    await restored.start();
    service = restored;
    const late = [upload(count), upload(count + 3)];
    await putAll(s3, late);
    await eventually(() => late.every(({ key }) => accepted.has(key)), { what: 'uploads while it is held' });
    const compared = await run(restored.home, ['restore', 'reconcile', '--json']);
    must(compared.code === 0, `the comparison failed: ${compared.text}`);
    await settled(restored);
    await delay(3_000);
    const health = await restored.api<{ healthResults: { details: { name: string; state?: string } }[] }>(
      '/health',
    );
    must(
      health.healthResults.some(({ details }) => details.name === 'restore' && details.state === 'held'),
      '/health does not say that it is held',
    );
    const added = new Set(late.map(({ key }) => `vault ${key}`));
    const objectsHeld = (await objectsIn(s3)).filter((one) => !added.has(one.slice(0, one.lastIndexOf(' '))));
    must(objectsHeld.join('\n') === objectsBefore.join('\n'), 'an object was touched while it was held');
    must(
      smtp.mails.length === mailsBefore,
      `${smtp.mails.length - mailsBefore} mails left while it was held`,
    );

    const released = await run(restored.home, ['restore', 'release', '--reason', 'compared']);
    must(released.code === 0, `it could not be let go on: ${released.text}`);
    const all = [...uploads, ...late];
    await eventually(async () => (await check(restored, s3, all, before)).length === 0, {
      timeoutMs: options.size === 'small' ? 90_000 : SETTLE_MS,
      what: 'everything is moved once',
    }).catch(() => undefined);
    problems.push(...(await check(restored, s3, all, before)));
    const { restoration } = JSON.parse((await run(restored.home, ['restore', 'status', '--json'])).out) as {
      restoration: { reconciliation: { left: { count: number }; buckets: { missing: number }[] } };
    };
    figures['leftCopies'] = restoration.reconciliation.left.count;
    const missing = restoration.reconciliation.buckets[0]?.missing ?? 0;
    figures['missing'] = missing;
    const unmoved = later.filter(({ verdict }) => verdict === 'incomplete').length;
    must(missing >= unmoved, `${missing} uploads were found that the ledger does not know, of ${unmoved}`);
    const verified = await restored.api<{ isWhole: boolean; events: number; forks: unknown[] }>(
      '/api/v1/audit/verify',
      { method: 'POST', body: { known: [] } },
    );
    must(verified.isWhole && verified.forks.length === 1, `the record: ${JSON.stringify(verified)}`);
    figures['auditEvents'] = verified.events;
    const ids = smtp.mails.map(({ messageId }) => messageId);
    figures['mails'] = ids.length;
    figures['mailsSentTwice'] = ids.length - new Set(ids).size;
    const passed = problems.length === 0;
    report(
      'restore',
      options,
      (performance.now() - began) / 1000,
      { ...figures, problems: problems.slice(0, 20) },
      passed,
    );
    if (!passed) process.stderr.write(`${restored.printed.slice(-4000)}\n`);
    return passed;
  } finally {
    await former.stop();
    await restored.stop();
    s3.destroy();
    await endpoint.close();
    await smtp.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Clean text mostly, every fourth something that is moved, under a name that is the same in quarantine. */
function upload(index: number): Upload {
  const kind = index % 4 === 3 ? (index % 8 === 3 ? INFECTED : SECRETS) : CLEAN;
  return { ...uploadNumber(kind), key: `load/${index}` };
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10;

/** What is not taken with 200 is told again by the endpoint. */
async function tell(
  service: ServiceProcess | undefined,
  message: S3EventMessage,
  accepted: Set<string>,
): Promise<void> {
  if (service === undefined) throw new Error('no service runs');
  const answer = await fetch(`${service.url}/events/s3`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${service.credentials.eventsToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(message),
  });
  if (answer.status !== 200) throw new Error(`answered with ${answer.status}`);
  for (const { s3 } of message.Records) accepted.add(decodeURIComponent(s3.object.key.replaceAll('+', ' ')));
}

async function putAll(s3: S3Client, uploads: readonly Upload[]): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    for (let one = uploads[next++]; one !== undefined; one = uploads[next++])
      await s3.send(new PutObjectCommand({ Bucket: 'vault', Key: one.key, Body: one.body }));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** `bucket key version` of everything in both buckets, in order. */
async function objectsIn(s3: S3Client): Promise<string[]> {
  const found: string[] = [];
  for (const Bucket of ['vault', 'held']) {
    let place: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (let more = true; more;) {
      const page = await s3.send(new ListObjectVersionsCommand({ Bucket, ...place }));
      for (const { Key, VersionId } of page.Versions ?? []) found.push(`${Bucket} ${Key} ${VersionId}`);
      more = page.IsTruncated === true;
      place = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }
  return found;
}

/** Until nothing is pending. */
const settled = (service: ServiceProcess): Promise<unknown> =>
  eventually(
    async () => {
      await delay(200);
      const { counts } = await service.api<{ counts: Record<string, number> }>('/api/v1/objects/summary');
      return (counts['pending'] ?? 0) === 0;
    },
    { timeoutMs: SETTLE_MS, what: 'every upload has its verdict' },
  );

/** Until nothing moves in S3 any more. */
async function quiet(s3: S3Client): Promise<void> {
  let before = '';
  for (let now = (await objectsIn(s3)).join('\n'); now !== before; now = (await objectsIn(s3)).join('\n')) {
    before = now;
    await delay(3_000);
  }
}

interface Row {
  readonly key: string;
  readonly verdict: string;
}

/** Whatever is lost, doubled or told wrongly; empty when all is well. */
async function check(
  service: ServiceProcess,
  s3: S3Client,
  uploads: readonly Upload[],
  before: ReadonlySet<string>,
): Promise<string[]> {
  const rows = grouped(await service.all<Row>('/api/v1/objects'));
  const versions = new Map<string, string[]>();
  for (const one of await objectsIn(s3)) {
    const [bucket = '', ...rest] = one.slice(0, one.lastIndexOf(' ')).split(' ');
    const key = rest.join(' ').replace(/^[\w-]+\/vault\//, '');
    versions.set(key, [...(versions.get(key) ?? []), bucket]);
  }
  return uploads.flatMap(({ key, verdict }) => {
    const mine = rows.get(key) ?? [];
    const places = versions.get(key) ?? [];
    const wants = verdict === 'incomplete' ? 'vault' : 'held';
    // What a former life moved behind the backup is gone for the ledger, and stands in quarantine.
    const isLeft = places[0] === 'held' && (mine.length === 0 || mine[0]?.verdict === 'gone');
    return [
      ...(places.length === 1 && places[0] === wants
        ? []
        : [`${key}: stands in ${places.join(', ') || 'nothing'}`]),
      ...(mine.length === 1 || (isLeft && !before.has(key)) ? [] : [`${key}: ${mine.length} rows`]),
      ...(isLeft || mine[0]?.verdict === verdict
        ? []
        : [`${key}: ${mine[0]?.verdict} instead of ${verdict}`]),
    ];
  });
}

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.key, [...(groups.get(row.key) ?? []), row]);
  return groups;
}

/** How a command is killed with SIGKILL: from here as soon as it is so far, or by a module that it loads first. */
interface Killed {
  readonly when?: () => boolean;
  readonly preload?: string;
}

/** Runs a command of ours. `code` is null when it was killed. */
function command(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  { when, preload }: Killed,
): Promise<{ code: number | null; out: string; text: string }> {
  return new Promise((resolve, reject) => {
    const flags = preload === undefined ? [] : ['--import', preload];
    const child = spawn(process.execPath, [...flags, CLI, ...words], {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const watching = setInterval(() => when?.() === true && child.kill('SIGKILL'), 5);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(watching);
      resolve({ code, out, text: `${said}${out}`.slice(-2000) });
    });
  });
}
