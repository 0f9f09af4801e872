import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { actorOf, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../../access/principal.js';
import { RetentionService } from '../retention/retention.service.js';
import { Id, text } from './schemas.js';

// A hundred years: whoever wants more means 0, for ever.
const MAX_DAYS = 36_500;

const PolicyBody = z
  .object({
    workflowName: Id,
    /** 0 keeps them for ever; null goes back to the default. */
    days: z.int().min(0).max(MAX_DAYS).nullable(),
  })
  .meta({ id: 'RetentionPolicy' });

const HoldBody = z.object({ reason: text(1_000).trim().min(1) }).meta({ id: 'WorkflowHold' });

/** How long ended executions are kept, and which are kept whatever the policy says. */
@ApiTags('retention')
@Controller('api/v1')
@Roles(...VIEWERS)
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  @Get('retention')
  policies() {
    return this.retention.policies();
  }

  @Put('retention')
  @Roles('admin')
  async setPolicy(
    @Body({ schema: PolicyBody }) { workflowName, days }: z.infer<typeof PolicyBody>,
    @CurrentPrincipal() principal: Principal,
  ) {
    await this.retention.setPolicy(workflowName, days ?? undefined, actorOf(principal));
    return this.retention.policies();
  }

  @Get('executions/:id/hold')
  hold(@Param('id', { schema: Id }) id: string) {
    return this.retention.findHold(id);
  }

  @Post('executions/:id/hold')
  @HttpCode(200)
  @Roles('operator')
  layHold(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: HoldBody }) { reason }: z.infer<typeof HoldBody>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.retention.layHold(id, reason, actorOf(principal));
  }

  @Delete('executions/:id/hold')
  @HttpCode(204)
  @Roles('operator')
  liftHold(@Param('id', { schema: Id }) id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    return this.retention.liftHold(id, actorOf(principal));
  }
}
