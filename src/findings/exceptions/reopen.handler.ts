import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Role } from '../../config.js';
import { Database } from '../../database/database.js';
import { AppError } from '../../errors.js';
import { LOG, type Log } from '../../ops/log.js';
import { OutboxBell } from '../../outbound/outbox-bell.js';
import {
  Outbox,
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  type OutboxMessage,
} from '../../outbound/outbox.js';
import { Rescans } from '../rescans.js';
import { chainOf } from './sql/exception-rows.js';
import { exceptedObjects } from './sql/excepted-objects.js';

/** Outbox kind of a page of objects that are judged again because what answered for their findings is over. */
export const EXCEPTION_REOPEN = 'exception.reopen';

/** @param after the last finding that an earlier page looked at. */
export const reopenOf = (exceptionId: string, after: string): OutboxMessage => ({
  kind: EXCEPTION_REOPEN,
  key: `${exceptionId}:${after}`,
  payload: { exceptionId, after },
});

const Payload = z.object({ exceptionId: z.uuid(), after: z.string().regex(/^\d{1,19}$/) });

// Each object costs a question to S3; a page stays well within an attempt's time.
const PAGE = 50;

/**
 * Opens findings again, page by page, by scanning their objects anew: the verdict, the tag, the review and its deadline
 * all follow as for an upload. A page that is delivered twice scans its objects once more, which changes nothing.
 */
@Injectable()
export class ExceptionReopenHandler extends OutboxHandler {
  readonly kind = EXCEPTION_REOPEN;
  override readonly leaves = false;
  override readonly role: Role = 'engine';
  override readonly concurrency = 1;
  override readonly timeoutSeconds = 120;

  constructor(
    private readonly db: Database,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly rescans: Rescans,
    @Inject(LOG) private readonly log: Log,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `no page of findings: ${payload.error.message}` };
    const { exceptionId, after } = payload.data;
    const chain = await chainOf(this.db, exceptionId);
    const { objects, last } = await exceptedObjects(this.db, chain, { after, walk: PAGE });
    let asked = 0;
    for (const { versionId, ...object } of objects)
      if (await this.rescan({ ...object, ...(versionId !== null && { versionId }) })) asked += 1;
    if (last !== undefined) {
      await this.db.transaction((tx) => this.outbox.enqueue(tx, [reopenOf(exceptionId, last)]));
      this.bell.ring();
    }
    return { kind: 'sent', receipt: { objects: objects.length, asked } };
  }

  private async rescan(object: Parameters<Rescans['request']>[0]): Promise<boolean> {
    try {
      await this.rescans.request(object, 'system:exceptions');
      return true;
    } catch (error) {
      // What is gone, in quarantine or scanned no more has a verdict that says so; the others are not held up by it.
      if (!(error instanceof AppError) || error.retryable) throw error;
      this.log.info({ err: error, ...object }, 'an object whose exception is over was not scanned again');
      return false;
    }
  }
}
