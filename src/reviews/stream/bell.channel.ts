import { Injectable } from '@nestjs/common';
import type { OutboxMessage } from '../../outbound/outbox.js';
import { ReviewChannel } from '../channels/channel.js';
import { ReviewBell } from './review-bell.js';

/** Wakes those who listen to what happens to reviews. Sends nothing: they read the rows. */
@Injectable()
export class BellChannel extends ReviewChannel {
  readonly name = 'stream';

  constructor(private readonly bell: ReviewBell) {
    super();
  }

  tell(): readonly OutboxMessage[] {
    return [];
  }

  changed(): readonly OutboxMessage[] {
    return [];
  }

  override async noted(): Promise<readonly OutboxMessage[]> {
    this.bell.ring();
    return [];
  }
}
