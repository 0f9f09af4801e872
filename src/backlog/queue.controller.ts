import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../access/principal.js';
import { InvalidInput } from '../errors.js';
import { QueueItems } from './queue-items.service.js';
import { ItemAnswer, ItemPage, PauseAnswer, QueueSummary, RedriveAnswer } from './queue-view.js';
import { Queues } from './queues.service.js';
import { SOURCE_CLASSES } from './source-class.js';
import { ITEM_STATES } from './sql/list-items.js';

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL');
const Source = z.enum(SOURCE_CLASSES, `must be one of: ${SOURCE_CLASSES.join(', ')}`);
const ScanId = z.guid('must be a UUID');

const QueueName = z
  .strictObject({
    endpointId: text(100).optional(),
    /** Every bucket when absent. */
    bucket: text(255).optional(),
    /** Every class when absent. */
    source: Source.optional(),
  })
  .meta({ id: 'QueueName' });
const PauseBody = QueueName.extend({ reason: text(1000).optional() }).meta({ id: 'QueuePauseRequest' });
const RequeueBody = z
  .strictObject({ priority: z.int().min(0).max(99).optional() })
  .meta({ id: 'RequeueRequest' });
const CancelBody = z.strictObject({ reason: text(1000).optional() }).meta({ id: 'CancelRequest' });
const RedriveBody = z
  .strictObject({
    scanId: ScanId.optional(),
    bucket: text(255).optional(),
    source: Source.optional(),
    /** Of the error, as the list shows it. */
    code: text(100).optional(),
    workflowName: text(255).optional(),
    /** Without any of the others: every one. */
    all: z.literal(true).optional(),
    /** The definition to start instead of the one that was refused. */
    newWorkflowName: text(255).optional(),
  })
  .meta({ id: 'RedriveRequest' });

const Page = z.object({
  bucket: text(255).optional(),
  source: Source.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: text(200).optional(),
});
const ItemsQuery = Page.extend({
  state: z.enum(ITEM_STATES, `must be one of: ${ITEM_STATES.join(', ')}`).default('waiting'),
});

/** What waits for its scan: looked at, stopped, hastened, given up. */
@ApiTags('queue')
@Controller('api/v1/queue')
@Roles(...VIEWERS)
export class QueueController {
  constructor(
    private readonly queues: Queues,
    private readonly items: QueueItems,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: QueueSummary })
  summary(): Promise<QueueSummary> {
    return this.queues.summary();
  }

  @Get('items')
  @ApiOkResponse({ standardSchema: ItemPage })
  list(@Query({ schema: ItemsQuery }) query: z.infer<typeof ItemsQuery>): Promise<ItemPage> {
    const { state, limit, cursor, bucket, source } = query;
    return this.items.list({ state, limit, cursor, filter: { bucket, source } });
  }

  @Post('pause')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: PauseAnswer })
  pause(
    @Body({ schema: PauseBody }) { reason, ...name }: z.infer<typeof PauseBody>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<PauseAnswer> {
    return this.queues.pause(name, auditActor(principal), reason);
  }

  @Post('resume')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: PauseAnswer })
  resume(
    @Body({ schema: QueueName }) name: z.infer<typeof QueueName>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<PauseAnswer> {
    return this.queues.resume(name, auditActor(principal));
  }

  @Post('items/:scanId/requeue')
  @HttpCode(202)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ItemAnswer })
  requeue(
    @Param('scanId', { schema: ScanId }) scanId: string,
    @Body({ schema: RequeueBody.default({}) }) { priority }: z.infer<typeof RequeueBody>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ItemAnswer> {
    return this.items.requeue(scanId, auditActor(principal), priority);
  }

  @Post('items/:scanId/cancel')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ItemAnswer })
  cancel(
    @Param('scanId', { schema: ScanId }) scanId: string,
    @Body({ schema: CancelBody.default({}) }) { reason }: z.infer<typeof CancelBody>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ItemAnswer> {
    return this.items.cancel(scanId, auditActor(principal), reason);
  }

  @Get('dead-letters')
  @ApiOkResponse({ standardSchema: ItemPage })
  deadLetters(@Query({ schema: Page }) query: z.infer<typeof Page>): Promise<ItemPage> {
    const { limit, cursor, bucket, source } = query;
    return this.items.list({ state: 'dead', limit, cursor, filter: { bucket, source } });
  }

  @Post('dead-letters/redrive')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: RedriveAnswer })
  redrive(
    @Body({ schema: RedriveBody }) body: z.infer<typeof RedriveBody>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RedriveAnswer> {
    const { all, newWorkflowName, ...filter } = body;
    if (all === undefined && Object.values(filter).every((value) => value === undefined)) {
      throw InvalidInput.field('all', 'say which are meant, or all: true for every one');
    }
    return this.items.redrive(filter, auditActor(principal), newWorkflowName);
  }
}
