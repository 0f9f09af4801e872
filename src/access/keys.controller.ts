import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Clock } from '../clock.js';
import { decodeCursor, encodeCursor, isText } from '../cursor.js';
import { Keys, type KeyRow } from './keys.service.js';
import { displayed, RoleNames } from './names.js';
import {
  ACCESS_ROLES,
  auditActor,
  CurrentPrincipal,
  knownRoles,
  Roles,
  type Principal,
} from './principal.js';

const KeyId = displayed(200);

const NewApiKey = z
  .strictObject({
    name: displayed(100),
    roles: RoleNames.refine((roles) => roles.length > 0, 'must name at least one role'),
    /** Until then; for ever when left out. */
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'NewApiKey' });

const ApiKeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.enum(ACCESS_ROLES)),
    disabled: z.boolean(),
    expiresAt: z.iso.datetime().nullable(),
    expired: z.boolean(),
    /** To the hour. */
    lastUsedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    createdBy: z.string().nullable(),
  })
  .meta({ id: 'ApiKey' });
type ApiKeyView = z.infer<typeof ApiKeyView>;

const CreatedApiKey = ApiKeyView.extend({
  /** Is shown this once. */
  secret: z.string(),
}).meta({ id: 'CreatedApiKey' });
type CreatedApiKey = z.infer<typeof CreatedApiKey>;

const ApiKeyPage = z
  .object({ items: z.array(ApiKeyView), nextCursor: z.string().optional() })
  .meta({ id: 'ApiKeyPage' });
type ApiKeyPage = z.infer<typeof ApiKeyPage>;

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1000).optional(),
});

/** Keys that programs log in with. */
@ApiTags('access')
@Controller('api/v1/api-keys')
@Roles('admin')
export class KeysController {
  constructor(
    private readonly keys: Keys,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Roles('auditor')
  @ApiOkResponse({ standardSchema: ApiKeyPage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): Promise<ApiKeyPage> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isText).id;
    const rows = await this.keys.list(after, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    const now = this.clock.now();
    return {
      items: shown.map((row) => viewOf(row, now)),
      ...(rows.length > query.limit && last && { nextCursor: encodeCursor({ at: 0, id: last.id }) }),
    };
  }

  @Post()
  @ApiCreatedResponse({ standardSchema: CreatedApiKey })
  async create(
    @Body({ schema: NewApiKey }) { expiresAt, ...wanted }: z.infer<typeof NewApiKey>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<CreatedApiKey> {
    const { row, secret } = await this.keys.create(
      { ...wanted, ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }) },
      auditActor(principal),
    );
    return { ...viewOf(row, this.clock.now()), secret };
  }

  /** Disables it: what it did keeps its name. */
  @Delete(':id')
  @HttpCode(204)
  disable(
    @Param('id', { schema: KeyId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.keys.disable(id, auditActor(principal));
  }
}

const viewOf = (row: KeyRow, now: number): ApiKeyView => ({
  id: row.id,
  name: row.name,
  roles: [...knownRoles(row.roles)],
  disabled: row.disabled,
  expiresAt: isoOf(row.expires_at),
  expired: row.expires_at !== null && Number(row.expires_at) <= now,
  lastUsedAt: isoOf(row.last_used_at),
  createdAt: new Date(Number(row.created_at)).toISOString(),
  createdBy: row.created_by,
});

const isoOf = (at: string | null): string | null => (at === null ? null : new Date(Number(at)).toISOString());
