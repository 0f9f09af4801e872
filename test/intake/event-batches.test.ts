import { beforeEach, expect, it } from 'vitest';
import type { Queryable } from '../../src/database/queryable.js';
import { normalise } from '../../src/intake/normalise.js';
import { storeUploads } from '../../src/intake/store-uploads.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const { intake, test, database, clock, rules } = await intakeParts();
const webhook = { kind: 'webhook' } as const;

beforeEach(() => test.truncate());

const transactionsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const ids = () =>
    test.query<{ xid: string }>('SELECT DISTINCT xmin::text AS xid FROM intake_event ORDER BY 1');
  const before = await ids();
  await work();
  return (await ids()).length - before.length;
};

it('messages that come at the same time share a transaction, and each hears what it added', async () => {
  const upload = (index: number) => awsMessage({ key: `k${index % 40}`, versionId: 'v', size: 1 });
  const count = await transactionsOf(async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => intake.accept(upload(index), webhook)),
    );
    expect(answers.map(({ accepted }) => accepted).slice(0, 40)).toEqual(Array.from({ length: 40 }, () => 1));
    expect(answers.slice(40).map(({ duplicates }) => duplicates)).toEqual(
      Array.from({ length: 20 }, () => 1),
    );
  });
  expect(count).toBe(1);
});

it('a message that the database refuses harms none beside it', async () => {
  await test.query(`ALTER TABLE object_version ADD CONSTRAINT refuse CHECK (key <> 'refused')`);
  try {
    const answers = await Promise.allSettled(
      ['a', 'b', 'refused', 'c'].map((key) => intake.accept(awsMessage({ key, versionId: 'v' }), webhook)),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await test.query('SELECT key FROM object_version ORDER BY key')).toEqual([
      { key: 'a' },
      { key: 'b' },
      { key: 'c' },
    ]);
  } finally {
    await test.query('ALTER TABLE object_version DROP CONSTRAINT refuse');
  }
});

it('what happens to one key in one message happens in its order', async () => {
  await intake.accept(
    awsMessage(
      { bucket: 'plain', key: 'k', eTag: 'e1', sequencer: 'A1' },
      { bucket: 'plain', key: 'k', eventName: 'ObjectRemoved:Delete', sequencer: 'A2' },
      { bucket: 'plain', key: 'k', eTag: 'e3', sequencer: 'A3' },
      { bucket: 'plain', key: 'k', eTag: 'e0', sequencer: 'A0' },
      { bucket: 'plain', key: 'other', eTag: 'e', sequencer: 'A1' },
    ),
    webhook,
  );
  expect(
    await test.query(
      `SELECT key, e_tag, is_latest, deleted_at IS NOT NULL AS deleted, verdict FROM object_version ORDER BY key, e_tag`,
    ),
  ).toEqual([
    { key: 'k', e_tag: 'e0', is_latest: false, deleted: false, verdict: 'superseded' },
    { key: 'k', e_tag: 'e1', is_latest: false, deleted: true, verdict: 'pending' },
    { key: 'k', e_tag: 'e3', is_latest: true, deleted: false, verdict: 'pending' },
    { key: 'other', e_tag: 'e', is_latest: true, deleted: false, verdict: 'pending' },
  ]);
});

it('a thousand uploads take as many statements as one', async () => {
  const statements = (count: number): Promise<number> =>
    database.transaction(async (tx) => {
      let sent = 0;
      const counting: Queryable = {
        query: (text, values) => {
          sent += 1;
          return tx.query(text, values);
        },
      };
      const { events } = normalise(
        awsMessage(
          ...Array.from({ length: count }, (_, index) => ({ key: `${count}/${index}`, versionId: 'v' })),
        ),
      );
      const uploads = events.map((event) => ({
        event,
        ref: { endpointId: 'embedded', bucket: event.bucket, key: event.key, versionId: 'v' },
        nonce: event.key,
        receivedAt: clock.now(),
      }));
      const effects = await storeUploads(counting, uploads, await rules.match(tx));
      expect(effects.map(({ effect }) => effect)).toEqual(Array.from({ length: count }, () => 'scan'));
      return sent;
    });
  expect(await statements(1000)).toBe(await statements(1));
  expect(await test.query('SELECT count(*)::int AS n FROM backlog_item')).toEqual([{ n: 1001 }]);
});
