import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// As src/reviews/sql/search.ts and list-reviews.ts have them.
const PUNCTUATION = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~";
const TEXT = `title || ' ' || coalesce(subject #>> '{object,ref,bucket}', '') || ' ' || coalesce(subject #>> '{object,ref,key}', '')`;
const WORDS = `to_tsvector('simple'::regconfig, translate(${TEXT}, '${PUNCTUATION}', '${' '.repeat(PUNCTUATION.length - 1)}'))`;
const RISK = `coalesce(risk, CASE verdict WHEN 'infected' THEN 85 WHEN 'secrets' THEN 60 WHEN 'suspicious' THEN 50
  WHEN 'encrypted' THEN 30 WHEN 'incomplete' THEN 30 WHEN 'unsupported' THEN 20 ELSE 10 END)`;
const WAITS = `state IN ('OPEN', 'ASSIGNED', 'CLAIMED', 'ON_HOLD', 'INFO_REQUESTED')`;

const INDEXES: readonly (readonly [string, string])[] = [
  // Serves the search by words of title, bucket and key.
  ['review_words', `ON review USING gin ((${WORDS}))`],
  // Serves the inbox: what is gravest first, and the oldest of those.
  ['review_risk', `ON review (((100 - ${RISK}) * 10000000000000 + created_at), id) WHERE ${WAITS}`],
];

// Workers may stay up: the indexes are made beside them. A cut-short one is made again.
export class IndexReviewSearch1766320003000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    for (const [name, on] of INDEXES) await createIndexConcurrently(db, name, on);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const [name] of INDEXES) await db.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
}
