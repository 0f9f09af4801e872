import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently } from '../concurrent-index.js';

// Workers may stay up: the index is made beside them. A cut-short one is made again.
export class IndexWebhookDeliveries1766310003000 implements MigrationInterface {
  readonly transaction = false as const;

  async up(db: QueryRunner): Promise<void> {
    // Serves the list of a subscription's deliveries, newest first (src/reviews/sql/webhook-deliveries.ts).
    await createIndexConcurrently(
      db,
      'outbox_webhook',
      `ON outbox ((split_part(key, ':', 1)), id DESC) WHERE kind = 'webhook'`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX CONCURRENTLY IF EXISTS outbox_webhook');
  }
}
