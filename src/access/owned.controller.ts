import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { GroupId } from './groups.controller.js';
import { displayed } from './names.js';
import { Ownership } from './ownership.js';
import { auditActor, CurrentPrincipal, OWNED_KINDS, Roles, type Principal } from './principal.js';

const Thing = z
  .strictObject({
    kind: z.enum(OWNED_KINDS),
    /** Of a bucket, `endpoint/bucket`. There need be nothing of the name yet. */
    name: displayed(330),
  })
  .meta({ id: 'OwnedThing' });
const ThingList = z.object({ items: z.array(Thing) }).meta({ id: 'OwnedThingList' });
type ThingList = z.infer<typeof ThingList>;

/** What a group owns; who has a grant of owner in it administers that. */
@ApiTags('access')
@Controller('api/v1/groups/:id/owned')
@Roles('admin')
export class OwnedController {
  constructor(private readonly ownership: Ownership) {}

  @Get()
  @Roles('auditor')
  @ApiOkResponse({ standardSchema: ThingList })
  async list(@Param('id', { schema: GroupId }) id: string): Promise<ThingList> {
    return { items: await this.ownership.list(id) };
  }

  @Put()
  @HttpCode(204)
  give(
    @Param('id', { schema: GroupId }) id: string,
    @Body({ schema: Thing }) thing: z.infer<typeof Thing>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.ownership.give(id, thing, auditActor(principal));
  }

  @Delete()
  @HttpCode(204)
  take(
    @Param('id', { schema: GroupId }) id: string,
    @Query({ schema: Thing }) thing: z.infer<typeof Thing>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.ownership.take(id, thing, auditActor(principal));
  }
}
