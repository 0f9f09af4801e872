import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, READERS, Roles, type Principal } from '../../access/principal.js';
import { Clock } from '../../clock.js';
import { decodeCursor, encodeCursor, isText } from '../../cursor.js';
import { isoOf, maybeIso } from '../object-view.js';
import { Baseline } from './baseline.service.js';
import type { AcceptedRow } from './sql/accepted-rows.js';

const storable = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL');

const Fingerprint = z
  .string()
  .regex(
    /^hmac-sha256:[\w.-]{1,100}:[0-9a-f]{64}$/,
    'must be a fingerprint of ours, as `hmac-sha256:<key>:<64 hex digits>`; those of other scanners name places, and cannot be used',
  );
const Bucket = storable(255).regex(/^[\w.-]+$/, 'must be the name of a bucket');

const NewEntry = z
  .strictObject({
    fingerprint: Fingerprint,
    /** Only where this rule finds it. */
    ruleId: storable(300).optional(),
    reason: storable(1000),
    /** Until then; for ever when left out. */
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    /** Only in buckets of this name; in all when left out. */
    bucket: Bucket.optional(),
  })
  .meta({ id: 'NewBaselineEntry' });
type NewEntry = z.infer<typeof NewEntry>;

const NewEntries = z.union([NewEntry, z.array(NewEntry).min(1).max(1000)], {
  error: 'must be {fingerprint, reason} with ruleId, bucket and expiresAt where wanted, or 1 to 1000 of them',
});

const BaselineEntry = z
  .object({
    fingerprint: z.string(),
    bucket: z.string().nullable(),
    ruleId: z.string().nullable(),
    reason: z.string(),
    expiresAt: z.iso.datetime().nullable(),
    /** It counts no more. */
    expired: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
  })
  .meta({ id: 'BaselineEntry' });
type BaselineEntry = z.infer<typeof BaselineEntry>;

const BaselinePage = z
  .object({ items: z.array(BaselineEntry), nextCursor: z.string().optional() })
  .meta({ id: 'BaselinePage' });
type BaselinePage = z.infer<typeof BaselinePage>;

const BaselineChange = z
  .object({ added: z.number(), changed: z.number(), unchanged: z.number() })
  .meta({ id: 'BaselineChange' });
type BaselineChange = z.infer<typeof BaselineChange>;

const BaselineRemoval = z
  .object({
    removed: z.number(),
    /** What is left to do: nothing is scanned again by itself. */
    next: z.string(),
  })
  .meta({ id: 'BaselineRemoval' });
type BaselineRemoval = z.infer<typeof BaselineRemoval>;

const ListQuery = z.object({
  fingerprint: Fingerprint.optional(),
  bucket: Bucket.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1000).optional(),
});
const RemoveQuery = z.object({ bucket: Bucket.optional() });

/** Secrets that people know of, by fingerprint: found again, they are recorded and do not make the verdict. */
@ApiTags('baseline')
@Controller('api/v1/baseline')
@Roles('author')
export class BaselineController {
  constructor(
    private readonly baseline: Baseline,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Roles(...READERS)
  @ApiOkResponse({ standardSchema: BaselinePage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): Promise<BaselinePage> {
    const { limit, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : placeIn(decodeCursor(cursor, isPlace).id);
    // One more than asked tells whether there is a next page.
    const rows = await this.baseline.list(filter, { after, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const now = this.clock.now();
    return {
      items: shown.map((row) => viewOf(row, now)),
      ...(rows.length > limit &&
        last && { nextCursor: encodeCursor({ at: 0, id: `${last.fingerprint}/${last.bucket}` }) }),
    };
  }

  /** One or many at once: all of them, or none. */
  @Post()
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: BaselineChange })
  accept(
    @Body({ schema: NewEntries }) body: z.infer<typeof NewEntries>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<BaselineChange> {
    const entries = (Array.isArray(body) ? body : [body]).map(({ expiresAt, ...entry }) => ({
      ...entry,
      ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
    }));
    return this.baseline.put(entries, auditActor(principal));
  }

  @Delete(':fingerprint')
  @ApiOkResponse({ standardSchema: BaselineRemoval })
  async remove(
    @Param('fingerprint', { schema: Fingerprint }) fingerprint: string,
    @Query({ schema: RemoveQuery }) { bucket }: z.infer<typeof RemoveQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<BaselineRemoval> {
    const removed = await this.baseline.remove(fingerprint, bucket, auditActor(principal));
    return { removed, next: rescanOf(bucket) };
  }
}

/** What was accepted is clean for the most part, and so among what a rescan takes when no verdicts are named. */
const rescanOf = (bucket: string | undefined): string =>
  `Objects that are judged already keep their verdict until they are scanned again: sallyport rescan${
    bucket === undefined ? '' : ` s3://${bucket}`
  } (POST /api/v1/rescans).`;

// A slash is in no fingerprint and in no bucket's name.
const isPlace = (id: string): boolean => isText(id) && id.includes('/');

function placeIn(id: string): Pick<AcceptedRow, 'fingerprint' | 'bucket'> {
  const [fingerprint = '', bucket = ''] = id.split('/', 2);
  return { fingerprint, bucket };
}

const viewOf = (row: AcceptedRow, now: number): BaselineEntry => ({
  fingerprint: row.fingerprint,
  bucket: row.bucket === '' ? null : row.bucket,
  ruleId: row.rule_id,
  reason: row.reason,
  expiresAt: maybeIso(row.expires_at),
  expired: row.expires_at !== null && row.expires_at <= now,
  createdAt: isoOf(row.created_at),
  createdBy: row.created_by,
});
