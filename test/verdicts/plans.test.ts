import { beforeAll, describe, expect, it } from 'vitest';
import { BACKLOG_ENTITIES } from '../../src/backlog/backlog.module.js';
import { createDataSource } from '../../src/database/data-source.js';
import { INTAKE_ENTITIES } from '../../src/intake/intake.module.js';
import { TRIGGER_ENTITIES } from '../../src/triggers/triggers.module.js';
import { listStatement, type ObjectFilter } from '../../src/verdicts/sql/list-objects.js';
import { VERDICT_ENTITIES } from '../../src/verdicts/verdicts.module.js';
import { testDatabase } from '../support/database.js';

const test = await testDatabase();
const after = { at: 1_700_000_050_000, id: '00000000-0000-4000-8000-000000000000' };

beforeAll(async () => {
  await test.query(`
    INSERT INTO object_version (id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin, is_latest,
                                uploaded_at, first_seen_at, verdict)
    SELECT gen_random_uuid(), 'embedded', 'b' || (n % 20), 'dir/' || n, 'v', n::text, true, 'event', true,
           1700000000000 + n, 1700000000000 + n, (ARRAY['clean', 'infected', 'pending'])[n % 3 + 1]
      FROM generate_series(1, 20000) n`);
  await test.query('ANALYZE object_version');
});

describe('the list of objects', () => {
  const table: readonly [string, ObjectFilter, string][] = [
    ['everything', {}, 'object_version_seen'],
    ['one bucket', { bucket: 'b3' }, 'object_version_bucket'],
    ['one verdict', { verdicts: ['infected'] }, 'object_version_verdict'],
    ['one key', { bucket: 'b3', key: 'dir/3' }, 'object_version_key'],
    ['keys of one beginning', { bucket: 'b3', prefix: 'dir/123' }, 'object_version_key'],
  ];
  it.each(table)('of %s is read through its index', async (_, filter, index) => {
    for (const page of [{ limit: 51 }, { limit: 51, after }]) {
      const { text, values } = listStatement(filter, page);
      const plan = await test.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
      const lines = plan.map((line) => line['QUERY PLAN']).join('\n');
      expect(lines).toContain(index);
      expect(lines).not.toContain('Seq Scan on object_version');
    }
  });
});

describe('the entities', () => {
  it('describe the tables as the migrations made them', async () => {
    const entities = [...VERDICT_ENTITIES, ...INTAKE_ENTITIES, ...TRIGGER_ENTITIES, ...BACKLOG_ENTITIES];
    const source = await (await createDataSource(test.url, entities)).initialize();
    try {
      for (const { tableName, columns } of source.entityMetadatas) {
        const stored = await test.query(
          `SELECT column_name AS name, is_nullable = 'YES' AS nullable FROM information_schema.columns
            WHERE table_name = $1 ORDER BY column_name`,
          [tableName],
        );
        const described = columns.map((column) => ({
          name: column.databaseName,
          nullable: column.isNullable,
        }));
        expect(
          described.sort((a, b) => (a.name < b.name ? -1 : 1)),
          tableName,
        ).toEqual(stored);
      }
    } finally {
      await source.destroy();
    }
  });
});
