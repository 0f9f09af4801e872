import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../../access/principal.js';
import { EndpointList, EndpointPatch, EndpointView, NewEndpoint } from './endpoint-view.js';
import { EndpointsService } from './endpoints.service.js';
import { expectedVersion, tagged } from './expected-version.js';

const VersionQuery = z.object({ version: z.coerce.number().int().min(1).optional() });

/** The servers that buckets are on. */
@ApiTags('buckets')
@Controller('api/v1/endpoints')
export class EndpointsController {
  constructor(private readonly endpoints: EndpointsService) {}

  /** All of them; there are 1,000 at most. */
  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: EndpointList })
  list(): EndpointList {
    return { items: [...this.endpoints.list()] };
  }

  @Get(':id')
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: EndpointView })
  one(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): EndpointView {
    return tagged(reply, this.endpoints.get(id));
  }

  @Post()
  @Roles('operator')
  @ApiCreatedResponse({ standardSchema: EndpointView })
  async register(
    @Body({ schema: NewEndpoint }) body: NewEndpoint,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndpointView> {
    return tagged(reply, await this.endpoints.register(body, auditActor(principal)));
  }

  @Patch(':id')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: EndpointView })
  async change(
    @Param('id') id: string,
    @Body({ schema: EndpointPatch }) { version, ...wanted }: EndpointPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndpointView> {
    const expected = expectedVersion(ifMatch, version);
    return tagged(reply, await this.endpoints.change(id, { expected, wanted }, auditActor(principal)));
  }

  @Delete(':id')
  @Roles('operator')
  @HttpCode(204)
  async remove(
    @Param('id') id: string,
    @Query({ schema: VersionQuery }) { version }: z.infer<typeof VersionQuery>,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.endpoints.remove(id, expectedVersion(ifMatch, version), auditActor(principal));
  }
}
