import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { ReconcileWish, RescanWish } from './input.js';
import { RunView, runView } from './run-view.js';
import { ListingWishes } from './wishes.js';

const Begun = z.object({ items: z.array(RunView) }).meta({ id: 'ListingRunsBegun' });
type Begun = z.infer<typeof Begun>;

/** Rescans and reconciliations on demand; they are shown and steered among the backfills. */
@Controller('api/v1')
export class WishesController {
  constructor(private readonly wishes: ListingWishes) {}

  @Post('rescans')
  @HttpCode(202)
  @Roles('operator')
  @ApiAcceptedResponse({ standardSchema: RunView })
  async rescan(
    @Body({ schema: RescanWish }) wish: RescanWish,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RunView> {
    return runView(await this.wishes.rescan(wish, { actor: auditActor(principal), cause: 'request' }));
  }

  @Post('reconciles')
  @HttpCode(202)
  @Roles('operator')
  @ApiAcceptedResponse({ standardSchema: Begun })
  async reconcile(
    @Body({ schema: ReconcileWish }) wish: ReconcileWish,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Begun> {
    const runs = await this.wishes.reconcile(wish, { actor: auditActor(principal), cause: 'request' });
    return { items: runs.map(runView) };
  }
}
