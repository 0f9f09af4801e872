import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../../cursor.js';
import type { LegalHold } from './legal-hold.js';
import { LegalHolds } from './legal-holds.service.js';

const text = (max: number) => z.string().min(1).max(max);
const moment = z.iso.datetime({ offset: true }).transform((at) => Date.parse(at));
const Reason = text(1000).refine((why) => why.trim() !== '', 'must say why');

const PlaceHold = z
  .strictObject({
    reason: Reason,
    from: moment.optional(),
    to: moment.optional(),
    endpointId: text(64).optional(),
    bucket: text(255).optional(),
    keyPrefix: text(1024).optional(),
    reviewId: z.guid('must be the id of a review').optional(),
    workflowId: text(200).optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || to > from, {
    path: ['to'],
    message: 'must come after `from`',
  })
  .refine(({ bucket, keyPrefix }) => keyPrefix === undefined || bucket !== undefined, {
    path: ['keyPrefix'],
    message: 'needs `bucket`',
  })
  .refine(({ bucket, endpointId }) => endpointId === undefined || bucket !== undefined, {
    path: ['endpointId'],
    message: 'needs `bucket`',
  })
  .refine(
    ({ from, to, bucket, reviewId, workflowId }) =>
      [from, to, bucket, reviewId, workflowId].some((value) => value !== undefined),
    {
      path: ['from'],
      message: 'is missing, and so are `to`, `bucket`, `reviewId` and `workflowId`: say what is held',
    },
  )
  .meta({ id: 'PlaceLegalHold' });
const LiftHold = z.strictObject({ reason: Reason }).meta({ id: 'LiftLegalHold' });

const time = z.iso.datetime();
const LegalHoldView = z
  .object({
    id: z.uuid(),
    reason: z.string(),
    from: time.nullable(),
    to: time.nullable(),
    endpointId: z.string().nullable(),
    bucket: z.string().nullable(),
    keyPrefix: z.string().nullable(),
    reviewId: z.string().nullable(),
    workflowId: z.string().nullable(),
    placedBy: z.string(),
    placedById: z.string(),
    placedAt: time,
    lifted: z.object({ by: z.string(), byId: z.string(), at: time, reason: z.string() }).nullable(),
  })
  .meta({ id: 'LegalHold' });
type LegalHoldView = z.infer<typeof LegalHoldView>;
const LegalHoldPage = z
  .object({ items: z.array(LegalHoldView), nextCursor: z.string().optional() })
  .meta({ id: 'LegalHoldPage' });

const ListQuery = z.object({
  state: z.enum(['active', 'all']).default('active'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
const HoldId = z.guid('must be the id of a legal hold');

/** Legal holds: what must stay whatever retention says. Laid by who operates, lifted by an admin. */
@ApiTags('legal holds')
@Controller('api/v1/legal-holds')
@Roles('operator', 'auditor')
export class LegalHoldsController {
  constructor(private readonly holds: LegalHolds) {}

  @Get()
  @ApiOkResponse({ standardSchema: LegalHoldPage })
  async list(
    @Query({ schema: ListQuery }) { state, limit, cursor }: z.infer<typeof ListQuery>,
  ): Promise<z.infer<typeof LegalHoldPage>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, isUuid);
    const holds = await this.holds.list(state === 'all', limit, after);
    const last = holds.at(-1);
    const items = holds.map(view);
    return holds.length < limit || last === undefined
      ? { items }
      : { items, nextCursor: encodeCursor({ at: last.placedAt, id: last.id }) };
  }

  @Post()
  @Roles('operator')
  @ApiCreatedResponse({ standardSchema: LegalHoldView })
  async place(
    @Body({ schema: PlaceHold }) { reason, ...scope }: z.infer<typeof PlaceHold>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<LegalHoldView> {
    return view(await this.holds.place(scope, reason.trim(), principal));
  }

  @Post(':id/lift')
  @HttpCode(200)
  @Roles('admin')
  @ApiOkResponse({ standardSchema: LegalHoldView })
  async lift(
    @Param('id', { schema: HoldId }) id: string,
    @Body({ schema: LiftHold }) { reason }: z.infer<typeof LiftHold>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<LegalHoldView> {
    return view(await this.holds.lift(id, reason.trim(), principal));
  }
}

const iso = (at: number): string => new Date(at).toISOString();
const maybe = (at: number | undefined): string | null => (at === undefined ? null : iso(at));

const view = (hold: LegalHold): LegalHoldView => ({
  id: hold.id,
  reason: hold.reason,
  from: maybe(hold.from),
  to: maybe(hold.to),
  endpointId: hold.endpointId ?? null,
  bucket: hold.bucket ?? null,
  keyPrefix: hold.keyPrefix ?? null,
  reviewId: hold.reviewId ?? null,
  workflowId: hold.workflowId ?? null,
  placedBy: hold.placedByName,
  placedById: hold.placedBy,
  placedAt: iso(hold.placedAt),
  lifted:
    hold.lifted === undefined
      ? null
      : {
          by: hold.lifted.byName,
          byId: hold.lifted.by,
          at: iso(hold.lifted.at),
          reason: hold.lifted.reason,
        },
});
