import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Role } from '../config.js';
import type { JsonObject } from '../engine/model/json.js';
import { Engine } from '../engine/ports.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, type OutboxMessage } from '../outbound/outbox.js';

/** Outbox kind of a workflow that is to be started; the key is the workflow's id. */
export const START_WORKFLOW = 'findings.start';

const Payload = z.object({
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  createdBy: z.string(),
});

/** A workflow that starts when the transaction commits that says so. */
export const startOf = (workflowId: string, payload: z.infer<typeof Payload>): OutboxMessage => ({
  kind: START_WORKFLOW,
  key: workflowId,
  payload,
});

/** Starts a workflow about findings. Its id is its message's key, so that starting twice starts once. */
@Injectable()
export class StartWorkflowHandler extends OutboxHandler {
  readonly kind = START_WORKFLOW;
  override readonly leaves = false;
  override readonly role: Role = 'engine';

  constructor(private readonly engine: Engine) {
    super();
  }

  async deliver({ key, payload }: OutboxDelivery): Promise<Delivery> {
    const parsed = Payload.safeParse(payload);
    if (!parsed.success) return { kind: 'giveUp', reason: `no start of a workflow: ${parsed.error.message}` };
    const { name, input, createdBy } = parsed.data;
    await this.engine.start(
      {
        name,
        workflowId: key,
        idempotencyKey: key,
        correlationId: key,
        input: input as JsonObject,
        createdBy,
      },
      { kind: 'system', id: 'findings' },
    );
    return { kind: 'sent' };
  }
}
