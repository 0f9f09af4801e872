import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { HealthRegistry } from '../../src/ops/health.js';
import { Alerts } from '../../src/outbound/alerts.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { DenialWatch } from '../../src/verdicts/denial-watch.js';
import type { VerdictRecord } from '../../src/verdicts/ledger.js';
import { noteDenials } from '../../src/verdicts/sql/bucket-denials.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';

const { intake, ledger, test, database, clock, buckets } = await intakeParts();
const HOUR_MS = 3_600_000;

const watchOf = (to: string[] = ['ops@example.org']): DenialWatch =>
  new DenialWatch(
    database,
    clock,
    new Alerts(new PostgresOutbox(clock, new OutboxBell()), { ALERT_TO: to }),
    buckets,
    new HealthRegistry(),
    { ROLES: ['worker'] },
    pino({ level: 'silent' }),
  );
const watch = watchOf();

const mails = async () =>
  (
    await test.query<{ payload: { subject: string; text: string } }>(
      `SELECT payload FROM outbox WHERE kind = 'mail' ORDER BY id`,
    )
  ).map(({ payload }) => payload);

let uploads = 0;
async function uploaded(bucket: string): Promise<string> {
  clock.advance(1);
  uploads += 1;
  await intake.accept(
    awsMessage({ bucket, key: `k${uploads}`, versionId: `v${uploads}`, eTag: 'e', size: 3 }),
    { kind: 'webhook' },
  );
  const [scan] = await test.query<{ id: string }>('SELECT id FROM scan ORDER BY requested_at DESC LIMIT 1');
  return scan?.id ?? '';
}

const recordOf = (parts: Partial<VerdictRecord>): VerdictRecord => ({
  verdict: 'denied',
  reason: 'denied_get_object_version',
  detail: 'AccessDenied: Access Denied The call needs s3:GetObjectVersion (S3 does not say what is missing).',
  engines: [],
  bytesScanned: 0,
  bytesTotal: 3,
  notCovered: [],
  workflowId: 'w',
  ...parts,
});

/** Uploads one object and lets its scan end so. */
async function scanned(parts: Partial<VerdictRecord> = {}, bucket = 'uploads'): Promise<void> {
  await ledger.recordVerdict(await uploaded(bucket), recordOf(parts));
}

const hours = async (count: number) => {
  clock.advance(count * HOUR_MS);
  await watch.turn();
};

beforeEach(() => test.truncate());

describe('a bucket that S3 does not let be read', () => {
  it('is told in one mail that names the right and what mends it', async () => {
    await scanned();
    await scanned();
    await watch.turn();
    const [mail, another] = await mails();
    expect(another).toBeUndefined();
    expect(mail?.subject).toBe('Sallyport: objects of uploads may not be read (denied_get_object_version)');
    expect(mail?.text).toMatch('denied_get_object_version, 2 object(s), for example k');
    expect(mail?.text).toMatch('s3:GetObjectVersion');
    expect(mail?.text).toMatch('sallyport connect uploads');
    expect(mail?.text).toMatch('sallyport rescan --verdicts denied');
  });

  it('is told once though 100,000 of its objects are refused, by whichever node comes first', async () => {
    await scanned();
    for (let batch = 0; batch < 1000; batch += 1) {
      clock.advance(100);
      const one = {
        endpointId: 'embedded',
        bucket: 'uploads',
        reason: 'denied_get_object',
        at: clock.now(),
      };
      await noteDenials(
        database,
        Array.from({ length: 100 }, () => one),
      );
      if (batch % 250 === 0) await Promise.all([watch.turn(), watchOf().turn(), watchOf().turn()]);
    }
    await hours(1);
    expect(await mails()).toHaveLength(1);
    expect(await test.query('SELECT bucket FROM bucket_denial')).toHaveLength(1);
  });

  it('is told beside another one, each by its own mail', async () => {
    await scanned();
    await scanned({ reason: 'denied_kms_decrypt', detail: 'Missing: kms:Decrypt.' }, 'plain');
    await watch.turn();
    const told = await mails();
    expect(told.map(({ subject }) => subject)).toEqual([
      'Sallyport: objects of uploads may not be read (denied_get_object_version)',
      'Sallyport: objects of plain may not be read (denied_kms_decrypt)',
    ]);
    expect(told[1]?.text).toMatch("policy of the bucket's KMS key");
  });

  it('is told again after a week while it lasts, and not before', async () => {
    await scanned();
    await hours(0);
    for (let day = 0; day < 6; day += 1) {
      await hours(24);
      await scanned();
    }
    expect(await mails()).toHaveLength(1);
    await hours(25);
    expect(await mails()).toHaveLength(2);
  });

  it('is another trouble once objects of it were read and six hours passed without a refusal', async () => {
    await scanned();
    await hours(0);
    clock.advance(HOUR_MS);
    await scanned({ verdict: 'clean', reason: '' });
    await hours(1);
    expect(await watch.check()).toMatchObject([{ name: 'denied:embedded/uploads', degraded: true }]);
    await hours(5);
    expect(await watch.check()).toMatchObject([{ name: 'denied', detail: 'no scan is refused by S3' }]);
    await scanned();
    await hours(0);
    expect(await mails()).toHaveLength(2);
  });

  it('is not taken for mended while nothing of it is read, nor while some objects are and others are not', async () => {
    await scanned();
    await hours(0);
    await hours(24);
    expect(await watch.check()).toMatchObject([{ degraded: true }]);
    for (let turn = 0; turn < 4; turn += 1) {
      await scanned({ verdict: 'clean', reason: '' });
      await scanned();
      await hours(5);
    }
    expect(await mails()).toHaveLength(1);
  });

  it('makes /health degraded with the remedy, whether or not anybody is written to', async () => {
    await scanned();
    await watchOf([]).turn();
    expect(await mails()).toEqual([]);
    const [line] = await watch.check();
    expect(line).toMatchObject({ name: 'denied:embedded/uploads', healthy: true, degraded: true });
    expect(line?.detail).toMatch('s3:GetObjectVersion');
    expect(line?.remedy).toMatch('sallyport connect uploads');
  });

  it('is no trouble of the service where it is scanned no more', async () => {
    await noteDenials(database, [
      { endpointId: 'embedded', bucket: 'removed', reason: 'denied_get_object', at: clock.now() },
    ]);
    expect(await watch.check()).toMatchObject([{ name: 'denied', healthy: true }]);
  });
});

it('an object whose uploader alone has the key is no trouble of its bucket', async () => {
  await scanned({ reason: 'sse_c_key_needed' });
  await watch.turn();
  expect(await mails()).toEqual([]);
});

it('a name in a refusal is shown as text', async () => {
  await scanned({ detail: 'AccessDenied: <script>alert(1)</script> https://evil.example/x\u0000' });
  await watch.turn();
  const [mail] = await mails();
  expect(mail).toMatchObject({ html: expect.not.stringContaining('<script>') });
});
