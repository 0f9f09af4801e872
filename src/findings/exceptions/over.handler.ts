import { Injectable } from '@nestjs/common';
import type { Role } from '../../config.js';
import { Database } from '../../database/database.js';
import { isTerminalTask } from '../../engine/model/execution.js';
import { Engine, type WorkflowExecution } from '../../engine/ports.js';
import { NotFound } from '../../errors.js';
import {
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  type OutboxMessage,
  skipped,
} from '../../outbound/outbox.js';
import type { Exception } from './exception.js';
import { findException } from './sql/exception-rows.js';

/** Outbox kind of an exception that is over, on its way to the workflow that lasts as long; the key is its id. */
export const EXCEPTION_OVER = 'exception.over';

export const overOf = ({ id }: Exception): OutboxMessage => ({ kind: EXCEPTION_OVER, key: id, payload: {} });

/** The task of the workflow that waits until then. */
const WAITS = 'in_force';
const BY = { kind: 'system', id: 'exceptions' } as const;

/** Ends the workflow of an exception that is over; one that nobody agreed to yet asks nobody any more. */
@Injectable()
export class ExceptionOverHandler extends OutboxHandler {
  readonly kind = EXCEPTION_OVER;
  override readonly leaves = false;
  override readonly role: Role = 'engine';

  constructor(
    private readonly db: Database,
    private readonly engine: Engine,
  ) {
    super();
  }

  async deliver({ key: id }: OutboxDelivery): Promise<Delivery> {
    const exception = await findException(this.db, id);
    const workflow = exception && (await this.workflow(id));
    if (exception === undefined || workflow === undefined)
      return skipped('there is no workflow of it any more');
    if (workflow.status !== 'RUNNING' && workflow.status !== 'PAUSED') return { kind: 'sent' };
    if (exception.decided === undefined) {
      const reason = `the request is ${exception.state.toLowerCase()}: ${exception.ended?.reason ?? ''}`;
      await this.engine.terminate(id, reason, BY);
      return { kind: 'sent' };
    }
    const waiting = workflow.tasks.find(
      (task) => task.referenceTaskName === WAITS && !isTerminalTask(task.status),
    );
    // It was put in force a moment ago, and its workflow does not know so yet.
    if (waiting === undefined) return { kind: 'retry', afterSeconds: 5, reason: 'it does not wait yet' };
    await this.engine.updateTask(
      {
        workflowInstanceId: id,
        taskId: waiting.taskId,
        status: 'COMPLETED',
        outputData: {
          state: exception.state,
          endedBy: exception.ended?.by ?? '',
          endedAt: new Date(exception.ended?.at ?? 0).toISOString(),
          reason: exception.ended?.reason ?? '',
        },
        workerId: 'exceptions',
      },
      BY,
    );
    return { kind: 'sent' };
  }

  private async workflow(id: string): Promise<WorkflowExecution | undefined> {
    try {
      return await this.engine.get(id);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }
}
