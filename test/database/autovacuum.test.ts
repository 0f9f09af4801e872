import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';

const HOT = [
  'workflow',
  'workflow_payload',
  'task',
  'workflow_timer',
  'workflow_inbox',
  'applied_command',
  'poll_data',
];

test('every hot table is vacuumed long before a fifth of it is dead', async () => {
  const database = await testDatabase();
  const rows = await database.query<{ name: string; options: string[] | null }>(
    'SELECT relname AS name, reloptions AS options FROM pg_class WHERE relname = ANY ($1)',
    [HOT],
  );
  const factors = Object.fromEntries(
    rows.map(({ name, options }) => [
      name,
      Number(options?.find((one) => one.startsWith('autovacuum_vacuum_scale_factor='))?.split('=')[1]),
    ]),
  );
  expect(Object.keys(factors).sort()).toEqual(HOT.toSorted());
  for (const [name, factor] of Object.entries(factors)) expect([name, factor <= 0.01]).toEqual([name, true]);
});
