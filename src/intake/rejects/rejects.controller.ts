import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor } from '../../cursor.js';
import { text } from '../sources/source.js';
import type { RejectRow } from '../sql/rejects.js';
import { RejectsService, type Replayed, type ReplayedMany } from './rejects.service.js';

// PostgreSQL's bigint has 19 digits; ids of a table with 18 come in a few hundred thousand years.
const ID = /^\d{1,18}$/;
const RejectId = z.string().regex(ID, 'must be a number, as the list shows it');

const maybe = (max: number) =>
  text(max)
    .transform((value) => (value === '' ? undefined : value))
    .optional();

const Filter = z.object({ reason: maybe(100), source: maybe(50), bucket: maybe(255) });
const ListQuery = Filter.extend({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: maybe(200),
});
type ListQuery = z.infer<typeof ListQuery>;

const ReplayMany = z
  .strictObject({
    reason: maybe(100),
    source: maybe(50),
    bucket: maybe(255),
    limit: z.int().min(1).max(500).default(100),
    after: z.string().regex(ID, 'must be what the last answer said').default('0'),
  })
  .meta({ id: 'ReplayRejects' });
type ReplayMany = z.infer<typeof ReplayMany>;

const RejectView = z
  .object({
    id: z.string(),
    source: z.string(),
    reason: z.string(),
    path: z.string(),
    message: z.string(),
    bucket: z.string().nullable(),
    deliveries: z.int(),
    firstAt: z.string(),
    lastAt: z.string(),
    truncated: z.boolean(),
  })
  .meta({ id: 'Reject' });
type RejectView = z.infer<typeof RejectView>;
const RejectPage = z.object({ items: z.array(RejectView), nextCursor: z.string().optional() });
type RejectPage = z.infer<typeof RejectPage>;
const WholeReject = RejectView.extend({ raw: z.string() }).meta({ id: 'WholeReject' });
type WholeReject = z.infer<typeof WholeReject>;

/** What sources sent and nobody could use. */
@Controller('api/v1/rejects')
export class RejectsController {
  constructor(private readonly rejects: RejectsService) {}

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: RejectPage })
  async list(@Query({ schema: ListQuery }) query: ListQuery): Promise<RejectPage> {
    const { cursor, limit, ...filter } = query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, (id) => ID.test(id));
    // One more than asked tells whether there is a next page.
    const rows = await this.rejects.list(filter, { after, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(viewOf),
      ...(rows.length > limit && last && { nextCursor: encodeCursor({ at: last.last_at, id: last.id }) }),
    };
  }

  /** With what was sent, as far as it was kept; tokens in it are blanked. */
  @Get(':id')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: WholeReject })
  async one(@Param('id', { schema: RejectId }) id: string): Promise<WholeReject> {
    const row = await this.rejects.get(id);
    return { ...viewOf(row), raw: row.raw };
  }

  /** Takes in again all that the filter names, as many as fit into one request; goes on at `after`. */
  @Post('replay')
  @HttpCode(200)
  @Roles('operator')
  replayMany(
    @Body({ schema: ReplayMany }) { limit, after, ...filter }: ReplayMany,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReplayedMany> {
    return this.rejects.replayMany(filter, { after, limit }, auditActor(principal));
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Roles('operator')
  replay(
    @Param('id', { schema: RejectId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Replayed> {
    return this.rejects.replay(id, auditActor(principal));
  }

  @Delete(':id')
  @HttpCode(204)
  @Roles('operator')
  async remove(
    @Param('id', { schema: RejectId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.rejects.remove(id, auditActor(principal));
  }
}

const viewOf = (row: RejectRow): RejectView => ({
  id: row.id,
  source: row.source_kind,
  reason: row.reason,
  path: row.path,
  message: row.message,
  bucket: row.bucket,
  deliveries: row.deliveries,
  firstAt: new Date(row.first_at).toISOString(),
  lastAt: new Date(row.last_at).toISOString(),
  truncated: row.truncated,
});
