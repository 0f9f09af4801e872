import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../../access/principal.js';
import { Clock } from '../../../clock.js';
import { decodeCursor, encodeCursor } from '../../../cursor.js';
import { text } from '../../request-fields.js';
import {
  DELIVERY_STATES,
  deliveryView,
  NewWebhook,
  Replayed,
  RotateSecret,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryList,
  WebhookList,
  WebhookPatch,
  webhookView,
  WebhookWithSecret,
} from './webhook.view.js';
import { WebhooksService } from './webhooks.service.js';

const WebhookId = z.uuid('is not the id of a webhook');
const isDeliveryId = (id: string): boolean => /^\d{1,18}$/.test(id);
const DeliveryId = z.string().refine(isDeliveryId, 'is not the id of a delivery');

const DeliveriesQuery = z.object({
  state: z.enum(DELIVERY_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text(200).optional(),
});

/** Who is told of every change of reviews by HTTP, signed (docs/webhooks.md), and what became of each message. */
@ApiTags('webhooks')
@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: WebhookList })
  async list(): Promise<z.infer<typeof WebhookList>> {
    const all = await this.webhooks.list();
    return { items: all.map((one) => webhookView(one, this.clock.now())) };
  }

  @Get(':id')
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: Webhook })
  async get(@Param('id', { schema: WebhookId }) id: string): Promise<z.infer<typeof Webhook>> {
    return webhookView(await this.webhooks.get(id), this.clock.now());
  }

  /** The answer holds the secret; it is told once. */
  @Post()
  @Roles('operator')
  @ApiCreatedResponse({ standardSchema: WebhookWithSecret })
  async create(
    @Body({ schema: NewWebhook }) body: z.infer<typeof NewWebhook>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof WebhookWithSecret>> {
    const made = await this.webhooks.create(body, auditActor(principal));
    return { ...webhookView(made, this.clock.now()), secret: made.plainSecret };
  }

  @Patch(':id')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: Webhook })
  async change(
    @Param('id', { schema: WebhookId }) id: string,
    @Body({ schema: WebhookPatch }) body: z.infer<typeof WebhookPatch>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof Webhook>> {
    const changed = await this.webhooks.change(id, body, auditActor(principal));
    return webhookView(changed, this.clock.now());
  }

  @Delete(':id')
  @HttpCode(204)
  @Roles('operator')
  remove(
    @Param('id', { schema: WebhookId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.webhooks.remove(id, auditActor(principal));
  }

  /** Makes a new secret, told once; the old one signs as well for a while. */
  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: WebhookWithSecret })
  async rotate(
    @Param('id', { schema: WebhookId }) id: string,
    @Body({ schema: RotateSecret }) { keepOldHours }: z.infer<typeof RotateSecret>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof WebhookWithSecret>> {
    const made = await this.webhooks.rotate(id, keepOldHours, auditActor(principal));
    return { ...webhookView(made, this.clock.now()), secret: made.plainSecret };
  }

  /** Sends a message of type `webhook.test`; its delivery says what became of it. */
  @Post(':id/test')
  @HttpCode(202)
  @Roles('operator')
  @ApiAcceptedResponse({ standardSchema: WebhookDelivery })
  async test(
    @Param('id', { schema: WebhookId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof WebhookDelivery>> {
    return deliveryView(await this.webhooks.test(id, auditActor(principal)));
  }

  /** The newest first; kept for 30 days. */
  @Get(':id/deliveries')
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: WebhookDeliveryList })
  async deliveries(
    @Param('id', { schema: WebhookId }) id: string,
    @Query({ schema: DeliveriesQuery }) query: z.infer<typeof DeliveriesQuery>,
  ): Promise<z.infer<typeof WebhookDeliveryList>> {
    const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isDeliveryId).id;
    const found = await this.webhooks.deliveries(id, { ...query, before, limit: query.limit + 1 });
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      items: page.map(deliveryView),
      nextCursor:
        found.length > page.length && last !== undefined
          ? encodeCursor({ at: last.createdAt, id: last.id })
          : null,
    };
  }

  /** Sends one that ended once more, with the same webhook-id. */
  @Post(':id/deliveries/:deliveryId/replay')
  @HttpCode(202)
  @Roles('operator')
  @ApiAcceptedResponse({ standardSchema: WebhookDelivery })
  async replay(
    @Param('id', { schema: WebhookId }) id: string,
    @Param('deliveryId', { schema: DeliveryId }) deliveryId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof WebhookDelivery>> {
    return deliveryView(await this.webhooks.replay(id, deliveryId, auditActor(principal)));
  }

  /** Sends what failed once more, the oldest 1,000. */
  @Post(':id/replay-failed')
  @HttpCode(202)
  @Roles('operator')
  @ApiAcceptedResponse({ standardSchema: Replayed })
  async replayFailed(
    @Param('id', { schema: WebhookId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof Replayed>> {
    return { replayed: await this.webhooks.replayFailed(id, auditActor(principal)) };
  }
}
