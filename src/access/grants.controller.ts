import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { Forbidden } from '../errors.js';
import { Grants, HOLDER_KINDS, type GrantRow } from './grants.service.js';
import { displayed } from './names.js';
import {
  auditActor,
  CurrentPrincipal,
  GRANT_ROLES,
  OrOwner,
  Roles,
  type Owned,
  type Principal,
} from './principal.js';

const GrantId = z.guid('must be the id of a grant, as /api/v1/grants lists them');
const HolderId = displayed(200);
const HolderKind = z.enum(HOLDER_KINDS);

const NewGrant = z
  .strictObject({
    holder: z.strictObject({ kind: HolderKind, id: HolderId }),
    role: z.enum(GRANT_ROLES),
    /** Of an approver, the review queue; of an owner, the id of the group. */
    scope: displayed(200),
  })
  .meta({ id: 'NewGrant' });

const GrantView = z
  .object({
    id: z.string(),
    holder: z.object({ kind: HolderKind, id: z.string() }),
    role: z.enum(GRANT_ROLES),
    scope: z.string(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
  })
  .meta({ id: 'Grant' });
type GrantView = z.infer<typeof GrantView>;

const GrantPage = z
  .object({ items: z.array(GrantView), nextCursor: z.string().optional() })
  .meta({ id: 'GrantPage' });
type GrantPage = z.infer<typeof GrantPage>;

const ListQuery = z.object({
  holderKind: HolderKind.optional(),
  holderId: HolderId.optional(),
  /** The review queue, or the group's id. */
  scope: displayed(200).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1000).optional(),
});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const queueNamed = (value: unknown): readonly Owned[] => [{ kind: 'queue', name: textOf(value) }];

function queueOfNew(body: unknown): readonly Owned[] {
  const { role, scope } = (body ?? {}) as { role?: unknown; scope?: unknown };
  if (role !== 'approver') throw new Forbidden('role: an owner makes approvers only. Ask an admin.');
  return queueNamed(scope);
}

/** Roles for one thing only. An owner gives and takes those of approver in the queues that its group owns. */
@ApiTags('access')
@Controller('api/v1/grants')
@Roles('admin')
export class GrantsController {
  constructor(private readonly grants: Grants) {}

  @Get()
  @Roles('auditor')
  @OrOwner(({ query }) => queueNamed(query['scope']))
  @ApiOkResponse({ standardSchema: GrantPage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): Promise<GrantPage> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isUuid).id;
    const holder = {
      ...(query.holderKind !== undefined && { kind: query.holderKind }),
      ...(query.holderId !== undefined && { id: query.holderId }),
    };
    const rows = await this.grants.list(holder, query.scope, after, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: shown.map(viewOf),
      ...(rows.length > query.limit && last && { nextCursor: encodeCursor({ at: 0, id: last.id }) }),
    };
  }

  @Post()
  @OrOwner(({ body }) => queueOfNew(body))
  @ApiCreatedResponse({ standardSchema: GrantView })
  async give(
    @Body({ schema: NewGrant }) { holder, role, scope }: z.infer<typeof NewGrant>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<GrantView> {
    return viewOf(await this.grants.give(holder, { role, scope }, auditActor(principal)));
  }

  @Delete(':id')
  @OrOwner(({ params }) => [{ kind: 'grant', name: textOf(params['id']) }])
  @HttpCode(204)
  take(
    @Param('id', { schema: GrantId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.grants.take(id, auditActor(principal));
  }
}

const viewOf = (row: GrantRow): GrantView => ({
  id: row.id,
  holder: { kind: row.holder_kind, id: row.holder_id },
  role: row.role,
  scope: row.scope,
  createdAt: new Date(Number(row.created_at)).toISOString(),
  createdBy: row.created_by,
});
