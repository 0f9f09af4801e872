/**
 * Of a scan `s`: it waits or runs. Not one that has its verdict or its end, and not one that left the backlog without a
 * start: a dead letter, or taken out. Starting takes the item out and notes the start in one statement.
 */
export const IS_UNDER_WAY = `(s.verdict_at IS NULL AND s.closed_at IS NULL AND (
  s.started_at IS NOT NULL OR EXISTS (SELECT FROM backlog_item b WHERE b.scan_id = s.id)))`;
