import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, READERS, Roles, type Principal } from '../../access/principal.js';
import { text } from '../request-fields.js';
import { MAX_PRINCIPAL_LENGTH, patternFault } from './principal.js';
import { IDENTITY_KINDS, type Uploader } from './resolve.js';
import type { StoredIdentity } from './sql/identities.js';
import { Uploaders } from './uploaders.js';

const NewIdentity = z
  .object({
    /** As events name it; a star at its end stands for the rest. */
    principal: z.string().superRefine((principal, context) => {
      const fault = patternFault(principal);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    }),
    kind: z.enum(IDENTITY_KINDS),
    /** Of `user` the id of an account, of `mail` an address; else left out. */
    target: text(320).optional(),
    note: text(500).default(''),
  })
  .superRefine(({ kind, target, principal }, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (kind === 'mail' && !z.email().safeParse(target).success) fault('target', 'must be a mail address');
    if (kind === 'user' && (target ?? '') === '') fault('target', 'must be the id of an account');
    if ((kind === 'session' || kind === 'service') && (target ?? '') !== '')
      fault('target', `must be left out for ${kind}`);
    if (kind === 'session' && !/^(AWS:)?AROA[A-Z0-9]{8,}:\*$/.test(principal))
      fault('principal', 'must be the sessions of one role for this kind, as AWS:AROAEXAMPLEID:*');
  })
  .meta({ id: 'NewUploaderIdentity' });

const IdentityView = z
  .object({
    id: z.string(),
    principal: z.string(),
    kind: z.enum(IDENTITY_KINDS),
    target: z.string(),
    note: z.string(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
  })
  .meta({ id: 'UploaderIdentity' });
const IdentityList = z.object({ items: z.array(IdentityView) }).meta({ id: 'UploaderIdentities' });

const Resolved = z
  .object({
    /** `mapped`: an admin said so; `likely`: only the names agree; `service`: a machine; `unknown`. */
    how: z.enum(['mapped', 'named', 'likely', 'service', 'unknown']),
    person: z.object({ id: z.string(), name: z.string() }).nullable(),
    email: z.string().nullable(),
  })
  .meta({ id: 'ResolvedUploader' });

/** Who is behind the principals that S3 names: for four eyes, and for asking the uploader. */
@ApiTags('reviews')
@Controller('api/v1/uploader-identities')
export class UploaderIdentitiesController {
  constructor(private readonly uploaders: Uploaders) {}

  @Get()
  @Roles(...READERS)
  @ApiOkResponse({ standardSchema: IdentityList })
  async list(): Promise<z.infer<typeof IdentityList>> {
    return { items: (await this.uploaders.list()).map(shown) };
  }

  /** Who a principal is taken for now. */
  @Get('resolved')
  @Roles(...READERS)
  @ApiOkResponse({ standardSchema: Resolved })
  async resolved(
    @Query({ schema: z.object({ principal: text(MAX_PRINCIPAL_LENGTH).min(1) }) })
    { principal }: { principal: string },
  ): Promise<z.infer<typeof Resolved>> {
    return resolvedView(await this.uploaders.resolve(principal));
  }

  @Post()
  @HttpCode(201)
  @Roles('admin')
  @ApiCreatedResponse({ standardSchema: IdentityView })
  async add(
    @Body({ schema: NewIdentity }) { target = '', ...body }: z.infer<typeof NewIdentity>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof IdentityView>> {
    return shown(await this.uploaders.add({ ...body, target }, auditActor(principal)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Roles('admin')
  remove(
    @Param('id', { schema: z.uuid('is not the id of an uploader identity') }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.uploaders.remove(id, auditActor(principal));
  }
}

const shown = ({ createdAt, ...identity }: StoredIdentity): z.infer<typeof IdentityView> => ({
  ...identity,
  createdAt: new Date(createdAt).toISOString(),
});

function resolvedView(uploader: Uploader): z.infer<typeof Resolved> {
  const account = 'account' in uploader ? uploader.account : undefined;
  return {
    how: uploader.how,
    person: account === undefined ? null : { id: account.id, name: account.name },
    email: 'email' in uploader ? uploader.email : (account?.email ?? null),
  };
}
