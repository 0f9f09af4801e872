import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { BucketPolicyService } from './bucket-policy.service.js';
import {
  ApplyWish,
  BucketPolicyView,
  ConnectPlanView,
  ConnectWish,
  PolicyQuery,
  TemplateView,
  TemplateWish,
} from './connect-view.js';
import { ConnectService } from './connect.service.js';

/** How a bucket tells of its uploads, and who may read them. */
@ApiTags('buckets')
@Controller('api/v1/buckets/:endpointId/:bucket')
export class ConnectController {
  constructor(
    private readonly connect: ConnectService,
    private readonly policies: BucketPolicyService,
  ) {}

  @Post('connect/plan')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ConnectPlanView })
  plan(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Body({ schema: ConnectWish }) body: ConnectWish,
  ): Promise<ConnectPlanView> {
    return this.connect.plan({ endpointId, bucket }, body);
  }

  @Post('connect/apply')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ConnectPlanView })
  apply(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Body({ schema: ApplyWish }) body: z.infer<typeof ApplyWish>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ConnectPlanView> {
    return this.connect.apply({ endpointId, bucket }, body, auditActor(principal));
  }

  @Post('connect/template')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: TemplateView })
  template(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Body({ schema: TemplateWish }) body: TemplateWish,
  ): Promise<TemplateView> {
    return this.connect.template({ endpointId, bucket }, body);
  }

  @Get('policy')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: BucketPolicyView })
  policy(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Query({ schema: PolicyQuery }) query: z.infer<typeof PolicyQuery>,
  ): Promise<BucketPolicyView> {
    const { scanners, breakGlass, othersMayTag } = query;
    return this.policies.write(
      { endpointId, bucket },
      { scanners, breakGlass, othersMayTag: othersMayTag === 'true' },
    );
  }
}
