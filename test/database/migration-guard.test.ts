import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dangersOf } from '../support/migration-dangers.js';

const folder = fileURLToPath(new URL('../../src/database/migrations/', import.meta.url));
// The first release had these; nothing served before it.
const LAST_OF_FIRST_RELEASE = 1_764_030_000_000;

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .sort();
const sourceOf = (name: string): string => readFileSync(folder + name, 'utf8');

describe('a migration that runs while the version before it serves', () => {
  const later = files.filter((name) => Number(name.slice(0, 13)) > LAST_OF_FIRST_RELEASE);
  test.each(later)('%s hurts it in no way', (name) => {
    const before = files.slice(0, files.indexOf(name)).map(sourceOf);
    expect(dangersOf(sourceOf(name), before)).toEqual([]);
  });

  test.each(files)('%s says in its first lines whether workers may stay up', (name) => {
    expect(sourceOf(name)).toMatch(/Workers may stay up/);
  });

  const up = (sql: string, more = ''): string =>
    `class A { ${more} async up(db) { await db.query(\`${sql}\`); }\n  async down(db) { await db.query('DROP TABLE x'); \n  }\n}`;
  const big = [`CREATE TABLE task (id text); CREATE INDEX task_old ON task (id)`];

  test.each([
    ['ALTER TABLE task DROP COLUMN reason', /DROP COLUMN/],
    ['DROP TABLE task', /DROP TABLE/],
    ['ALTER TABLE task DROP CONSTRAINT task_pkey', /DROP CONSTRAINT/],
    ['ALTER TABLE task DROP CONSTRAINT IF EXISTS task_name_key', /DROP CONSTRAINT/],
    ['ALTER TABLE task RENAME COLUMN a TO b', /RENAME/],
    ['ALTER TABLE task ALTER COLUMN a TYPE bigint', /TYPE/],
    ['ALTER TABLE task ALTER COLUMN a SET NOT NULL', /SET NOT NULL/],
    ['ALTER TABLE task ADD COLUMN a text NOT NULL', /needs a DEFAULT/],
    [
      'ALTER TABLE task ADD COLUMN b int DEFAULT 0, ADD COLUMN a numeric(3,1) NOT NULL',
      /numeric.*needs a DEFAULT/,
    ],
    ['ALTER TABLE task ADD COLUMN at timestamptz NOT NULL DEFAULT now()', /differs by row/],
    ['CREATE INDEX task_a ON task (a)', /createIndexConcurrently/],
    ['CREATE UNIQUE INDEX CONCURRENTLY task_a ON task (a)', /may write what it forbids/],
    ['CREATE INDEX CONCURRENTLY task_a ON task (a)', /transaction = false/],
    ['DROP INDEX task_old', /CONCURRENTLY/],
    ['ALTER TABLE task ADD CONSTRAINT c CHECK (a > 0)', /NOT VALID/],
    ['UPDATE task SET a = 1', /locks rows/],
    ['TRUNCATE task', /keeps everybody out/],
  ])('%s is told as a danger', (sql, danger) => {
    expect(dangersOf(up(sql), big).join('\n')).toMatch(danger);
  });

  test.each([
    [up('ALTER TABLE task ADD COLUMN a text')],
    [up('ALTER TABLE task DROP CONSTRAINT task_state_check, DROP CONSTRAINT IF EXISTS task_check1')],
    [up('ALTER TABLE task ADD COLUMN a text COLLATE "C", ADD COLUMN b int NOT NULL DEFAULT 0')],
    [up('CREATE TABLE fresh (id text NOT NULL, at bigint NOT NULL); CREATE UNIQUE INDEX f ON fresh (at)')],
    [up('CREATE INDEX n ON workflow_timer (due_at)')],
    [up('CREATE INDEX CONCURRENTLY n ON task (a)', 'readonly transaction = false as const;')],
    [up('ALTER TABLE task SET (autovacuum_vacuum_scale_factor = 0.01)')],
    [up('ALTER TABLE task ADD CONSTRAINT c CHECK (a > 0) NOT VALID')],
  ])('and %s is not', (source) => {
    expect(dangersOf(source, big)).toEqual([]);
  });
});
