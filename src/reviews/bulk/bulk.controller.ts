import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { ReviewDesk } from '../review-desk.js';
import type { ReviewCommand } from '../rules/command.js';
import { BulkService } from './bulk.service.js';
import { answerOf, BulkAnswer, BulkRequest } from './bulk.view.js';
import { DecidesReviews } from '../review-access.js';

/** Many reviews with one click. Each is judged by itself, and the answer says what came of each. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewBulkController {
  constructor(
    private readonly bulk: BulkService,
    private readonly desk: ReviewDesk,
  ) {}

  /** 200 also where some or all were refused: `items` says which, and why. */
  @Post('bulk')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: BulkAnswer })
  async act(
    @Body({ schema: BulkRequest }) body: BulkRequest,
    @CurrentPrincipal() principal: Principal,
  ): Promise<BulkAnswer> {
    const { action, idempotencyKey: key, items: _, ...facts } = body;
    const items = await this.commands(body);
    return answerOf(await this.bulk.run({ action, key, facts, items }, principal));
  }

  private async commands(
    body: BulkRequest,
  ): Promise<readonly { readonly id: string; readonly command: ReviewCommand }[]> {
    switch (body.action) {
      case 'decide': {
        const { outcome, reason } = body;
        return body.items.map(({ id, digest }) => ({
          id,
          command: { kind: 'decide', outcome, reason, digest },
        }));
      }
      case 'reassign': {
        const to = await this.desk.reviewer('to', body.to);
        const command: ReviewCommand = { kind: 'reassign', to, reason: body.reason };
        return body.items.map(({ id }) => ({ id, command }));
      }
      case 'hold': {
        const command: ReviewCommand = { kind: 'hold', until: Date.parse(body.until), reason: body.reason };
        return body.items.map(({ id }) => ({ id, command }));
      }
      case 'claim':
      case 'release':
        return body.items.map(({ id }) => ({ id, command: { kind: body.action } }));
      default:
        return body satisfies never;
    }
  }
}
