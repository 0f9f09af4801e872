import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../../cursor.js';
import { Database } from '../../database/database.js';
import { text } from '../request-fields.js';
import { seenQueues } from '../review-desk.js';
import { listCases } from '../sql/cases.js';
import { CaseDesk } from './case-desk.js';
import { CaseAnswer, CaseDecide, CaseDetach, CaseDetail, CaseList, caseSummary } from './case.view.js';
import { DecidesReviews, SeesReviews } from '../review-access.js';

const CaseId = z.uuid('is not the id of a case');
const ListQuery = z.object({
  /** `open`: something in it waits. */
  state: z.enum(['open', 'decided', 'all']).default('open'),
  queue: text(100).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text(200).optional(),
});

/** Open reviews about the same thing, decided together with a result for each. */
@ApiTags('reviews')
@Controller('api/v1/review-cases')
export class ReviewCasesController {
  constructor(
    private readonly desk: CaseDesk,
    private readonly db: Database,
  ) {}

  @Get()
  @SeesReviews()
  @ApiOkResponse({ standardSchema: CaseList })
  async list(
    @Query({ schema: ListQuery }) { state, queue, limit, cursor }: z.infer<typeof ListQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof CaseList>> {
    const found = await listCases(this.db, {
      state,
      queue,
      queues: seenQueues(principal),
      after: cursor === undefined ? undefined : decodeCursor(cursor, isUuid),
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(caseSummary),
      nextCursor:
        found.length > page.length && last !== undefined
          ? encodeCursor({ at: last.openedAt, id: last.id })
          : null,
    };
  }

  @Get(':id')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: CaseDetail })
  get(
    @Param('id', { schema: CaseId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<CaseDetail> {
    return this.desk.shown(id, principal);
  }

  /** 200 also where some were refused: `items` says what came of each, `left` what stays open. */
  @Post(':id/decide')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: CaseAnswer })
  decide(
    @Param('id', { schema: CaseId }) id: string,
    @Body({ schema: CaseDecide }) body: CaseDecide,
    @CurrentPrincipal() principal: Principal,
  ): Promise<CaseAnswer> {
    return this.desk.decide(id, body, principal);
  }

  /** Takes one review out: it goes on by itself, and joins no case again. */
  @Post(':id/detach')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: CaseDetail })
  detach(
    @Param('id', { schema: CaseId }) id: string,
    @Body({ schema: CaseDetach }) body: CaseDetach,
    @CurrentPrincipal() principal: Principal,
  ): Promise<CaseDetail> {
    return this.desk.detach(id, body, principal);
  }
}
