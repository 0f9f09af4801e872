import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareSequencers } from '../../src/intake/sequencer.js';
import { coverage } from '../../src/verdicts/verdicts.queries.js';
import { awsMessage, intakeParts, type RecordParts } from './intake-parts.js';

const { test, database, clock, intake } = await intakeParts();

/** Uploads of few keys, each at a place of its own in its key's order. */
const uploads: fc.Arbitrary<RecordParts[]> = fc
  .uniqueArray(
    fc.record({
      bucket: fc.constantFrom('uploads', 'plain'),
      key: fc.constantFrom('a', 'b c', 'd+e'),
      sequencer: fc
        .integer({ min: 1, max: 4095 })
        .map((n) => `00${n.toString(16).toUpperCase().padStart(3, '0')}`),
    }),
    {
      minLength: 1,
      maxLength: 25,
      selector: ({ bucket, key, sequencer }) => `${bucket} ${key} ${sequencer}`,
    },
  )
  .map((list) =>
    list.map((upload) => ({
      ...upload,
      size: 1,
      eTag: `e${upload.sequencer}`,
      ...(upload.bucket === 'uploads' && { versionId: `v${upload.sequencer}` }),
    })),
  );

it('duplicates and disorder change nothing: every version once, the newest the latest, no stale one scanned after it', async () => {
  const deliveries = uploads.chain((list) =>
    fc.record({
      list: fc.constant(list),
      order: fc.shuffledSubarray([...list, ...list, ...list], { minLength: list.length * 3 }),
      batch: fc.integer({ min: 1, max: 7 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(deliveries, async ({ list, order, batch }) => {
      await test.truncate();
      const from = clock.now();
      const messages: RecordParts[][] = [];
      for (let start = 0; start < order.length; start += batch)
        messages.push(order.slice(start, start + batch));
      await Promise.all(
        messages.map((records) => intake.accept(awsMessage(...records), { kind: 'webhook' })),
      );
      clock.advance(1);

      const rows = await test.query<{
        bucket: string;
        key: string;
        e_tag: string;
        is_latest: boolean;
        verdict: string;
        scans: number;
      }>(
        `SELECT bucket, key, e_tag, is_latest, verdict,
                (SELECT count(*)::int FROM scan WHERE object_id = o.id) AS scans
           FROM object_version o`,
      );
      expect(rows).toHaveLength(list.length);
      for (const upload of list) {
        const same = list.filter(({ bucket, key }) => bucket === upload.bucket && key === upload.key);
        const isNewest = same.every(
          (other) => compareSequencers(other.sequencer ?? '', upload.sequencer ?? '') <= 0,
        );
        const row = rows.find(
          ({ bucket, key, e_tag }) => bucket === upload.bucket && key === upload.key && e_tag === upload.eTag,
        );
        expect(row?.is_latest).toBe(isNewest);
        if (isNewest || upload.bucket === 'uploads')
          expect(row).toMatchObject({ verdict: 'pending', scans: 1 });
        else expect(row?.verdict === 'superseded' ? 0 : 1).toBe(row?.scans);
      }
      const { uploaded, verdicts } = await coverage(database, from, clock.now());
      expect(uploaded).toBe(list.length);
      expect(Object.values(verdicts).reduce((sum, count) => sum + count, 0)).toBe(list.length);
    }),
    { numRuns: 25 },
  );
}, 60_000);
