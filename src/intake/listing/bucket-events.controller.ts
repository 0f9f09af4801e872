import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { VIEWERS, Roles } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isText } from '../../cursor.js';
import { Database } from '../../database/database.js';
import { Buckets } from '../../s3/buckets.js';
import { watchedBuckets } from './sql/bucket-watch.js';

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});
type ListQuery = z.infer<typeof ListQuery>;

const iso = z.iso.datetime().nullable();
const BucketEvents = z
  .object({
    endpointId: z.string(),
    bucket: z.string(),
    /** From when on its uploads are ours to know; null until somebody began to watch it. */
    watchedSince: iso,
    /** When an event last told of an upload, as far back as the last thousand objects of the bucket. */
    lastEventAt: iso,
    /** When the bucket was last compared with the ledger. */
    comparedAt: iso,
    /** Uploads that the comparison found and no event told of; 0 when the events arrive. */
    missed: z.number(),
    missedSince: iso,
  })
  .meta({ id: 'BucketEvents' });
type BucketEvents = z.infer<typeof BucketEvents>;
const BucketEventsPage = z
  .object({ items: z.array(BucketEvents), nextCursor: z.string().optional() })
  .meta({ id: 'BucketEventsPage' });
type BucketEventsPage = z.infer<typeof BucketEventsPage>;

/** Whether the events of the buckets arrive. */
@Controller('api/v1/bucket-events')
export class BucketEventsController {
  constructor(
    private readonly buckets: Buckets,
    private readonly database: Database,
  ) {}

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: BucketEventsPage })
  async list(@Query({ schema: ListQuery }) { limit, cursor }: ListQuery): Promise<BucketEventsPage> {
    const after = cursor === undefined ? '' : decodeCursor(cursor, isText).id;
    const rest = this.buckets
      .list()
      .filter((bucket) => placeOf(bucket) > after)
      .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
    const shown = rest.slice(0, limit);
    const last = shown.at(-1);
    const watches = await watchedBuckets(this.database, shown);
    return {
      items: shown.map(({ endpointId, bucket }) => {
        const watch = watches.find((one) => one.endpointId === endpointId && one.bucket === bucket);
        return {
          endpointId,
          bucket,
          watchedSince: isoOf(watch?.since),
          lastEventAt: isoOf(watch?.lastEventAt),
          comparedAt: isoOf(watch?.reconciledAt),
          missed: watch?.missedSince === undefined ? 0 : watch.missed,
          missedSince: isoOf(watch?.missedSince),
        };
      }),
      ...(rest.length > shown.length && last && { nextCursor: encodeCursor({ at: 0, id: placeOf(last) }) }),
    };
  }
}

/** The list's order. A slash is in no endpoint's id and in no bucket's name. */
const placeOf = ({ endpointId, bucket }: Pick<BucketEvents, 'endpointId' | 'bucket'>): string =>
  `${endpointId}/${bucket}`;

const isoOf = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();
