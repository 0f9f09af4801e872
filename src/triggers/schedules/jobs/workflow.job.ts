import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Instant } from '../../../clock.js';
import { MAX_VERSION } from '../../../engine/model/definition.js';
import type { JsonObject } from '../../../engine/model/json.js';
import { Engine, Metadata } from '../../../engine/ports.js';
import { InvalidInput, NotFound } from '../../../errors.js';
import { ScheduledJob, type Firing } from '../scheduled-job.js';

const Payload = z.strictObject({
  name: z.string().min(1).max(255),
  /** The newest when the firing comes, if absent. */
  version: z.int().min(1).max(MAX_VERSION).optional(),
  input: z.record(z.string(), z.any()).default({}),
  priority: z.int().min(0).max(99).optional(),
  correlationId: z.string().min(1).max(255).optional(),
});

/**
 * Starts a workflow, once for each due instant. Its input is the payload's, and `schedule: {name, dueAt}` unless the
 * payload's has such a key itself.
 */
@Injectable()
export class WorkflowJob extends ScheduledJob {
  readonly kind = 'workflow';

  constructor(
    private readonly engine: Engine,
    private readonly metadata: Metadata,
  ) {
    super();
  }

  async checkPayload(payload: JsonObject): Promise<void> {
    const { name, version } = read(payload);
    try {
      await this.metadata.getWorkflow(name, version);
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      throw InvalidInput.field('payload.name', error.message, { cause: error });
    }
  }

  async run(payload: JsonObject, firedAt: Instant, firing: Firing): Promise<void> {
    const { name, version, input, priority, correlationId } = read(payload);
    const schedule = { name: firing.scheduleName, dueAt: new Date(firedAt).toISOString() };
    await this.engine.start(
      {
        name,
        version,
        input: { schedule, ...(input as JsonObject) },
        priority,
        correlationId,
        idempotencyKey: firing.id,
        workflowId: firing.id,
        createdBy: 'system:schedules',
      },
      { kind: 'system', id: 'schedules' },
    );
  }
}

function read(payload: JsonObject): z.infer<typeof Payload> {
  const parsed = Payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({
    path: ['payload', ...path].map(String).join('.'),
    message,
  }));
  throw new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
}
