import * as fc from 'fast-check';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { IntakeService } from '../../src/intake/intake.service.js';
import { compareSequencers } from '../../src/intake/sequencer.js';
import { awsMessage, awsRecord, intakeParts } from './intake-parts.js';

const parts = await intakeParts();
const { intake, ledger, test, clock, database, buckets, rules, bell } = parts;
const queue = { kind: 'sqs' } as const;

interface Row {
  readonly id: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly is_latest: boolean;
  readonly verdict: string;
  readonly scans: number;
}
const rows = () =>
  test.query<Row>(
    `SELECT o.id, o.key, o.version_id, o.e_tag, o.is_latest, o.verdict,
            (SELECT count(*)::int FROM scan s WHERE s.object_id = o.id) AS scans
       FROM object_version o ORDER BY o.first_seen_at, o.key, o.version_id, o.e_tag`,
  );
const scanOf = async (eTag: string): Promise<string> => {
  const [scan] = await test.query<{ id: string }>(
    'SELECT s.id FROM scan s JOIN object_version o ON o.id = s.object_id WHERE o.e_tag = $1',
    [eTag],
  );
  return scan?.id ?? '';
};
const facts = (eTag: string) => ({ eTag, sizeBytes: 1, lastModified: '2026-11-23T12:00:00.000Z' });

beforeEach(() => test.truncate());

// Of unequal lengths, and different where they are padded.
const sequencers = fc
  .uniqueArray(fc.stringMatching(/^00[0-9A-F]{0,6}[1-9A-F]$/), { minLength: 2, maxLength: 7 })
  .map((all) => all.toSorted(compareSequencers));

/** Deliveries of all of them in some order, each once at least. */
const deliveries = sequencers.chain((sorted) =>
  fc
    .tuple(
      fc.shuffledSubarray(sorted, { minLength: sorted.length }),
      fc.array(fc.nat(sorted.length - 1), { maxLength: 5 }),
    )
    .map(([order, again]) => ({ sorted, order: [...order, ...again.map((index) => order[index] ?? '')] })),
);

describe('uploads of one key that come late, twice and in any order', () => {
  it('leave the last one current; without versions no older one is scanned once it is known', async () => {
    await fc.assert(
      fc.asyncProperty(deliveries, async ({ sorted, order }) => {
        await test.truncate();
        for (const sequencer of order) {
          clock.advance(1);
          await intake.accept(
            awsMessage({ bucket: 'plain', key: 'k', eTag: sequencer, size: 1, sequencer }),
            queue,
          );
        }
        const all = await rows();
        expect(all).toHaveLength(sorted.length);
        expect(all.filter((row) => row.is_latest).map((row) => row.e_tag)).toEqual([sorted.at(-1)]);
        let newest = '';
        for (const row of all) {
          const isNews = newest === '' || compareSequencers(row.e_tag ?? '', newest) > 0;
          if (isNews) newest = row.e_tag ?? '';
          expect([row.verdict, row.scans]).toEqual(isNews ? ['pending', 1] : ['superseded', 0]);
        }
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('are each scanned once where there are versions, and the last one is the latest', async () => {
    await fc.assert(
      fc.asyncProperty(deliveries, async ({ sorted, order }) => {
        await test.truncate();
        for (const sequencer of order) {
          clock.advance(1);
          await intake.accept(awsMessage({ key: 'k', versionId: `v${sequencer}`, sequencer }), queue);
        }
        const all = await rows();
        expect(all.map((row) => row.scans)).toEqual(sorted.map(() => 1));
        expect(all.filter((row) => row.is_latest).map((row) => row.version_id)).toEqual([
          `v${sorted.at(-1) ?? ''}`,
        ]);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('told by S3 and EventBridge in different spellings of the sequencer are none called stale for it', async () => {
    const upload = { bucket: 'plain', key: 'k', size: 1 };
    const bridge = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: 'plain' },
        object: { key: 'k', etag: 'one', size: 1, sequencer: '617f08299329d189' },
      },
    };
    await intake.accept(bridge, queue);
    await intake.accept(awsMessage({ ...upload, eTag: 'two', sequencer: '00627F08299329D189' }), queue);
    expect((await rows()).map((row) => [row.e_tag, row.verdict, row.scans])).toEqual([
      ['one', 'pending', 1],
      ['two', 'pending', 1],
    ]);
  });

  it('whose source keeps no order are settled by the object itself: the late one yields', async () => {
    const gateway = (eTag: string, sequencer: string) => ({
      Records: [
        {
          ...awsRecord({ bucket: 'plain', key: 'k', eTag, size: 1, sequencer }),
          userIdentity: { PrincipalId: 'root' },
        },
      ],
    });
    await intake.accept(gateway('new', '2'), queue);
    clock.advance(1);
    await intake.accept(gateway('old', '1'), queue);
    expect(await ledger.identified(await scanOf('new'), facts('new'))).toEqual({ kind: 'current' });
    expect(await ledger.identified(await scanOf('old'), facts('new'))).toEqual({ kind: 'superseded' });
    expect((await rows()).map((row) => [row.e_tag, row.is_latest])).toEqual([
      ['new', true],
      ['old', false],
    ]);
    // A repeated task changes nothing.
    expect(await ledger.identified(await scanOf('old'), facts('new'))).toEqual({ kind: 'superseded' });
    expect((await rows()).filter((row) => row.is_latest)).toHaveLength(1);
  });

  it('never take a newer verdict’s place', async () => {
    const speak = async (eTag: string, verdict: 'clean' | 'infected') =>
      ledger.recordVerdict(await scanOf(eTag), {
        verdict,
        reason: verdict === 'clean' ? '' : 'malware_found',
        engines: [],
        bytesScanned: 1,
        bytesTotal: 1,
        notCovered: [],
        workflowId: 'w',
      });
    await intake.accept(awsMessage({ key: 'k', versionId: 'v2', eTag: 'new', sequencer: '00B' }), queue);
    await speak('new', 'infected');
    await intake.accept(awsMessage({ key: 'k', versionId: 'v1', eTag: 'old', sequencer: '00A' }), queue);
    await speak('old', 'clean');
    const said = (await rows()).map((row) => `${row.version_id ?? ''} ${row.verdict} ${row.is_latest}`);
    expect(said.toSorted()).toEqual(['v1 clean false', 'v2 infected true']);
  });
});

describe('who tells of an object that was seen', () => {
  it.each([
    ['a job', { objects: [{ bucket: 'uploads', key: 'k', versionId: 'v1' }] }],
    [
      'GuardDuty',
      {
        source: 'aws.guardduty',
        'detail-type': 'GuardDuty Malware Protection Object Scan Result',
        detail: {
          resourceType: 'S3_OBJECT',
          s3ObjectDetails: { bucketName: 'uploads', objectKey: 'k', versionId: 'v1' },
          scanResultDetails: { scanResultStatus: 'NO_THREATS_FOUND' },
        },
      },
    ],
  ])('(%s) has an older version scanned and does not make it the latest', async (_, message) => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v2', sequencer: '00B' }), queue);
    clock.advance(1);
    await intake.accept(message, queue);
    expect((await rows()).map((row) => [row.version_id, row.is_latest, row.scans])).toEqual([
      ['v2', true, 1],
      ['v1', false, 1],
    ]);
  });
});

describe('keys', () => {
  const odd = [
    'a+b',
    'a b',
    'a%2Bb',
    '100%',
    '#x?y=z',
    '../../etc/passwd',
    '/leading',
    '//',
    'line\nbreak',
    'folder/',
    '.',
    '${workflow.secrets.X}',
    '😀',
    'caf\u00e9',
    'cafe\u0301',
    'K',
    'k',
    'x'.repeat(1024),
    '\u{1f600}'.repeat(256),
    ' ',
    '\t',
  ];

  it('are each an object of their own, kept letter by letter and scanned', async () => {
    await intake.accept(awsMessage(...odd.map((key) => ({ key, versionId: 'v', size: 3 }))), queue);
    const all = await rows();
    expect(all.map((row) => row.key).toSorted()).toEqual(odd.toSorted());
    expect(all.every((row) => row.scans === 1)).toBe(true);
    const inputs = await test.query<{ key: string }>(`SELECT input->>'key' AS key FROM backlog_item`);
    expect(inputs.map(({ key }) => key).toSorted()).toEqual(odd.toSorted());
  });

  it('that end in / are scanned like any other, and so are objects without bytes', async () => {
    await intake.accept(
      awsMessage(
        { key: 'folder/', versionId: 'a', size: 5 },
        { key: 'folder/', versionId: 'b', size: 0 },
        { key: 'empty', versionId: 'v', size: 0 },
      ),
      queue,
    );
    expect((await rows()).map((row) => [row.key, row.scans])).toEqual([
      ['empty', 1],
      ['folder/', 1],
      ['folder/', 1],
    ]);
  });
});

describe('a delete marker', () => {
  it('hides and removes nothing: versions before and after it are scanned', async () => {
    const marker = {
      key: 'k',
      versionId: 'm',
      sequencer: '00B',
      eventName: 'ObjectRemoved:DeleteMarkerCreated',
    };
    await intake.accept(awsMessage({ key: 'k', versionId: 'v1', sequencer: '00A' }, marker), queue);
    await intake.accept(awsMessage({ key: 'k', versionId: 'v2', sequencer: '00C' }), queue);
    expect((await rows()).map((row) => [row.version_id, row.scans])).toEqual([
      ['v1', 1],
      ['v2', 1],
    ]);
  });
});

describe('what the service writes itself', () => {
  const silent = pino({ level: 'silent' });
  const own = new IntakeService(database, clock, buckets, rules, bell, silent, undefined, {
    OWN_PRINCIPALS: ['AROAOURSOURSOURS', 'our-access-key'],
  });
  const by = (principalId: string, key: string) => ({
    Records: [{ ...awsRecord({ key, versionId: 'v', size: 1 }), userIdentity: { principalId } }],
  });

  it.each(['AWS:AROAOURSOURSOURS:sallyport', 'AROAOURSOURSOURS', 'our-access-key'])(
    'as %s is in the ledger as such, and not scanned',
    async (principal) => {
      expect(await own.accept(by(principal, 'k'), queue)).toMatchObject({ accepted: 1 });
      expect(await rows()).toMatchObject([{ verdict: 'skipped', scans: 0 }]);
      expect(await test.query('SELECT reason FROM verdict')).toEqual([{ reason: 'own_write' }]);
    },
  );

  it.each([
    'AWS:AROATHEIRSTHEIRS:sallyport',
    'AWS:AROATHEIRS:AROAOURSOURSOURS',
    'AROATHEIRS:AROAOURSOURSOURS',
    '',
    'AROAOURSOURSOURSX',
  ])('is told from what %j writes, which is scanned', async (principal) => {
    await own.accept(by(principal, 'k'), queue);
    expect(await rows()).toMatchObject([{ scans: 1 }]);
  });

  it('is nobody’s when nobody is named', async () => {
    await intake.accept(by('AWS:AROAOURSOURSOURS:sallyport', 'k'), queue);
    expect(await rows()).toMatchObject([{ scans: 1 }]);
  });
});
