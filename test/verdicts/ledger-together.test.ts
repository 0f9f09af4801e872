import { beforeEach, describe, expect, it } from 'vitest';
import type { VerdictRecord } from '../../src/verdicts/ledger.js';
import { Client } from 'pg';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';

const { intake, ledger, test, clock } = await intakeParts();
const webhook = { kind: 'webhook' } as const;
const verdict: VerdictRecord = {
  verdict: 'clean',
  reason: '',
  engines: [],
  bytesScanned: 3,
  bytesTotal: 3,
  notCovered: [],
  workflowId: 'w',
};
const facts = { eTag: 'e', sizeBytes: 3, lastModified: '2026-11-23T12:00:00.000Z' };

beforeEach(() => test.truncate());

async function uploads(...keys: string[]): Promise<string[]> {
  await intake.accept(awsMessage(...keys.map((key) => ({ key, versionId: 'v' }))), webhook);
  const rows = await test.query<{ id: string }>(
    'SELECT s.id FROM scan s JOIN object_version o ON o.id = s.object_id ORDER BY o.key, s.generation',
  );
  return rows.map(({ id }) => id);
}

/** A second scan of the same object. */
async function rescanned(scanId: string): Promise<string> {
  const [row] = await test.query<{ id: string }>(
    `INSERT INTO scan (id, object_id, generation, origin, requested_by, opened_object, workflow_name, workflow_id, requested_at)
     SELECT gen_random_uuid(), object_id, 2, origin, requested_by, false, workflow_name, 'again', requested_at
       FROM scan WHERE id = $1 RETURNING id`,
    [scanId],
  );
  return row?.id ?? '';
}

const verdicts = () =>
  test.query<{ key: string; verdict: string }>('SELECT key, verdict FROM object_version ORDER BY key');

describe('what scans ask of the ledger at the same time', () => {
  it('leaves none waiting for the row of another that somebody holds', async () => {
    const [a = '', b = '', c = ''] = await uploads('a', 'b', 'c');
    const holder = new Client({ connectionString: test.url });
    await holder.connect();
    try {
      await holder.query(`BEGIN; SELECT FROM object_version WHERE key = 'a' FOR UPDATE`);
      const held = ledger.recordVerdict(a, verdict);
      await Promise.all([b, c].map((id) => ledger.recordVerdict(id, verdict)));
      expect(await verdicts()).toMatchObject([
        { verdict: 'pending' },
        { verdict: 'clean' },
        { verdict: 'clean' },
      ]);
      await holder.query('COMMIT');
      await held;
      expect(await verdicts()).toMatchObject([{ verdict: 'clean' }, {}, {}]);
    } finally {
      await holder.end();
    }
  });

  it('keeps words that no JSON of PostgreSQL holds, of an action and of what S3 says of an object', async () => {
    const [a = '', b = ''] = await uploads('a', 'b');
    const note = `denied: ${'x'.repeat(10)}\ud83d and \u0000`;
    await Promise.all([
      ledger.recordAction(a, 't', {
        action: 'tagged',
        performed: false,
        note,
        data: { note },
        at: clock.now(),
      }),
      ledger.recordAction(b, 't', { action: 'tagged', performed: true, at: clock.now() }),
      ledger.identified(a, { ...facts, contentType: 'text/\udc00' }),
      ledger.identified(b, facts),
    ]);
    const actions = await test.query<{ note: string | null }>(
      'SELECT note FROM object_action ORDER BY performed',
    );
    expect(actions.map((row) => row.note)).toEqual([`denied: ${'x'.repeat(10)}\ufffd and \ufffd`, null]);
    expect(await test.query('SELECT content_type FROM object_version ORDER BY key')).toEqual([
      { content_type: 'text/\ufffd' },
      { content_type: null },
    ]);
  });

  it('of one object, ends as if it had come one by one', async () => {
    const [first = ''] = await uploads('a');
    const second = await rescanned(first);
    await Promise.all([
      ledger.identified(first, { ...facts, storageClass: 'GLACIER' }),
      ledger.identified(second, facts),
      ledger.recordVerdict(first, { ...verdict, verdict: 'infected', reason: 'malware_found' }),
      ledger.recordVerdict(second, verdict),
    ]);
    const at = clock.now();
    await Promise.all([
      ledger.recordAction(first, 't1', { action: 'quarantined', performed: true, at }),
      ledger.recordAction(second, 't2', { action: 'released', performed: true, at }),
    ]);
    expect(
      await test.query('SELECT storage_class, verdict, verdict_generation, action FROM object_version'),
    ).toEqual([{ storage_class: null, verdict: 'clean', verdict_generation: 2, action: 'released' }]);
    expect(await test.query('SELECT verdict FROM verdict ORDER BY generation')).toHaveLength(2);
  });

  it('goes in pieces when it is much', async () => {
    const ids = await uploads(
      ...Array.from({ length: 12 }, (_, index) => `k${String(index).padStart(2, '0')}`),
    );
    const notCovered = Array.from({ length: 200 }, () => ({
      path: '\u0001'.repeat(2000),
      reason: 'encrypted' as const,
    }));
    await Promise.all(
      ids.map((id) => ledger.recordVerdict(id, { ...verdict, verdict: 'incomplete', notCovered })),
    );
    const transactions = await test.query('SELECT DISTINCT xmin::text FROM verdict');
    expect(transactions.length).toBeGreaterThanOrEqual(12);
  });
});
