import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../../outbound/outbox.js';
import { listReviews } from '../../../sql/list-reviews.js';
import { queueFigures } from '../../../sql/queue-figures.js';
import { AfterTrouble } from '../delivery/after-trouble.js';
import { SLACK_DIGEST } from '../delivery/slack-kinds.js';
import { SlackSender, type SlackContent } from '../delivery/slack-sender.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor } from '../sql/broken.js';
import { decidersIn } from '../sql/digests.js';
import { digestMessage } from './digest-message.js';
import { lateMessage } from './late-message.js';
import { NAMED } from './storm-message.js';

const Payload = z.object({
  kind: z.enum(['daily', 'weekly', 'late']),
  channel: z.string().min(1),
  from: z.number(),
  at: z.number(),
});
type Payload = z.infer<typeof Payload>;

const MOST_QUEUES = 200;
const MOST_DECIDERS = 5;

/** Tells a channel how the reviews of its queues stand. */
@Injectable()
export class SlackDigestHandler extends OutboxHandler {
  readonly kind = SLACK_DIGEST;
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 20;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly sender: SlackSender,
    private readonly after: AfterTrouble,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a digest: ${payload.error.message}` };
    const { channel } = payload.data;
    // The next one tells of the time since this one all the same.
    if (this.access.web === undefined) return skipped('Slack is not set up (any more)');
    if ((await brokenFor(this.db, channel)) !== undefined) return skipped('the channel is broken');
    const said =
      (await this.sender.earlier(message, { channel })) ??
      (await this.sender.post(message, { channel, ...(await this.content(payload.data)) }));
    if (said.kind === 'posted') return { kind: 'sent', receipt: { channel, ts: said.ts } };
    if (said.kind === 'unfit') return { kind: 'giveUp', reason: said.reason };
    const after = await this.after.of(said, channel, message.attempt);
    return after.kind === 'again' ? after.delivery : skipped(after.reason);
  }

  private async content({ kind, channel, from, at }: Payload): Promise<SlackContent> {
    const now = Math.round(this.clock.now());
    const all = await queueFigures(this.db, { now, from, to: at, limit: MOST_QUEUES });
    // Nothing of queues that another channel shows: not everybody here may know of them.
    const queues = all.filter(({ queue }) => this.access.channelFor(queue) === channel);
    const names = queues.map(({ queue }) => queue);
    const url = publicUrl(this.config);
    if (kind === 'late') {
      const view = { kind: 'breached', now } as const;
      const urgent = await listReviews(this.db, { view, queues: names, order: 'due', limit: NAMED });
      return lateMessage(queues, urgent, url);
    }
    const deciders = await decidersIn(this.db, { from, to: at, queues: names, limit: MOST_DECIDERS });
    return digestMessage({ kind, from, queues, deciders }, url);
  }
}
