import { beforeEach, describe, expect, it } from 'vitest';
import { InvalidInput } from '../../src/errors.js';
import { coverage } from '../../src/verdicts/verdicts.queries.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const parts = await intakeParts();
const { intake, test, clock, ledger, database } = parts;
const webhook = { kind: 'webhook' } as const;

const objects = () =>
  test.query<{
    id: string;
    key: string;
    version_id: string | null;
    verdict: string;
    is_latest: boolean;
    e_tag: string | null;
    deleted_at: string | null;
  }>(
    'SELECT id, key, version_id, verdict, is_latest, e_tag, deleted_at FROM object_version ORDER BY first_seen_at, sequence',
  );
const count = async (table: string) =>
  (await test.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

beforeEach(() => test.truncate());

describe('a message', () => {
  it('is stored as events, ledger rows and backlog rows before it is acknowledged', async () => {
    const answer = await intake.accept(
      awsMessage({ key: 'a b.txt', versionId: 'v1', size: 3, eTag: 'e' }, { key: 'c', versionId: 'v2' }),
      webhook,
    );
    expect(answer).toEqual({ accepted: 2, duplicates: 0, ignored: 0, rejected: 0 });
    expect(await objects()).toMatchObject([
      { key: 'a b.txt', version_id: 'v1', verdict: 'pending' },
      { key: 'c', version_id: 'v2', verdict: 'pending' },
    ]);
    const [item] = await test.query(
      `SELECT b.*, s.workflow_id AS of_scan, s.generation, s.rule FROM backlog_item b JOIN scan s ON s.id = b.scan_id
        ORDER BY b.input->>'key' LIMIT 1`,
    );
    expect(item).toMatchObject({ bucket: 'uploads', priority: 50, generation: 1, rule: 'every_upload' });
    expect(item?.['workflow_id']).toBe(item?.['of_scan']);
    expect(item?.['input']).toEqual({
      scanId: item?.['scan_id'],
      bucket: 'uploads',
      key: 'a b.txt',
      versionId: 'v1',
      source: 'aws',
    });
  });

  it('delivered again has no effect, also when it comes the other way', async () => {
    const message = awsMessage({ key: 'k', versionId: 'v1', eTag: 'e', size: 1, sequencer: 'A1' });
    await intake.accept(message, webhook);
    expect(await intake.accept(message, webhook)).toMatchObject({ accepted: 0, duplicates: 1 });
    const bridge = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: 'uploads' },
        object: { key: 'k', 'version-id': 'v1', etag: 'e', size: 1, sequencer: 'A1' },
      },
    };
    expect(await intake.accept(bridge, webhook)).toMatchObject({ accepted: 0, duplicates: 1 });
    expect([await count('object_version'), await count('scan'), await count('intake_event')]).toEqual([
      1, 1, 1,
    ]);
  });

  it('holding the same event twice stores it once', async () => {
    const same = { key: 'k', eTag: 'e', size: 1, sequencer: 'A1' };
    expect(await intake.accept(awsMessage(same, same), webhook)).toMatchObject({
      accepted: 1,
      duplicates: 1,
    });
  });

  it('delivered by many at once is stored once', async () => {
    const records = Array.from({ length: 20 }, (_, index) => ({ key: `k${index}`, versionId: 'v', size: 1 }));
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, turn) =>
        intake.accept(awsMessage(...(turn % 2 === 0 ? records : records.toReversed())), webhook),
      ),
    );
    expect(answers.reduce((sum, answer) => sum + answer.accepted, 0)).toBe(20);
    expect([await count('object_version'), await count('scan'), await count('backlog_item')]).toEqual([
      20, 20, 20,
    ]);
  });

  it('that is partly wrong keeps the good and the wrong apart', async () => {
    const good = awsMessage({ key: 'good', versionId: 'v' }).Records[0];
    const answer = await intake.accept({ Records: [good, { bad: true }, { bad: true }] }, webhook);
    expect(answer).toMatchObject({ accepted: 1, rejected: 2 });
    const rejects = await test.query('SELECT reason, path, raw FROM intake_reject ORDER BY path');
    expect(rejects).toMatchObject([
      { reason: 'invalid_event', path: 'Records[1].eventName' },
      { reason: 'invalid_event', path: 'Records[2].eventName' },
    ]);
  });

  it('that is wholly wrong is refused with the place, and kept', async () => {
    const refused = intake.accept({ Records: [{ eventName: 'ObjectCreated:Put' }] }, webhook);
    await expect(refused).rejects.toThrow(InvalidInput);
    await expect(refused).rejects.toMatchObject({ problems: [{ path: 'Records[0].s3' }] });
    expect(await count('intake_reject')).toBe(1);
    await expect(intake.accept({ Records: [{ eventName: 'ObjectCreated:Put' }] }, webhook)).rejects.toThrow();
    expect(await test.query('SELECT deliveries FROM intake_reject')).toEqual([{ deliveries: 2 }]);
  });

  it('about a bucket that nobody registered is acknowledged and kept apart', async () => {
    expect(await intake.accept(awsMessage({ bucket: 'elsewhere' }), webhook)).toMatchObject({
      accepted: 0,
      rejected: 1,
    });
    expect(await test.query('SELECT reason, bucket FROM intake_reject')).toEqual([
      { reason: 'unknown_bucket', bucket: 'elsewhere' },
    ]);
  });

  it('about the quarantine starts nothing', async () => {
    expect(await intake.accept(awsMessage({ bucket: 'quarantine' }), webhook)).toMatchObject({
      ignored: 1,
      rejected: 0,
    });
    expect(await count('object_version')).toBe(0);
  });

  it('of a source that tells its endpoint can name only buckets of it', async () => {
    const foreign = { kind: 'embedded', endpointId: 's3' } as const;
    expect(await intake.accept(awsMessage({}), foreign)).toMatchObject({ accepted: 0, rejected: 1 });
    const own = { kind: 'embedded', endpointId: 'embedded' } as const;
    expect(await intake.accept(awsMessage({}), own)).toMatchObject({ accepted: 1 });
  });

  it('of our own endpoint is acknowledged even when it cannot be used, so that it is not sent for ever', async () => {
    const own = { kind: 'embedded', endpointId: 'embedded' } as const;
    expect(await intake.accept(awsMessage({ key: '' }), own)).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await count('intake_reject')).toBe(1);
  });

  it('with text that PostgreSQL cannot keep never fails', async () => {
    await expect(intake.accept({ odd: '\u0000\ud800' }, webhook)).rejects.toThrow(InvalidInput);
    await expect(intake.accept(awsMessage({ eTag: 'a\u0000' }), webhook)).rejects.toThrow(InvalidInput);
    expect(await count('intake_reject')).toBe(2);
  });

  it('rolls back as a whole when the database fails in the middle', async () => {
    await test.query('ALTER TABLE backlog_item ADD CONSTRAINT refuse CHECK (bucket <> $$plain$$)');
    try {
      const both = awsMessage({ key: 'a', versionId: 'v' }, { bucket: 'plain', key: 'b', versionId: 'v' });
      await expect(intake.accept(both, webhook)).rejects.toThrow('refuse');
      expect([await count('intake_event'), await count('object_version'), await count('scan')]).toEqual([
        0, 0, 0,
      ]);
    } finally {
      await test.query('ALTER TABLE backlog_item DROP CONSTRAINT refuse');
    }
  });
});

describe('uploads of one key without versions', () => {
  const upload = (sequencer: string, eTag: string) =>
    awsMessage({ bucket: 'plain', key: 'k', eTag, size: 1, sequencer });

  it('that arrive late never become the current state, and are not scanned', async () => {
    await intake.accept(upload('0064D3901E', 'new'), webhook);
    clock.advance(10);
    await intake.accept(upload('0064D3901D00059242', 'old'), webhook);
    expect(await objects()).toMatchObject([
      { e_tag: 'new', is_latest: true, verdict: 'pending' },
      { e_tag: 'old', is_latest: false, verdict: 'superseded' },
    ]);
    expect(await count('scan')).toBe(1);
    expect(await test.query('SELECT reason FROM verdict')).toEqual([{ reason: 'stale_event' }]);
    expect(await test.query('SELECT action FROM audit_event')).toEqual([{ action: 'object.verdict' }]);
  });

  it('that arrive in order each get a scan, and the newest is current', async () => {
    await intake.accept(upload('A1', 'one'), webhook);
    clock.advance(10);
    await intake.accept(upload('A2', 'two'), webhook);
    expect(await objects()).toMatchObject([
      { e_tag: 'one', is_latest: false },
      { e_tag: 'two', is_latest: true },
    ]);
    expect(await count('scan')).toBe(2);
  });

  it('whose source keeps no order are all scanned', async () => {
    const gateway = (sequencer: string, eTag: string) => {
      const message = upload(sequencer, eTag);
      return {
        Records: message.Records.map((record) => ({ ...record, userIdentity: { PrincipalId: 'root' } })),
      };
    };
    await intake.accept(gateway('10', 'one'), webhook);
    await intake.accept(gateway('F', 'two'), webhook);
    expect(await count('scan')).toBe(2);
  });
});

describe('uploads of one key with versions', () => {
  it('are each scanned, also the late one, which is not the latest', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v2', sequencer: 'B' }), webhook);
    clock.advance(10);
    await intake.accept(awsMessage({ key: 'k', versionId: 'v1', sequencer: 'A' }), webhook);
    expect(await objects()).toMatchObject([
      { version_id: 'v2', is_latest: true, verdict: 'pending' },
      { version_id: 'v1', is_latest: false, verdict: 'pending' },
    ]);
    expect(await count('scan')).toBe(2);
  });

  it('under the version "null" are told apart by what they hold', async () => {
    const nulls = (eTag: string, sequencer: string) =>
      intake.accept(awsMessage({ key: 'k', versionId: 'null', eTag, size: 1, sequencer }), webhook);
    await nulls('one', 'A');
    await nulls('two', 'B');
    expect(await count('scan')).toBe(2);
  });
});

describe('other events', () => {
  it('of a deletion mark the rows and never fail', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v1' }, { key: 'k', versionId: 'v2' }), webhook);
    const gone = {
      key: 'k',
      versionId: 'v1',
      eventName: 'ObjectRemoved:Delete',
      eventTime: '2026-11-23T12:30:00Z',
    };
    expect(await intake.accept(awsMessage(gone), webhook)).toMatchObject({ accepted: 1 });
    const rows = await objects();
    expect(rows.filter((row) => row.deleted_at !== null).map((row) => row.version_id)).toEqual(['v1']);
    const never = { key: 'never', eventName: 'ObjectRemoved:Delete' };
    expect(await intake.accept(awsMessage(never), webhook)).toMatchObject({ accepted: 1 });
  });

  it('of a late deletion leave the upload after it alone', async () => {
    const put = (sequencer: string, eTag: string) =>
      intake.accept(awsMessage({ bucket: 'plain', key: 'k', eTag, sequencer }), webhook);
    await put('A', 'one');
    await put('C', 'two');
    await intake.accept(
      awsMessage({ bucket: 'plain', key: 'k', sequencer: 'B', eventName: 'ObjectRemoved:Delete' }),
      webhook,
    );
    expect((await objects()).map((row) => [row.e_tag, row.deleted_at !== null])).toEqual([
      ['one', true],
      ['two', false],
    ]);
  });

  it('of a delete marker remove nothing', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v1' }), webhook);
    await intake.accept(
      awsMessage({ key: 'k', versionId: 'marker', eventName: 'ObjectRemoved:DeleteMarkerCreated' }),
      webhook,
    );
    expect(await objects()).toMatchObject([{ version_id: 'v1', deleted_at: null }]);
  });

  it('of a restore scan the known object once more', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v1' }), webhook);
    await intake.accept(
      awsMessage({ key: 'k', versionId: 'v1', sequencer: 'B', eventName: 'ObjectRestore:Completed' }),
      webhook,
    );
    expect(await count('object_version')).toBe(1);
    expect(await test.query('SELECT generation FROM scan ORDER BY generation')).toEqual([
      { generation: 1 },
      { generation: 2 },
    ]);
  });
});

describe('what is not scanned', () => {
  it('is in the ledger as skipped, with the rule that said so', async () => {
    await test.query(
      `INSERT INTO trigger_rule (name, effect, position, prefix, event_kinds, workflow_name, priority, enabled)
       VALUES ('no_logs', 'deny', 1, 'logs/', '{created}', 'scan_upload', 50, true)`,
    );
    await intake.accept(
      awsMessage({ key: 'logs/x', versionId: 'v' }, { key: 'data/x', versionId: 'v' }),
      webhook,
    );
    expect(await test.query('SELECT verdict, reason, scan_id FROM verdict')).toEqual([
      { verdict: 'skipped', reason: 'no_logs', scan_id: null },
    ]);
    await test.query('UPDATE trigger_rule SET enabled = false');
    await intake.accept(awsMessage({ key: 'other', versionId: 'v' }), webhook);
    expect(await test.query('SELECT reason FROM verdict ORDER BY id DESC LIMIT 1')).toEqual([
      { reason: 'no_rule_matched' },
    ]);
    expect(await count('scan')).toBe(1);
  });

  it('is what a review released', async () => {
    await test.query(
      `INSERT INTO released_object (scan_id, endpoint_id, bucket, key, version_id, etag, sha256, is_written, created_at)
       VALUES ('s', 'embedded', 'uploads', 'k', 'v9', 'e', 'x', true, $1)`,
      [clock.now()],
    );
    await intake.accept(awsMessage({ key: 'k', versionId: 'v9', eTag: 'e' }), webhook);
    expect(await objects()).toMatchObject([{ verdict: 'skipped' }]);
    expect(await test.query('SELECT reason FROM verdict')).toEqual([{ reason: 'released_by_review' }]);
    expect(await count('scan')).toBe(0);
  });
});

describe('coverage', () => {
  it('adds up with duplicates, stale, skipped, folded and requested rows', async () => {
    const from = clock.now();
    const plain = (eTag: string, sequencer: string) =>
      intake.accept(awsMessage({ bucket: 'plain', key: 'k', eTag, size: 1, sequencer }), webhook);
    await plain('one', 'B');
    await plain('one', 'B');
    await plain('late', 'A');
    await plain('one', 'C');
    await intake.accept(awsMessage({ key: 'k', versionId: 'v' }), webhook);
    const scans = await test.query<{ id: string; key: string }>(
      `SELECT s.id FROM scan s JOIN object_version o ON o.id = s.object_id
        WHERE o.bucket = 'plain' ORDER BY o.sequence`,
    );
    const facts = { eTag: 'one', sizeBytes: 1, lastModified: '2026-11-23T12:00:00.000Z' };
    expect(await ledger.identified(scans[0]?.id ?? '', facts)).toEqual({ kind: 'current' });
    expect(await ledger.identified(scans[1]?.id ?? '', facts)).toEqual({
      kind: 'duplicate',
      ofScanId: scans[0]?.id,
    });
    expect(await ledger.identified(scans[1]?.id ?? '', facts)).toMatchObject({ kind: 'duplicate' });
    clock.advance(1000);
    const counted = await coverage(database, from, clock.now());
    const copies = { opened: 0, accountedFor: 0 };
    expect(counted).toMatchObject({
      uploaded: 3,
      copies,
      folded: 1,
      verdicts: { pending: 2, superseded: 1 },
    });
    expect(counted.outcomes.reduce((sum, one) => sum + one.count, 0)).toBe(3);
    expect(await coverage(database, clock.now(), clock.now() + 1)).toEqual({
      uploaded: 0,
      copies,
      folded: 0,
      verdicts: {},
      outcomes: [],
    });
  });
});
