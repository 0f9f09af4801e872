import { randomBytes } from 'node:crypto';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { RetryLater } from '../../../src/engine/ports.js';
import { StorageError } from '../../../src/s3/storage-error.js';
import { eicar } from '../../../src/tasks/scan/malware/eicar.js';
import { Baseline } from '../../../src/verdicts/baseline/baseline.service.js';
import { judge } from '../../../src/verdicts/verdict.js';
import type { ScanReport } from '../../../src/verdicts/ledger.js';
import { tar, zip } from '../../support/archives.js';
import { testDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { Stage } from '../stage.js';
import { SecretScannerSource } from '../../../src/tasks/scan/secret-scanner-source.js';
import { SecretVerifier } from '../../../src/tasks/scan/verify/secret-verifier.js';
import { fakeProvider } from './verify/provider.js';
import { fakeClamd, type FakeClamd } from './malware/fake-clamd.js';

let s3: TestS3;
let db: Database;
/** A daemon that answers as a well configured clamd with official signatures that knows the test file. */
let clamd: FakeClamd;
/** Streams that it was shown to their end. */
let shown = 0;
/** With and without that daemon. */
let full: Stage;
let bare: Stage;

beforeAll(async () => {
  s3 = await startTestS3();
  db = new Database((await testDatabase()).url);
  const today = new Date().toUTCString().replace(/^(...), (..) (...) (....) (.*) GMT$/, '$1 $3 $2 $5 $4');
  clamd = await fakeClamd(
    ({ socket, ended, start }) => {
      if (!ended) return;
      shown += 1;
      if (start.includes('level.zip')) socket.end('stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND\0');
      else if (start.includes('locked.txt')) socket.end('stream: Heuristics.Encrypted.Zip FOUND\0');
      else socket.end(`stream: ${start.includes(eicar()) ? 'Eicar FOUND' : 'OK'}\0`);
    },
    { version: `ClamAV 1.4.6/27834/${today}` },
  );
  full = new Stage(s3, db, {}, { configured: clamd.at });
  await full.clamd.look();
  bare = new Stage(s3, db);
  await bare.clamd.look();
});
afterAll(async () => {
  await full.close();
  await bare.close();
  await clamd.close();
  await db.close();
  await s3.close();
});

/** Uploads, scans with both workers at once as the fork does, and judges. */
async function scan(stage: Stage, key: string, body: Buffer | string, bucket?: string) {
  const { scanId, object } = await stage.upload(key, body, bucket);
  const [secrets, malware] = await Promise.all([
    stage.output('scan_secrets', { scanId, object }),
    stage.output('scan_malware', { scanId, object }),
  ]);
  const reports = [secrets['report'], malware['report']] as unknown as ScanReport[];
  return {
    scanId,
    secrets,
    malware,
    reports,
    findings: [
      ...(stage.ledger.findings.get(`${scanId}:secrets`)?.findings ?? []),
      ...(stage.ledger.findings.get(`${scanId}:malware`)?.findings ?? []),
    ],
    ...judge({ required: ['secrets', 'malware'], reports }),
  };
}

/** A key in a real provider's format, made here so that none stands in this file. */
const fakeKey = () =>
  ['AKIA', [...randomBytes(16)].map((b) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[b % 32]).join('')].join('');
const fakeToken = () =>
  [
    'glpat',
    [...randomBytes(20)].map((b) => 'abcdefghijkmnpqrstuvwxyzABCDEFGH0123456789'[b % 42]).join(''),
  ].join('-');

it('a token in a name shows in no path: of secrets, malware, structure and gaps', async () => {
  const token = fakeToken();
  const { findings, secrets, malware, reports } = await scan(
    full,
    'named.zip',
    zip([
      { name: `keys/${token}.txt`, content: `key = ${fakeKey()}` },
      { name: `keys/${token}.pdf.exe`, content: 'MZ' },
      { name: `keys/${token}/eicar.com`, content: eicar() },
      { name: `keys/${token}.7z`, content: Buffer.from('377abcaf271c000400000000', 'hex') },
    ]),
  );
  const kinds = findings.filter(({ path }) => path.includes('glpa…(26 characters)')).map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(new Set(['secret', 'malware']));
  expect(reports.flatMap(({ notCovered }) => notCovered.map(({ path }) => path))).toContain(
    'named.zip!keys/glpa…(26 characters).7z',
  );
  expect(JSON.stringify([findings, secrets, malware, reports])).not.toContain(token.slice(6));
});

describe('with a trusted clamd', () => {
  it.each([
    ['text', Buffer.from('nothing to see here\n')],
    ['nothing', Buffer.alloc(0)],
    ['noise', randomBytes(300_000)],
    ['a zip', zip([{ name: 'b.txt', content: 'harmless' }])],
    ['a tar.gz', gzipSync(Buffer.alloc(2048))],
  ])('%s is clean, in one GET', async (name, body) => {
    const before = s3.reads.counts;
    const { verdict, reports } = await scan(full, `clean ${name}`, body);
    expect(verdict).toBe('clean');
    const sha256 = createHash('sha256').update(body).digest('hex');
    for (const report of reports) {
      expect(report).toMatchObject({ bytesScanned: body.length, bytesTotal: body.length, sha256 });
    }
    const after = s3.reads.counts;
    expect(after.gets - before.gets).toBeLessThanOrEqual(1);
  });

  it('a large object costs one GET and says so', async () => {
    const before = s3.reads.counts;
    expect((await scan(full, 'large', Buffer.alloc(20_000_000, 'harmless text '))).verdict).toBe('clean');
    expect(s3.reads.counts).toEqual({ objects: before.objects + 1, gets: before.gets + 1 });
  });

  const nested = async (levels: number) => {
    let content = eicar();
    for (let level = 0; level < levels; level += 1) {
      content =
        level % 2 === 0
          ? zip([{ name: `${level}.bin`, content }])
          : gzipSync(await tar({ [`${level}`]: content }));
    }
    return content;
  };
  it.each([0, 1, 2, 3, 4, 5, 8])('the test file is found %d levels deep', async (levels) => {
    const { verdict, findings } = await scan(full, `eicar-${levels}`, await nested(levels));
    expect(verdict).toBe('infected');
    expect(findings).not.toEqual([]);
    if (levels > 0) expect(findings[0]?.path).toMatch(/^eicar-\d!/);
  });

  it('an encrypted archive is encrypted, whatever else it is', async () => {
    const body = zip([{ name: 'x', content: eicar(), password: 'secret' }]);
    expect(await scan(full, 'locked.zip', body)).toMatchObject({ verdict: 'encrypted' });
  });

  describe('an archive whose password the bucket has', () => {
    let opening: Stage;
    beforeAll(async () => {
      const shared = { secrets: full.secrets, archivePasswords: ['wrong', 'secret'] };
      opening = new Stage(s3, db, {}, { configured: clamd.at }, shared);
      await opening.clamd.look();
    });
    afterAll(() => opening.close());
    // The name is what makes the daemon of this test call a stream encrypted.
    const locked = (content: Buffer | string, password = 'secret') =>
      zip([{ name: 'locked.txt', content, password }]);

    it('is looked into, though the daemon calls it encrypted', async () => {
      expect(await scan(full, 'known.zip', locked('harmless'))).toMatchObject({ verdict: 'encrypted' });
      expect(await scan(opening, 'known.zip', locked('harmless'))).toMatchObject({ verdict: 'clean' });
      const inner = zip([{ name: 'locked.txt.zip', content: locked('harmless'), stored: true }]);
      // What stands around it may hold what the daemon means: only the zip itself is known.
      expect(await scan(opening, 'nested.zip', inner)).toMatchObject({ verdict: 'encrypted' });
      expect(await scan(opening, 'bad.zip', locked(eicar()))).toMatchObject({ verdict: 'infected' });
      expect(await scan(opening, 'token.zip', locked(`T=${fakeToken()}\n`))).toMatchObject({
        verdict: 'secrets',
      });
    });

    it('stays encrypted while any member does', async () => {
      const mixed = zip([
        { name: 'locked.txt', content: 'harmless', password: 'secret' },
        { name: 'other.txt', content: 'harmless', password: 'nobody knows' },
      ]);
      expect(await scan(opening, 'mixed.zip', mixed)).toMatchObject({ verdict: 'encrypted' });
      const beside = zip([
        { name: 'a.zip', content: locked('harmless') },
        { name: 'b.zip', content: locked('harmless', 'nobody knows') },
      ]);
      expect(await scan(opening, 'beside.zip', beside)).toMatchObject({ verdict: 'encrypted' });
    });
  });

  it('a bomb is incomplete, and never clean', async () => {
    const bomb = gzipSync(Buffer.alloc(40_000_000));
    expect(await scan(full, 'bomb.gz', bomb)).toMatchObject({
      verdict: 'incomplete',
      reason: 'limit_reached',
    });
  });

  it('what we cannot open stays unsupported, though clamd said OK', async () => {
    const body = Buffer.concat([Buffer.from('377abcaf271c0004', 'hex'), randomBytes(500)]);
    expect(await scan(full, 'x.7z', body)).toMatchObject({ verdict: 'unsupported' });
  });

  it('the same bytes are shown to it once, under whatever name and in whatever archive', async () => {
    const body = `unique ${randomBytes(8).toString('hex')} ${eicar().toString()}`;
    const before = shown;
    for (const key of ['first', 'second']) {
      const { verdict, findings } = await scan(full, key, body);
      expect([verdict, findings.filter(({ ruleId }) => ruleId === 'Eicar').length]).toEqual(['infected', 1]);
    }
    expect(shown - before).toBe(1);
    const packed = await tar({ 'inner.txt': body });
    // The tars themselves, and their member, which was not seen as one before.
    for (const key of ['a.tar', 'b.tar']) expect((await scan(full, key, packed)).verdict).toBe('infected');
    expect(shown - before).toBe(3);
  });

  it('more objects at once than it has threads for are all scanned', async () => {
    clamd.open.most = 0;
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, i) => scan(full, `crowd-${i}`, `object ${i}`)),
    );
    expect(all.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 12 }, () => 'clean'));
    expect(clamd.open.most).toBeLessThanOrEqual(4);
  });
});

describe('without a malware engine', () => {
  it('nothing is called clean, and the reason is told', async () => {
    expect(await scan(bare, 'fine.txt', 'fine')).toMatchObject({
      verdict: 'incomplete',
      reason: 'malware_engine_missing',
      degradedOnly: true,
    });
  });

  it('the test file is still found', async () => {
    expect(await scan(bare, 'eicar.com', eicar())).toMatchObject({ verdict: 'infected' });
    expect(await scan(bare, 'eicar.zip', await tar({ 'a/eicar.com': eicar() }))).toMatchObject({
      verdict: 'infected',
    });
  });

  it('an encrypted archive is encrypted', async () => {
    const body = zip([{ name: 'x', content: 'x', password: 'p' }]);
    expect(await scan(bare, 'enc.zip', body)).toMatchObject({ verdict: 'encrypted' });
  });
});

describe('secrets', () => {
  it('are found in text and in members, masked, by path', async () => {
    const token = fakeToken();
    const key = fakeKey();
    const body = zip([
      { name: 'readme.md', content: 'nothing' },
      { name: 'config/.env', content: `GITLAB=${token}\nAWS_ACCESS_KEY_ID=${key}\n` },
    ]);
    const { verdict, findings, secrets, scanId } = await scan(full, 'backup/a.zip', body);
    expect(verdict).toBe('secrets');
    expect(findings.map((finding) => finding.path)).toContain('a.zip!config/.env');
    const told = JSON.stringify([findings, secrets, full.ledger.findings.get(`${scanId}:secrets`)]);
    expect(told).not.toContain(token);
    expect(told).not.toContain(key);
  });

  it('are found encoded, and their title says how they are written', async () => {
    const inner = Buffer.from(`GITLAB=${fakeToken()}\n`).toString('hex');
    const body = `data: ${Buffer.from(inner).toString('base64')}\n`;
    const { verdict, findings } = await scan(full, 'encoded.yaml', body);
    expect(verdict).toBe('secrets');
    expect(findings.map(({ title }) => title)).toEqual([expect.stringMatching(/ in hex in base64$/)]);
  });

  it('of malware that an exception answers for keep their name, and nobody is asked about them again', async () => {
    const { scanId, object } = await bare.upload('known.com', eicar());
    const sha256 = createHash('sha256').update(eicar()).digest('hex');
    await db.query(
      `INSERT INTO finding_exception (id, kind, scope, finding_kind, rule_id, fingerprint, endpoint_id, bucket, key,
         member_path, sha256, reason, state, expires_at, requested_by, requested_by_name, requested_at, decided_by,
         decided_at, next_at)
       VALUES (gen_random_uuid(), 'false_positive', 'finding', 'malware', 'EICAR-Test-File', 'signature:EICAR-Test-File', 's3', 'elsewhere',
         'k', '', $1, 'the test file', 'IN_FORCE', 4000000000000, 'a', 'A', 1, 'b', 1, 4000000000000)`,
      [sha256],
    );
    const { report } = await bare.output('scan_malware', { scanId, object });
    const counts = (report as unknown as ScanReport).counts;
    expect(counts).toMatchObject({ infected: 0, accepted: { infected: 1 } });
    expect(bare.ledger.findings.get(`${scanId}:malware`)?.findings).toMatchObject([
      { fingerprint: 'signature:EICAR-Test-File', accepted: 'the test file' },
    ]);
    await db.query('DELETE FROM finding_exception');
  });

  it('that the baseline answers for are recorded with the reason, and do not make the verdict', async () => {
    const token = fakeToken();
    const baseline = new Baseline(db, full.clock);
    const first = await scan(full, 'known/a.txt', `T=${token}\n`);
    expect(first.verdict).toBe('secrets');
    const { fingerprint = '' } = first.findings[0] ?? {};
    await baseline.put([{ fingerprint, reason: 'revoked', bucket: 'uploads' }], 'user:alice');

    const moved = await scan(full, 'known/b.zip', zip([{ name: 'c.txt', content: `\n\nT=${token}\n` }]));
    expect(moved.verdict).toBe('clean');
    expect(moved.findings).toMatchObject([{ fingerprint, accepted: 'revoked' }]);
    expect(moved.reports[0]?.counts).toMatchObject({
      secrets: 0,
      lowConfidence: 1,
      accepted: { secrets: 1 },
    });

    const beside = await scan(full, 'known/d.txt', `T=${token}\nU=${fakeToken()}\n`);
    expect([beside.verdict, beside.reports[0]?.counts.secrets]).toEqual(['secrets', 1]);
    const elsewhere = await scan(full, 'known/e.txt', `T=${token}\n`, 'plain');
    expect([elsewhere.verdict, elsewhere.findings[0]?.accepted]).toEqual(['secrets', undefined]);

    await baseline.remove(fingerprint, undefined, 'user:alice');
    expect((await scan(full, 'known/f.txt', `T=${token}\n`)).verdict).toBe('secrets');
  });

  it('that are in use are critical, where their provider may be asked', async () => {
    const provider = await fakeProvider((_, response) => response.end('{"id":1}'));
    const secrets = new SecretScannerSource({
      key: { id: 'fingerprint-test', key: Buffer.alloc(32, 1) },
      userRules: undefined,
      concurrency: 4,
      verifies: true,
    });
    const verifier = new SecretVerifier(secrets.verification, ['gitlab.com'], provider.egress, full.clock);
    const asking = new Stage(s3, db, {}, {}, { secrets, verifier });
    const token = fakeToken();
    const key = fakeKey();
    const { findings, secrets: output } = await scan(asking, 'live.env', `GITLAB=${token}\nAWS=${key}\n`);
    const at = full.clock.now();
    expect(findings).toMatchObject([
      { ruleId: 'gitlab-pat', severity: 'critical', verified: { state: 'active', at } },
      { ruleId: 'aws-access-token' },
    ]);
    expect(findings[1]).not.toHaveProperty('verified');
    expect(provider.asked.map(({ headers }) => headers['private-token'])).toEqual([token]);
    expect(JSON.stringify([findings, output])).not.toMatch(new RegExp(`${token}|${key}|sealed`));
    await secrets.close();
    provider.close();
  });

  it('a harmless text has none', async () => {
    expect((await scan(full, 'plain.txt', 'password policy: ask the team')).verdict).toBe('clean');
  });
});

describe('trouble under way', () => {
  it('an object that is overwritten before the GET is superseded, one that is deleted is gone', async () => {
    const { scanId, object } = await full.upload('mid', Buffer.alloc(300_000, 'x'), 'plain');
    await s3.put('mid', 'another', 'plain');
    for (const task of ['scan_secrets', 'scan_malware']) {
      expect(await full.output(task, { scanId, object })).toMatchObject({ report: null, gap: 'superseded' });
    }
    const other = await full.upload('mid-deleted', Buffer.alloc(300_000, 'x'));
    await s3.storage.deleteVersion(other.pinned);
    expect(await full.output('scan_malware', { scanId: other.scanId, object: other.object })).toMatchObject({
      gap: 'gone',
    });
  });

  it('a busy S3 is waited for, which is no failure', async () => {
    const { scanId, object } = await full.upload('busy', Buffer.alloc(300_000, 'x'));
    const storage = s3.storage as unknown as { open?: unknown };
    storage.open = () => Promise.reject(new StorageError('throttled', 'SlowDown', 'please'));
    try {
      await expect(full.run('scan_secrets', { scanId, object })).rejects.toThrow(RetryLater);
    } finally {
      delete storage.open;
    }
  });

  it('a clamd that breaks off fails the attempt; the last one says what was not looked at', async () => {
    let isBroken = false;
    const broken = await fakeClamd(({ socket, ended }) => {
      if (isBroken) socket.destroy();
      else if (ended) socket.end('stream: Eicar FOUND\0');
    });
    const stage = new Stage(s3, db, { CLAMD_CUSTOM_DB: 'trusted' }, { configured: broken.at });
    await stage.clamd.look();
    isBroken = true;
    const { scanId, object } = await stage.upload('broken', 'some text');
    await expect(stage.run('scan_malware', { scanId, object })).rejects.toThrow(/closed|ECONNRESET|EPIPE/);
    const last = await stage.output('scan_malware', { scanId, object }, { retryCount: 2 });
    expect((last['report'] as unknown as ScanReport).notCovered).toContainEqual(
      expect.objectContaining({ reason: 'engine_error' }),
    );
    await stage.close();
    await broken.close();
  });

  it('an aborted scan leaves at once and frees its place', async () => {
    const { scanId, object } = await full.upload('aborted', Buffer.alloc(3_000_000, 'x'));
    const controller = new AbortController();
    const running = full.run('scan_malware', { scanId, object }, {}, controller.signal);
    controller.abort(new Error('the lease is lost'));
    await expect(running).rejects.toThrow('the lease is lost');
    await eventually(() => clamd.open.now === 0);
    expect((await scan(full, 'after the abort', 'fine')).verdict).toBe('clean');
  });

  it('a wrong input is final and names the field', async () => {
    const { scanId } = await full.upload('wrong', 'x');
    await expect(full.run('scan_malware', { scanId, object: { key: 'x' } })).rejects.toThrow(
      /object\.bucket/,
    );
  });
});

it('nothing is left in the spool', () => {
  expect(s3.spool.usedBytes).toBe(0);
});
