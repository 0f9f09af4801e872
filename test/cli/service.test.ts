import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { fakeClamd, type FakeClamd } from '../tasks/scan/malware/fake-clamd.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
// Everything that a URL parser, a shell or a terminal would make something else of.
const HOSTILE = '/../a?b=c#d%2e+ e\u202Egnp.\u001b[2Jé😀';

interface Said {
  readonly code: number;
  readonly lines: readonly string[];
  readonly notes: readonly string[];
}

/** As a well configured clamd: one that calls its self-test's archives OK is not believed. */
function answerTo(bytes: Buffer): string {
  if (bytes.includes('level.zip')) return 'Heuristics.Limits.Exceeded.MaxRecursion FOUND';
  if (bytes.includes('locked.txt')) return 'Heuristics.Encrypted.Zip FOUND';
  return bytes.includes(eicar()) ? 'Eicar FOUND' : 'OK';
}

describe('the command line against a whole service', () => {
  let folder: string;
  let clamd: FakeClamd;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
    chmodSync(folder, 0o755);
    const today = new Date().toUTCString().replace(/^(...), (..) (...) (....) (.*) GMT$/, '$1 $3 $2 $5 $4');
    clamd = await fakeClamd(
      ({ socket, ended, start }) => {
        if (ended) socket.end(`stream: ${answerTo(start)}\0`);
      },
      { version: `ClamAV 1.4.6/27990/${today}` },
    );
    service = await ServiceProcess.on(join(folder, 'home'), {
      CLAMD_HOST: clamd.at.host,
      CLAMD_PORT: String(clamd.at.port),
      ACTION_MODE: 'tag',
      AUDIT_BUCKET: 'quarantine',
    });
    await service.start();
    await eventually(
      async () => {
        const { checks } = await json<{ checks: { name: string; degraded?: boolean; detail: string }[] }>(
          'status',
        );
        return checks.some(({ name, degraded }) => name === 'malware' && degraded !== true);
      },
      { timeoutMs: 20_000, what: 'clamd is believed' },
    );
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await clamd.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const environment = (): Record<string, string> => ({
    SALLYPORT_URL: service.url,
    SALLYPORT_HOME: service.home,
  });
  async function say(...args: string[]): Promise<Said> {
    const lines: string[] = [];
    const notes: string[] = [];
    const code = await run(args, environment(), {
      out: (line) => void lines.push(line),
      note: (line) => void notes.push(line),
      style: { colour: false },
    });
    return { code, lines, notes };
  }
  async function json<T>(...args: string[]): Promise<T> {
    const { lines } = await say(...args, '--json');
    return JSON.parse(lines.join('\n')) as T;
  }
  const upload = (key: string, body: string | Buffer): Promise<unknown> =>
    service.s3().send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
  /** The review of what was uploaded. */
  const reviewOf = (key: string): Promise<string> =>
    eventually(
      async () => {
        const path = `/api/v1/objects?bucket=uploads&key=${encodeURIComponent(key)}`;
        const { items } = await service.api<{ items: { openReviewId: string | null }[] }>(path);
        return items[0]?.openReviewId ?? undefined;
      },
      { timeoutMs: 30_000, what: `the review of ${key}` },
    );

  test('scan --wait ends with 0 when everything is clean and with 1 otherwise', async () => {
    await upload('clean.txt', 'nothing to see');
    await upload('eicar.com', eicar());
    const clean = await say('scan', 's3://uploads/clean.txt', '--wait');
    expect(clean).toMatchObject({
      code: 0,
      lines: [expect.stringMatching(/^s3:\/\/uploads\/clean.txt {2}clean/)],
    });
    const both = await say('scan', 's3://uploads/clean.txt', 's3://uploads/eicar.com', '--wait');
    expect(both.code).toBe(1);
    expect(both.lines.map((line) => line.split(/ {2}/)[1])).toEqual(['clean', 'infected']);
  }, 60_000);

  test('scan takes a hostile key as it is and shows what it holds', async () => {
    await upload(HOSTILE, 'nothing to see');
    const url = `s3://uploads/${HOSTILE}`;
    const { scans } = await json<{ scans: { url: string; verdict: string; objectId: string }[] }>(
      'scan',
      url,
      '--wait',
    );
    // A name that reads as another one is not harmless.
    expect(scans).toMatchObject([{ url, verdict: 'suspicious' }]);
    const shown = await say('objects', 'show', url);
    expect(shown.lines.join('\n')).toContain('\\u{202e}gnp.\\u{1b}[2Jé😀');
    const list = await say('objects', 'list', '--key', HOSTILE);
    // oxlint-disable-next-line no-control-regex
    expect([...shown.lines, ...list.lines].join('')).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(await json('objects', 'show', scans[0]?.objectId ?? '')).toMatchObject({ key: HOSTILE });
  }, 60_000);

  test('scan of what is not there says so, and scans the others all the same', async () => {
    await upload('there.txt', 'nothing to see');
    const lines: string[] = [];
    const output = {
      out: (line: string) => void lines.push(line),
      note: () => undefined,
      style: { colour: false },
    };
    const failed = run(['scan', 's3://uploads/gone.txt', 's3://uploads/there.txt'], environment(), output);
    await expect(failed).rejects.toThrow('1 of 2 objects are not scanned');
    expect(lines[0]).toMatch(/^s3:\/\/uploads\/gone.txt {2}refused: There is no such object in uploads/);
    expect(lines[1]).toMatch(/^s3:\/\/uploads\/there.txt {2}asked for: scan /);
    await expect(say('scan', 's3://nowhere/x')).rejects.toThrow(
      /nowhere is not a registered bucket.*: sallyport bucket add nowhere --endpoint ID/,
    );
    await expect(say('scan', 's3://uploads')).rejects.toThrow('names a bucket and no object');
    await expect(say('scan', 's3://uploads/a', 's3://uploads/b', '--version-id', '1')).rejects.toThrow(
      'name one',
    );
  }, 60_000);

  test('objects list filters by verdict and goes on at its cursor', async () => {
    await upload('listed/eicar.com', eicar());
    await reviewOf('listed/eicar.com');
    const infected = await say('objects', 'list', '--verdict', 'infected', '--prefix', 'listed/');
    expect(infected.lines[0]?.split(/ {2,}/)).toEqual([
      'ID',
      'VERDICT',
      'REASON',
      'FINDINGS',
      'SEEN',
      'OBJECT',
    ]);
    expect(infected.lines[1]).toMatch(/infected  malware_found +2 certain  /);
    expect(infected.lines[1]).toContain('s3://uploads/listed/eicar.com');
    expect(infected.lines).toHaveLength(2);
    const first = await say('objects', 'list', '--limit', '1');
    const cursor = /--cursor (\S+)$/.exec(first.notes[0] ?? '')?.[1] ?? '';
    const second = await say('objects', 'list', '--limit', '1', '--cursor', cursor);
    expect(second.lines[1]).not.toBe(first.lines[1]);
    await expect(say('objects', 'list', '--verdict', 'tidy')).rejects.toThrow(
      /^--verdict: must be of: .*clean/,
    );
    await expect(say('objects', 'show', 's3://uploads/never-seen')).rejects.toThrow(
      'sallyport scan s3://uploads/never-seen',
    );
  }, 60_000);

  test('review list, show, claim, release and decide take a review to its end', async () => {
    await upload('to-delete/eicar.com', eicar());
    const id = await reviewOf('to-delete/eicar.com');
    const list = await say('review', 'list');
    expect(list.lines.find((line) => line.startsWith(id))).toMatch(
      /OPEN {2,}infected .*s3:\/\/uploads\/to-delete\/eicar.com$/,
    );
    expect((await say('review', 'claim', id)).lines).toEqual(['It is yours to decide.']);
    expect(await json<{ items: unknown[] }>('review', 'list', '--mine')).toMatchObject({
      items: [{ id, state: 'CLAIMED' }],
    });
    expect((await say('review', 'release', id)).lines).toEqual(['Given back.']);
    const shown = await say('review', 'show', id);
    expect(shown.lines.join('\n')).toContain(`sallyport review decide ${id} release --reason TEXT`);
    await expect(say('review', 'decide', id, 'release')).rejects.toThrow(
      /“Release” needs a reason.*--reason TEXT/,
    );
    await expect(say('review', 'decide', id, 'burn')).rejects.toThrow(
      /"burn" is no outcome .*release, delete/,
    );
    const stale = say('review', 'decide', id, 'delete', '--digest', '0'.repeat(64));
    await expect(stale).rejects.toThrow('What you were shown is not what stands now');
    const decided = await say('review', 'decide', id, 'delete');
    expect(decided.lines).toEqual([
      'Decided: Delete. It is only recorded: the object stays where it is, because the bucket’s mode is tag.',
      "Not deleted: the bucket's mode is tag: recorded, not deleted.",
    ]);
    expect(await json('review', 'show', id)).toMatchObject({
      state: 'COMPLETED',
      decision: { outcome: 'delete' },
    });
  }, 60_000);

  test('review decide after somebody else says who was first, and when', async () => {
    await upload('race/eicar.com', eicar());
    const id = await reviewOf('race/eicar.com');
    await say('review', 'decide', id, 'delete');
    const late = say('review', 'decide', id, 'release', '--reason', 'false alarm');
    await expect(late).rejects.toThrow(/ already chose “Delete” at \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  }, 60_000);

  test('objects show has each finding once, however often it was scanned, and how sure it is', async () => {
    await upload('twice/eicar.com', eicar());
    const id = await reviewOf('twice/eicar.com');
    await say('scan', 's3://uploads/twice/eicar.com', '--wait');
    const scanned = await say('scan', 's3://uploads/twice/eicar.com', '--wait');
    expect(scanned.lines[0]).toMatch(/ {2}infected {2}malware_found {2}2 certain finding\(s\)$/);
    const { lines } = await say('objects', 'show', 's3://uploads/twice/eicar.com');
    expect(lines.filter((line) => line.startsWith('finding'))).toEqual([
      // The built-in engine's and clamd's.
      expect.stringMatching(/^finding {2}critical {2}certain {2}/),
      expect.stringMatching(/^finding {2}critical {2}certain {2}/),
    ]);
    expect(lines.join('\n')).toMatch(/\nscans +3\n/);
    const review = await say('review', 'show', id);
    expect(review.lines.join('\n')).toMatch(/\n {2}critical {2}certain {2}/);
  }, 60_000);

  test('objects show tells what was scanned before a release, and the review, and status counts no upload', async () => {
    await say('bucket', 'set', 'uploads', '--action-mode', 'quarantine', '--quarantine-bucket', 'quarantine');
    try {
      await upload('let-go/eicar.com', eicar());
      const id = await reviewOf('let-go/eicar.com');
      const before = await json<{ today: { total: number; released: number } }>('status');
      await say('review', 'decide', id, 'release', '--reason', 'false alarm', '--yes');
      const shown = await eventually(
        async () => {
          const { lines } = await say('objects', 'show', 's3://uploads/let-go/eicar.com');
          return lines.some((line) => line.includes('released_by_review')) ? lines.join('\n') : undefined;
        },
        { timeoutMs: 30_000, what: 'the released copy' },
      );
      expect(shown).toMatch(/\nreleased +by initial API key at 20/);
      expect(shown).toContain('What had been scanned:');
      expect(shown).toMatch(/\n {2}verdict +infected\n/);
      expect(shown).toMatch(/\n {2}decision +release by initial API key at .*: false alarm\n/);
      expect(shown).toMatch(/\n {2}finding {2}critical {2}certain {2}/);
      expect(shown).not.toContain('0 of ');
      expect(shown.split(`review      ${id}`).length).toBeGreaterThan(2);
      const { today } = await json<{ today: { total: number; released: number } }>('status');
      expect(today.total - today.released).toBe(before.today.total - before.today.released);
      expect((await say('status')).lines.join('\n')).toMatch(/today .*; \d+ released/);
    } finally {
      await say('bucket', 'set', 'uploads', '--action-mode', 'tag');
    }
  }, 60_000);

  test('report create --wait, list, get and download give the report as it is kept', async () => {
    const made = await json<{ id: string; sha256: string; status: string }>('report', 'create', '--wait');
    expect(made).toMatchObject({ status: 'ready' });
    const list = await say('report', 'list');
    expect(list.lines.some((line) => line.startsWith(made.id) && line.includes('ready'))).toBe(true);
    expect((await say('report', 'get', made.id)).lines.join('\n')).toMatch(/adds up +yes/);
    const file = join(folder, 'report.json');
    await say('report', 'download', made.id, '--format', 'json', '--output', file);
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(made.sha256);
    await expect(say('report', 'download', made.id, '--output', file)).rejects.toThrow(/EEXIST.*new file/);
    expect((await say('report', 'download', made.id)).lines[0]).toMatch(/^<!doctype html>/i);
    await expect(say('report', 'create', '--kind', 'daily')).rejects.toThrow('Allowed choices are weekly');
    await expect(say('report', 'create', '--from', 'yesterday')).rejects.toThrow(/^--from: /);
    await expect(say('report', 'get', 'x')).rejects.toThrow('is not the id of a report');
  }, 60_000);

  test('audit verify follows the record of all this, against the checkpoint in its bucket too', async () => {
    const { events } = await eventually(
      async () => {
        const chain = await json<{ events: number; anchoredUpTo: number }>('audit', 'chain');
        return chain.anchoredUpTo > 0 ? chain : undefined;
      },
      { timeoutMs: 20_000, what: 'a checkpoint in the bucket' },
    );
    const s3 = service.s3();
    const { Contents: kept = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: 'quarantine', Prefix: 'audit/' }),
    );
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'quarantine', Key: kept[0]?.Key ?? '' }));
    const file = join(folder, 'checkpoint.json');
    writeFileSync(file, (await Body?.transformToString()) ?? '');
    const { code, lines } = await say('audit', 'verify', file);
    expect(code).toBe(0);
    expect(Number(/^Whole: (\d+) events/.exec(lines[0] ?? '')?.[1])).toBeGreaterThanOrEqual(events);
    const to = join(folder, 'evidence');
    await say('audit', 'extract', to);
    const verified = await promisify(execFile)(process.execPath, [
      join(to, 'verify.mjs'),
      join(to, 'audit.jsonl'),
      '--checkpoint',
      file,
    ]);
    expect(verified.stdout).toMatch(/^Whole: /);
    const listed = (await say('audit', 'list', '--action', 'audit.verified')).lines;
    // The reports verify it too.
    expect(listed.filter((line) => !line.includes('system:reports'))).toHaveLength(2);
  }, 60_000);

  test('status says how it is, what was scanned today and what needs a person', async () => {
    await upload('status/eicar.com', eicar());
    await reviewOf('status/eicar.com');
    const { code, lines } = await say('status');
    const text = lines.join('\n');
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^Sallyport \d+\.\d+\.\d+ at http:\/\/127\.0\.0\.1:\d+: healthy/);
    expect(text).toMatch(/roles +every role has a live node/);
    expect(text).toMatch(/queue +(nothing waits|\d+ waits?, the oldest for .*), \d+ run/);
    expect(text).toMatch(/today +\d+ uploads, .*infected/);
    expect(text).toMatch(
      /people +\d+ reviews? waits? for a decision, 0 held by somebody, the oldest for .*sallyport review list/,
    );
    expect(await json('status')).toMatchObject({ healthy: true, people: { held: 0, isAll: true } });
  }, 60_000);

  test('without an address, the service of the home is found on the port that it has', async () => {
    const lines: string[] = [];
    const output = {
      out: (line: string) => void lines.push(line),
      note: () => undefined,
      style: { colour: false },
    };
    expect(await run(['status'], { SALLYPORT_HOME: service.home }, output)).toBe(0);
    expect(lines[0]).toContain(`at ${service.url}: healthy`);
  });

  test('the built program answers on stdout, tells its refusals on stderr, and ends with 2 for them', async () => {
    const node = promisify(execFile);
    const env = { ...process.env, ...environment() };
    const { stdout } = await node(process.execPath, [main, 'status', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ healthy: true });
    const failed: unknown = await node(process.execPath, [main, 'review', 'shwo'], { env }).catch(
      (e: unknown) => e,
    );
    expect(failed).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "sallyport: review: unknown command 'shwo' (Did you mean show?) See: sallyport review --help\n",
    });
  }, 60_000);
});
