import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  actorOf,
  CurrentPrincipal,
  hasRole,
  READERS,
  type AccessRole,
  type Principal,
} from '../../access/principal.js';
import { CONFIG, publicUrl, type Config } from '../../config.js';
import { Forbidden } from '../../errors.js';
import { SallyportEngine } from '../runtime/sallyport-engine.js';
import { EXTERNAL_PAYLOADS } from './external-payload-routes.js';
import { LocationQuery } from './schemas.js';

type Asked = z.infer<typeof LocationQuery>;

/** Conductor's external payload storage: where a client may put a value that it then refers to, or get one. */
@ApiTags('external payloads')
@Controller('api')
export class ExternalPayloadsController {
  constructor(
    private readonly engine: SallyportEngine,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get(['workflow/externalstoragelocation', 'workflow/external-storage-location'])
  ofWorkflow(
    @Query({ schema: LocationQuery }) asked: Asked,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
  ) {
    return this.locate(asked, principal, request, ['operator']);
  }

  @Get('tasks/externalstoragelocation')
  ofTask(
    @Query({ schema: LocationQuery }) asked: Asked,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
  ) {
    return this.locate(asked, principal, request, ['worker', 'operator']);
  }

  /**
   * Reading is open to whoever may see all executions (a worker gets its tasks whole); writing to those who may refer
   * to what they wrote.
   */
  private async locate(
    { path, operation, payloadType }: Asked,
    principal: Principal,
    request: FastifyRequest,
    writers: readonly AccessRole[],
  ) {
    const actor = actorOf(principal);
    const { locations } = this.engine;
    const roles = operation === 'WRITE' ? writers : READERS;
    if (!hasRole(principal, roles)) {
      throw new Forbidden(`operation: to ${operation} needs the role ${roles.join(' or ')}.`);
    }
    const issued =
      operation === 'WRITE'
        ? await locations.toWrite(payloadType, actor)
        : await locations.toRead(path, payloadType, actor);
    return { uri: `${this.base(request)}${EXTERNAL_PAYLOADS}/${issued.token}`, path: issued.path };
  }

  /** Where this client reaches us, which the host check has seen, unless we are told our name. */
  private base({ protocol, host }: FastifyRequest): string {
    return this.config.PUBLIC_URL === undefined ? `${protocol}://${host}` : publicUrl(this.config);
  }
}
