import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { OutboxMessage } from '../outbox.js';

/** Stores messages in the caller's transaction; one that is there already (kind and key) stays as it is. */
export const insertMessages = (
  tx: Queryable,
  messages: readonly OutboxMessage[],
  now: Instant,
): Promise<unknown> =>
  tx.query(
    `INSERT INTO outbox (kind, key, order_group, payload, due_at, created_at)
     SELECT m->>'kind', m->>'key', m->>'group', m->'payload', COALESCE((m->>'notBefore')::bigint, $2), $2
     FROM json_array_elements($1::json) WITH ORDINALITY AS t(m, n) ORDER BY n
     ON CONFLICT (kind, key) DO NOTHING`,
    [JSON.stringify(messages), now],
  );
