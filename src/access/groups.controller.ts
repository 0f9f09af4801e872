import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Groups, type GroupRow } from './groups.service.js';
import { displayed, RoleNames } from './names.js';
import {
  ACCESS_ROLES,
  auditActor,
  CurrentPrincipal,
  knownRoles,
  Roles,
  type Principal,
} from './principal.js';
import { UserId } from './users.controller.js';

export const GroupId = z.guid('must be the id of a group, as /api/v1/groups lists them');

const NewGroup = z
  .strictObject({ name: displayed(100), roles: RoleNames.default([]) })
  .meta({ id: 'NewGroup' });
const GroupPatch = z
  .strictObject({ name: displayed(100).optional(), roles: RoleNames.optional() })
  .meta({ id: 'GroupPatch' });

const GroupView = z
  .object({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.enum(ACCESS_ROLES)),
    memberCount: z.int(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
  })
  .meta({ id: 'Group' });
type GroupView = z.infer<typeof GroupView>;

const GroupList = z.object({ items: z.array(GroupView) }).meta({ id: 'GroupList' });
type GroupList = z.infer<typeof GroupList>;

const WholeGroup = GroupView.extend({
  members: z.array(z.object({ id: z.string(), name: z.string() })),
}).meta({ id: 'WholeGroup' });
type WholeGroup = z.infer<typeof WholeGroup>;

/** Groups of people. */
@ApiTags('access')
@Controller('api/v1/groups')
@Roles('admin')
export class GroupsController {
  constructor(private readonly groups: Groups) {}

  /** All of them; there are 1,000 at most. */
  @Get()
  @Roles('auditor')
  @ApiOkResponse({ standardSchema: GroupList })
  async list(): Promise<GroupList> {
    return { items: (await this.groups.list()).map(viewOf) };
  }

  /** With its members. */
  @Get(':id')
  @Roles('auditor')
  @ApiOkResponse({ standardSchema: WholeGroup })
  async one(@Param('id', { schema: GroupId }) id: string): Promise<WholeGroup> {
    return { ...viewOf(await this.groups.get(id)), members: await this.groups.members(id) };
  }

  @Post()
  @ApiCreatedResponse({ standardSchema: GroupView })
  async create(
    @Body({ schema: NewGroup }) { name, roles }: z.infer<typeof NewGroup>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<GroupView> {
    return viewOf(await this.groups.create(name, roles, auditActor(principal)));
  }

  @Patch(':id')
  @ApiOkResponse({ standardSchema: GroupView })
  async change(
    @Param('id', { schema: GroupId }) id: string,
    @Body({ schema: GroupPatch }) body: z.infer<typeof GroupPatch>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<GroupView> {
    return viewOf(await this.groups.change(id, body, auditActor(principal)));
  }

  /** Its memberships and grants go with it. */
  @Delete(':id')
  @HttpCode(204)
  remove(
    @Param('id', { schema: GroupId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.groups.remove(id, auditActor(principal));
  }

  @Put(':id/members/:userId')
  @HttpCode(204)
  addMember(
    @Param('id', { schema: GroupId }) id: string,
    @Param('userId', { schema: UserId }) userId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.groups.addMember(id, userId, auditActor(principal));
  }

  @Delete(':id/members/:userId')
  @HttpCode(204)
  removeMember(
    @Param('id', { schema: GroupId }) id: string,
    @Param('userId', { schema: UserId }) userId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.groups.removeMember(id, userId, auditActor(principal));
  }
}

const viewOf = (row: GroupRow): GroupView => ({
  id: row.id,
  name: row.name,
  roles: [...knownRoles(row.roles)],
  memberCount: row.member_count,
  createdAt: new Date(Number(row.created_at)).toISOString(),
  createdBy: row.created_by,
});
