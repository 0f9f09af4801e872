import { z } from 'zod';

/** ISO 8601 in UTC, to the millisecond. */
export const time = z.iso.datetime({ precision: 3 });
export const count = z.number().int().min(0);
/** Milliseconds. */
export const duration = z.number().int().min(0);
export const text = z.string();

/** The first rows of a population; all of it is in the data file that is named. */
export const listed = <Row extends z.ZodType>(row: Row) =>
  z.object({ total: count, file: text, rows: z.array(row) });

/** Durations of `count` things; null where there are none. */
export const Spread = z
  .object({
    count,
    p50Ms: duration.nullable(),
    p90Ms: duration.nullable(),
    p95Ms: duration.nullable(),
    maxMs: duration.nullable(),
  })
  .meta({ id: 'Spread' });
export type Spread = z.infer<typeof Spread>;

/** Rows listed in a report itself; the counts beside them say how many there are. */
export const LISTED_ROWS = 500;
