import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { OutboxBell } from './outbox-bell.js';
import { Outbox, type OutboxMessage } from './outbox.js';
import { insertMessages } from './sql/insert-messages.js';

// The transaction around an enqueue usually commits within this time; then the loops look at once.
const LIKELY_COMMITTED_MS = 15;

/** The outbox in the table `outbox`. */
@Injectable()
export class PostgresOutbox extends Outbox {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly bell: OutboxBell,
  ) {
    super();
  }

  async enqueue(tx: Queryable, messages: readonly OutboxMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await insertMessages(tx, messages, Math.round(this.clock.now()));
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.bell.ring();
    }, LIKELY_COMMITTED_MS);
    this.timer.unref();
  }
}
