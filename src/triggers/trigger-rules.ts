import { Injectable } from '@nestjs/common';
import type { Queryable } from '../database/queryable.js';
import { matchRules, type Match, type TriggerRule, type Upload } from './match.js';

interface RuleRow {
  readonly name: string;
  readonly effect: 'allow' | 'deny';
  readonly bucket: string | null;
  readonly prefix: string | null;
  readonly suffix: string | null;
  readonly min_size_bytes: number | null;
  readonly max_size_bytes: number | null;
  readonly event_kinds: string[];
  readonly workflow_name: string;
  readonly priority: number;
}

/** The rules as they stand in the database; read with each message, so that a change holds from the next one on. */
@Injectable()
export class TriggerRules {
  /** What each upload starts, all judged by the same reading of the rules. */
  async match(tx: Queryable): Promise<(upload: Upload) => Match> {
    const rows = await tx.query<RuleRow>(
      `SELECT name, effect, bucket, prefix, suffix, min_size_bytes::float8, max_size_bytes::float8, event_kinds,
              workflow_name, priority
         FROM trigger_rule WHERE enabled ORDER BY position, name`,
    );
    const rules = rows.map(ruleOf);
    return (upload) => matchRules(rules, upload);
  }
}

const ruleOf = (row: RuleRow): TriggerRule => ({
  name: row.name,
  effect: row.effect,
  bucket: row.bucket ?? undefined,
  prefix: row.prefix ?? undefined,
  suffix: row.suffix ?? undefined,
  minSizeBytes: row.min_size_bytes ?? undefined,
  maxSizeBytes: row.max_size_bytes ?? undefined,
  eventKinds: row.event_kinds,
  workflowName: row.workflow_name,
  priority: row.priority,
});
