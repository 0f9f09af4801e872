import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { appendAudit, type AuditEvent } from '../../../audit/audit.js';
import { Clock } from '../../../clock.js';
import { Database } from '../../../database/database.js';
import type { Queryable } from '../../../database/queryable.js';
import { Conflict, InvalidInput, NotFound, Overloaded } from '../../../errors.js';
import { EgressRefused, parseTarget } from '../../../outbound/egress/egress.js';
import { OutboxBell } from '../../../outbound/outbox-bell.js';
import { Outbox } from '../../../outbound/outbox.js';
import {
  deliveryOf,
  dropDeliveries,
  findDelivery,
  listDeliveries,
  replayDeliveries,
  testsUnderWay,
  WEBHOOK,
  type StoredDelivery,
} from '../../sql/webhook-deliveries.js';
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  lockWebhooks,
  updateWebhook,
  type StoredWebhook,
} from '../../sql/webhooks.js';
import { testBody } from './webhook-event.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { MAX_WEBHOOKS, STORED_STATES, type NewWebhook, type WebhookPatch } from './webhook.view.js';

const HOUR_MS = 3_600_000;
const MAX_TESTS = 3;
const MAX_REPLAYED = 1000;

/** Who is told of reviews by HTTP, and what became of each message. Every deed is in the audit; no secret is. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly secrets: WebhookSecrets,
  ) {}

  list(): Promise<StoredWebhook[]> {
    return listWebhooks(this.db);
  }

  /** @throws NotFound */
  async get(id: string): Promise<StoredWebhook> {
    const webhook = await findWebhook(this.db, id);
    if (webhook === undefined) throw new NotFound(`No webhook ${id}. Check the id.`);
    return webhook;
  }

  /** @returns it with its secret in the clear. @throws InvalidInput for an address that may not be called; Conflict. */
  async create(
    wanted: z.infer<typeof NewWebhook>,
    actor: string,
  ): Promise<StoredWebhook & { readonly plainSecret: string }> {
    checkUrl(wanted.url);
    const id = randomUUID();
    const { plain, sealed } = this.secrets.make(id);
    const at = this.now();
    const made: StoredWebhook = {
      ...wanted,
      id,
      secret: sealed,
      oldSecret: null,
      oldUntil: null,
      offReason: null,
      failingSince: null,
      version: 1,
      createdAt: at,
      createdBy: actor,
      updatedAt: at,
    };
    await this.db.transaction(async (tx) => {
      if (!(await insertWebhook(tx, made, MAX_WEBHOOKS))) await this.refuseNew(tx, made.name);
      await this.audit(tx, actor, 'webhook.created', made, factsOf(made));
    });
    return { ...made, plainSecret: plain };
  }

  /** @throws NotFound, Conflict when another version stands, InvalidInput. */
  async change(
    id: string,
    { version, ...wanted }: z.infer<typeof WebhookPatch>,
    actor: string,
  ): Promise<StoredWebhook> {
    if (wanted.url !== undefined) checkUrl(wanted.url);
    const before = await this.get(id);
    refuseStale(before, version);
    const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    const turnedOn = wanted.isActive === true && !before.isActive;
    const next: StoredWebhook = {
      ...before,
      ...given,
      ...(wanted.isActive === undefined ? {} : { offReason: null }),
      // Its time to arrive begins anew.
      ...(turnedOn || wanted.url !== undefined ? { failingSince: null } : {}),
      updatedAt: this.now(),
    };
    return this.write(before, next, actor, 'webhook.changed', { changed: given });
  }

  /** A new secret; the old one signs as well for some hours. @returns it with the new one in the clear. */
  async rotate(
    id: string,
    keepOldHours: number,
    actor: string,
  ): Promise<StoredWebhook & { readonly plainSecret: string }> {
    const before = await this.get(id);
    const { plain, sealed } = this.secrets.make(id);
    const at = this.now();
    const oldUntil = keepOldHours === 0 ? null : at + keepOldHours * HOUR_MS;
    const next = {
      ...before,
      secret: sealed,
      oldSecret: keepOldHours === 0 ? null : before.secret,
      oldUntil,
      updatedAt: at,
    };
    const written = await this.write(before, next, actor, 'webhook.secret_rotated', { keepOldHours });
    return { ...written, plainSecret: plain };
  }

  /** Ends it; what was on its way to it is not sent any more. @throws NotFound */
  async remove(id: string, actor: string): Promise<void> {
    const webhook = await this.get(id);
    await this.db.transaction(async (tx) => {
      if (!(await deleteWebhook(tx, id))) throw new NotFound(`No webhook ${id}. Check the id.`);
      await dropDeliveries(tx, id);
      await this.audit(tx, actor, 'webhook.removed', webhook, factsOf(webhook));
    });
  }

  /** @throws NotFound */
  async deliveries(
    id: string,
    asked: { state?: keyof typeof STORED_STATES | undefined; before?: string | undefined; limit: number },
  ): Promise<StoredDelivery[]> {
    await this.get(id);
    const states = asked.state === undefined ? undefined : STORED_STATES[asked.state];
    return listDeliveries(this.db, { webhookId: id, before: asked.before, states, limit: asked.limit });
  }

  /** Sends one that ended once more, with the same id. @throws NotFound; Conflict while it is on its way or it is off. */
  async replay(id: string, deliveryId: string, actor: string): Promise<StoredDelivery> {
    const webhook = await this.active(id);
    const delivery = await findDelivery(this.db, id, deliveryId);
    if (delivery === undefined)
      throw new NotFound(`No delivery ${deliveryId} of this webhook. It may be older than 30 days.`);
    const replayed = await this.putBack(webhook, [deliveryId], actor);
    if (replayed === 0)
      throw new Conflict('This delivery is on its way already. Wait for how it ends.', {
        state: 'pending',
        nextAttemptAt: new Date(delivery.dueAt).toISOString(),
      });
    return (await findDelivery(this.db, id, deliveryId)) ?? delivery;
  }

  /** Sends what was parked once more: the oldest 1,000. @returns how many. @throws NotFound; Conflict while it is off. */
  async replayFailed(id: string, actor: string): Promise<number> {
    return this.putBack(await this.active(id), undefined, actor);
  }

  /** Sends a test. @throws NotFound; Conflict while it is off; Overloaded while tests are on their way. */
  async test(id: string, actor: string): Promise<StoredDelivery> {
    const webhook = await this.active(id);
    const messageId = `test_${randomUUID()}`;
    const type = 'webhook.test';
    await this.db.transaction(async (tx) => {
      if ((await testsUnderWay(tx, id)) >= MAX_TESTS)
        throw new Overloaded(`${MAX_TESTS} tests of this webhook are on their way. Wait for their end.`, 10);
      // Of no lane: it is to tell how the receiver is now, whatever waits.
      await this.outbox.enqueue(tx, [
        {
          kind: WEBHOOK,
          key: `${id}:${messageId}`,
          payload: { webhookId: id, messageId, type, body: testBody(this.now()) },
        },
      ]);
      await this.audit(tx, actor, 'webhook.tested', webhook, { messageId });
    });
    this.bell.ring();
    const delivery = await deliveryOf(this.db, id, messageId);
    if (delivery === undefined) throw new NotFound('The webhook was removed meanwhile.');
    return delivery;
  }

  private async putBack(
    webhook: StoredWebhook,
    ids: readonly string[] | undefined,
    actor: string,
  ): Promise<number> {
    const replayed = await this.db.transaction(async (tx) => {
      const count = await replayDeliveries(tx, {
        webhookId: webhook.id,
        ...(ids === undefined ? {} : { ids }),
        now: this.now(),
        limit: MAX_REPLAYED,
      });
      if (count > 0)
        await this.audit(tx, actor, 'webhook.replayed', webhook, { count, ...(ids && { deliveries: ids }) });
      return count;
    });
    this.bell.ring();
    return replayed;
  }

  private async active(id: string): Promise<StoredWebhook> {
    const webhook = await this.get(id);
    if (!webhook.isActive)
      throw new Conflict(
        `The webhook ${webhook.name} is switched off. Switch it on first (isActive: true).`,
        {
          offReason: webhook.offReason,
        },
      );
    return webhook;
  }

  private async write(
    before: StoredWebhook,
    next: StoredWebhook,
    actor: string,
    action: string,
    data: AuditEvent['data'],
  ): Promise<StoredWebhook> {
    await this.db.transaction(async (tx) => {
      await lockWebhooks(tx);
      const isTaken = (await listWebhooks(tx)).some(({ id, name }) => name === next.name && id !== next.id);
      if (isTaken) throw nameTaken(next.name);
      if (!(await updateWebhook(tx, next))) throw stale(await this.get(before.id));
      await this.audit(tx, actor, action, before, data);
    });
    return this.get(before.id);
  }

  private async refuseNew(tx: Queryable, name: string): Promise<never> {
    const all = await listWebhooks(tx);
    if (all.some((one) => one.name === name)) throw nameTaken(name);
    throw new Conflict(`There are ${MAX_WEBHOOKS} webhooks, the most that may be. Remove one first.`);
  }

  private audit(
    tx: Queryable,
    actor: string,
    action: string,
    { id, name }: StoredWebhook,
    data: AuditEvent['data'],
  ): Promise<void> {
    return appendAudit(tx, [
      { at: this.now(), actor, action, subject: `webhook:${id}`, data: { name, ...data } },
    ]);
  }

  private now(): number {
    return Math.round(this.clock.now());
  }
}

const factsOf = ({ url, events, queues, isActive }: StoredWebhook) => ({ url, events, queues, isActive });

const nameTaken = (name: string): Conflict =>
  new Conflict(`There is a webhook ${name} already. Choose another name, or change that one.`);

function refuseStale(webhook: StoredWebhook, expected: number): void {
  if (webhook.version !== expected) throw stale(webhook);
}

const stale = ({ name, version, updatedAt }: StoredWebhook): Conflict =>
  new Conflict(`The webhook ${name} was changed meanwhile: it has version ${version}. Read it again.`, {
    version,
    at: new Date(updatedAt).toISOString(),
  });

/** @throws InvalidInput for what is no address that may be called, as far as its text tells. */
function checkUrl(url: string): void {
  try {
    parseTarget(url);
  } catch (error) {
    if (!(error instanceof EgressRefused)) throw error;
    throw InvalidInput.field('url', error.message, { cause: error });
  }
}
