import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, VIEWERS, type Principal } from '../access/principal.js';
import { RestoreService } from './restore.service.js';
import { RestoreView } from './restore-view.js';

const ReleaseRestore = z
  .strictObject({
    reason: z.string().trim().min(1, 'must say why it may go on').max(1000),
    withoutReconciling: z.boolean().default(false),
  })
  .meta({ id: 'ReleaseRestore' });

/** What follows a restore from a backup: the service is held until somebody lets it go on. */
@ApiTags('restore')
@Controller('api/v1/restore')
export class RestoreController {
  constructor(private readonly restores: RestoreService) {}

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: RestoreView })
  state() {
    return this.restores.state();
  }

  /** Compares every bucket and every quarantined object with the ledger. */
  @Post('reconcile')
  @HttpCode(202)
  @Roles('operator')
  reconcile(@CurrentPrincipal() principal: Principal) {
    return this.restores.reconcile(auditActor(principal));
  }

  /** Lets actions and notifications go on. */
  @Post('release')
  @HttpCode(200)
  @Roles('operator')
  release(
    @Body({ schema: ReleaseRestore }) body: z.infer<typeof ReleaseRestore>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.restores.release(body, auditActor(principal));
  }
}
