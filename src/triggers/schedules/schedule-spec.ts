import type { JsonObject } from '../../engine/model/json.js';
import type { CatchUp } from './catch-up.js';

/** A schedule as somebody wants it. */
export interface ScheduleSpec {
  /** Lower case letters, digits, `_`, `.` and `-`; never changes. */
  readonly name: string;
  readonly description?: string | undefined;
  /** Of a registered ScheduledJob. */
  readonly kind: string;
  readonly payload: JsonObject;
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  /** Missed due instants older than this are never made up for. */
  readonly catchUpWithinSeconds: number;
  readonly enabled: boolean;
}

export const DEFAULT_CATCH_UP_SECONDS = 86_400;
