import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { decodeCursor, encodeCursor, isText } from '../cursor.js';
import { Conflict, Forbidden } from '../errors.js';
import { AccessService } from './access.service.js';
import { OidcSignIn } from './oidc/oidc-sign-in.js';
import { displayed, Email, RoleNames } from './names.js';
import { isPasswordHash, MAX_PASSWORD_LENGTH } from './password.js';
import { ACCESS_ROLES, auditActor, CurrentPrincipal, hasRole, Roles, type Principal } from './principal.js';
import { rolesOf, Users, type UserRow } from './users.service.js';

export const UserId = z.guid('must be the id of a user, as /api/v1/users lists them');
const UserName = displayed(100);
const Password = z.string().min(1).max(MAX_PASSWORD_LENGTH);

const NewUser = z
  .strictObject({
    name: UserName,
    displayName: displayed(200).nullish(),
    email: Email.nullish(),
    password: Password,
    roles: RoleNames.default([]),
    disabled: z.boolean().default(false),
  })
  .meta({ id: 'NewUser' });

const UserPatch = z
  .strictObject({
    name: UserName.optional(),
    displayName: displayed(200).nullish(),
    email: Email.nullish(),
    roles: RoleNames.optional(),
    disabled: z.boolean().optional(),
  })
  .meta({ id: 'UserPatch' });

const NewPassword = z
  .strictObject({
    password: Password,
    /** The password as it is; needed for one's own. */
    presentPassword: Password.optional(),
  })
  .meta({ id: 'NewPassword' });

const NewIdentity = z
  .strictObject({
    /** The claim `sub` of the person at the configured provider, letter by letter. */
    subject: z
      .string()
      .regex(
        /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/,
        'must be the claim sub: ASCII, 255 signs at most',
      ),
  })
  .meta({ id: 'NewIdentity' });

const UserView = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: z.string().nullable(),
    email: z.string().nullable(),
    /** Their own; the groups give more. */
    roles: z.array(z.enum(ACCESS_ROLES)),
    groups: z.array(z.string()),
    disabled: z.boolean(),
    /** How they log in. */
    login: z.enum(['password', 'provider']),
    /** What opens the account at the identity provider, beside a password where it has one. */
    identity: z.object({ issuer: z.string(), subject: z.string() }).nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });
type UserView = z.infer<typeof UserView>;

const UserPage = z
  .object({ items: z.array(UserView), nextCursor: z.string().optional() })
  .meta({ id: 'UserPage' });
type UserPage = z.infer<typeof UserPage>;

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1000).optional(),
});

/** People's accounts. */
@ApiTags('access')
@Controller('api/v1/users')
@Roles('admin')
export class UsersController {
  constructor(
    private readonly users: Users,
    private readonly access: AccessService,
    private readonly signIn: OidcSignIn,
  ) {}

  @Get()
  @Roles('auditor')
  @ApiOkResponse({ standardSchema: UserPage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): Promise<UserPage> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isText).id;
    const rows = await this.users.list(after, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: shown.map(viewOf),
      ...(rows.length > query.limit && last && { nextCursor: encodeCursor({ at: 0, id: last.name }) }),
    };
  }

  @Get(':id')
  @Roles('auditor')
  @ApiOkResponse({ standardSchema: UserView })
  async one(@Param('id', { schema: UserId }) id: string): Promise<UserView> {
    return viewOf(await this.users.get(id));
  }

  @Post()
  @ApiCreatedResponse({ standardSchema: UserView })
  async create(
    @Body({ schema: NewUser }) body: z.infer<typeof NewUser>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserView> {
    return viewOf(await this.users.create(body, auditActor(principal)));
  }

  @Patch(':id')
  @ApiOkResponse({ standardSchema: UserView })
  async change(
    @Param('id', { schema: UserId }) id: string,
    @Body({ schema: UserPatch }) body: z.infer<typeof UserPatch>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserView> {
    return viewOf(await this.users.change(id, body, auditActor(principal)));
  }

  /** Disables the account: what somebody did keeps its name. */
  @Delete(':id')
  @HttpCode(204)
  async disable(
    @Param('id', { schema: UserId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.users.change(id, { disabled: true }, auditActor(principal));
  }

  /** Everybody sets their own, with the present one; an admin sets those of others. Ends the person's sessions. */
  @Put(':id/password')
  @HttpCode(204)
  @Roles(...ACCESS_ROLES)
  async setPassword(
    @Param('id', { schema: UserId }) id: string,
    @Body({ schema: NewPassword }) { password, presentPassword }: z.infer<typeof NewPassword>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    if (principal.kind === 'user' && principal.id === id.toLowerCase()) {
      await this.access.provePassword(principal.name, presentPassword ?? '');
    } else if (!hasRole(principal, [])) {
      throw new Forbidden('Only an admin may set the password of somebody else.');
    }
    await this.users.setPassword(id, password, auditActor(principal));
  }

  /** Binds the account to somebody at the identity provider, who opens it from then on. */
  @Put(':id/identity')
  @ApiOkResponse({ standardSchema: UserView })
  async bind(
    @Param('id', { schema: UserId }) id: string,
    @Body({ schema: NewIdentity }) { subject }: z.infer<typeof NewIdentity>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<UserView> {
    const { issuer } = this.signIn;
    if (issuer === undefined)
      throw new Conflict(
        'No identity provider is configured, so nobody can be bound to it. Set OIDC_ISSUER.',
      );
    return viewOf(await this.users.bindIdentity(id, issuer, subject, auditActor(principal)));
  }

  /** The identity opens the account no more. */
  @Delete(':id/identity')
  @HttpCode(204)
  release(
    @Param('id', { schema: UserId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.users.releaseIdentity(id, auditActor(principal));
  }
}

const viewOf = (row: UserRow): UserView => ({
  id: row.id,
  name: row.name,
  displayName: row.display_name,
  email: row.email,
  roles: [...rolesOf(row)],
  groups: [...row.groups],
  disabled: row.disabled,
  login: isPasswordHash(row.password_hash) ? 'password' : 'provider',
  identity: row.identity,
  createdAt: new Date(Number(row.created_at)).toISOString(),
});
