import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../../cursor.js';
import { Database } from '../../database/database.js';
import { RUN_KINDS, RUN_STATES } from './run-answer.js';
import { BucketName, instant, KeyPrefix } from './input.js';
import { RunPage, RunView, runView } from './run-view.js';
import { ListingRuns } from './runs.service.js';
import { listRuns } from './sql/runs.js';

const BackfillBody = z
  .strictObject({
    bucket: BucketName,
    endpointId: z.string().min(1).max(100).optional(),
    prefix: KeyPrefix.default(''),
    /** Every version, or what is there now. */
    versions: z.enum(['current', 'all']).default('all'),
    uploadedAfter: instant.optional(),
    uploadedBefore: instant.optional(),
    /** Scans also what has a verdict. */
    rescan: z.boolean().default(false),
    /** Ends with the estimate. */
    dryRun: z.boolean().default(false),
    /** Begins after the estimate without waiting for a yes. */
    start: z.boolean().default(false),
  })
  .meta({ id: 'BackfillRequest' });
type BackfillBody = z.infer<typeof BackfillBody>;

const ListQuery = z.object({
  kind: z.enum(RUN_KINDS).optional(),
  state: z.enum(RUN_STATES).optional(),
  bucket: BucketName.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
type ListQuery = z.infer<typeof ListQuery>;

const RunId = z.guid('must be a UUID');

/** Backfills, and every other run over a bucket or the ledger: begun here or elsewhere, shown and steered here. */
@Controller('api/v1/backfills')
export class BackfillsController {
  constructor(
    private readonly runs: ListingRuns,
    private readonly database: Database,
  ) {}

  @Post()
  @HttpCode(202)
  @Roles('operator')
  @ApiAcceptedResponse({ standardSchema: RunView })
  async create(
    @Body({ schema: BackfillBody }) body: BackfillBody,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RunView> {
    const { bucket, endpointId, prefix, ...options } = body;
    const request = { actor: auditActor(principal), cause: 'request', endpointId };
    return runView(await this.runs.backfill({ bucket, prefix, options }, request));
  }

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: RunPage })
  async list(@Query({ schema: ListQuery }) query: ListQuery): Promise<RunPage> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isUuid);
    const rows = await listRuns(this.database, query, { after, limit: query.limit + 1 });
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    const more = rows.length > query.limit && last !== undefined;
    return {
      items: shown.map(runView),
      ...(more && { nextCursor: encodeCursor({ at: last.createdAt, id: last.id }) }),
    };
  }

  @Get(':id')
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: RunView })
  async one(@Param('id', { schema: RunId }) id: string): Promise<RunView> {
    return runView(await this.runs.find(id));
  }

  @Post(':id/start')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: RunView })
  async start(
    @Param('id', { schema: RunId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RunView> {
    return runView(await this.runs.start(id, auditActor(principal)));
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: RunView })
  async pause(
    @Param('id', { schema: RunId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RunView> {
    return runView(await this.runs.pause(id, auditActor(principal)));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: RunView })
  async resume(
    @Param('id', { schema: RunId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RunView> {
    return runView(await this.runs.resume(id, auditActor(principal)));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: RunView })
  async cancel(
    @Param('id', { schema: RunId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RunView> {
    return runView(await this.runs.cancel(id, auditActor(principal)));
  }
}
