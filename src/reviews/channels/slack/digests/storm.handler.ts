import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import {
  Outbox,
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  skipped,
} from '../../../../outbound/outbox.js';
import { AfterTrouble, isLongWait, PATIENT_ATTEMPTS } from '../delivery/after-trouble.js';
import { DirectSight, type Sight } from '../delivery/direct-sight.js';
import type { SlackTrouble } from '../delivery/slack-errors.js';
import { SlackFallback } from '../delivery/slack-fallback.js';
import { directMessage, postMessage, SLACK_STORM } from '../delivery/slack-kinds.js';
import { retry, SlackSender, type SlackContent } from '../delivery/slack-sender.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor } from '../sql/broken.js';
import {
  dropStorm,
  endStorm,
  findStorm,
  leaveStorm,
  leftOfStorm,
  lockStorms,
  noteStormPosted,
  queuesOfStorm,
  stormFigures,
  stormReviews,
  type Storm,
} from '../sql/storms.js';
import { placeOfQueue } from '../sql/unshown.js';
import { barredStorm, NAMED, stormMessage } from './storm-message.js';
import { refreshMessage, SOON_MS, STORM_ABOVE } from './storms.js';

const Payload = z.object({ stormId: z.uuid(), what: z.string().min(1).max(60) });

// In one attempt; the others follow at once.
const MOST_TOLD_OTHERWISE = 500;

/** What its message may show, and in somebody's direct messages of which queues. */
interface StormSight {
  readonly sight: Sight;
  readonly queues?: readonly string[] | undefined;
}

const NOBODY_TO_TELL = 'they may not decide there (any more)';

/** Posts the message of a storm, shows how it is worked off, and when it is over posts the few that nobody took. */
@Injectable()
export class SlackStormHandler extends OutboxHandler {
  readonly kind = SLACK_STORM;
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 20;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly access: SlackAccess,
    private readonly sender: SlackSender,
    private readonly sight: DirectSight,
    private readonly after: AfterTrouble,
    private readonly fallback: SlackFallback,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a storm: ${payload.error.message}` };
    const { stormId, what } = payload.data;
    const storm = await findStorm(this.db, stormId);
    if (storm === undefined) return skipped('it was told otherwise');
    if (what === 'post') return this.post(storm, message);
    if (storm.ts === undefined) return skipped('it is not posted yet');
    if (what === 'calm') await this.calm(storm);
    return this.update(storm, storm.ts, message);
  }

  private async post(storm: Storm, message: OutboxDelivery): Promise<Delivery> {
    if (storm.ts !== undefined) return { kind: 'sent', receipt: { ts: storm.ts } };
    const { channel } = storm;
    if (this.access.web === undefined)
      return this.tellOtherwise(storm, { reason: 'Slack is not set up (any more)' });
    const broken = await brokenFor(this.db, channel);
    if (broken !== undefined) return this.tellOtherwise(storm, broken);
    const { sight, queues } = await this.sightOf(storm);
    if (sight === 'unchecked' && message.attempt < PATIENT_ATTEMPTS)
      return retry({ kind: 'again', reason: 'Slack does not say what the account is' });
    if (sight !== 'all')
      return this.tellOtherwise(storm, { place: channel, reason: 'the account is no member’s (any more)' });
    const said =
      (await this.sender.earlier(message, { channel })) ??
      (await this.sender.post(message, { channel, ...(await this.content(storm, queues)) }));
    if (said.kind !== 'posted') return this.failed(storm, message, said);
    await noteStormPosted(this.db, storm.id, said.ts);
    // Whatever joined while it was under way.
    await this.outbox.enqueue(this.db, [refreshMessage(storm.id, Math.round(this.clock.now()), SOON_MS)]);
    return { kind: 'sent', receipt: { channel, ts: said.ts } };
  }

  private async update(storm: Storm, ts: string, message: OutboxDelivery): Promise<Delivery> {
    const { channel } = storm;
    // Brought up to date once Slack is on again, or the channel works again.
    if (this.access.web === undefined) return skipped('Slack is not set up (any more)');
    if ((await brokenFor(this.db, channel)) !== undefined) return skipped('the channel is broken');
    // The next change comes by again.
    if ((await this.sightOf(storm)).sight === 'unchecked')
      return skipped('Slack does not say what the account is');
    const said = await this.sender.update({ channel, ts }, async () => {
      // It waited for its turn.
      const { sight, queues } = await this.sightOf(storm);
      return sight === 'all' ? this.content(storm, queues) : barredStorm();
    });
    if (said.kind === 'updated') return { kind: 'sent' };
    if (said.kind === 'gone' || said.kind === 'unfit') return skipped(said.reason);
    const after = await this.after.of(said, channel, message.attempt);
    return after.kind === 'again' ? after.delivery : skipped(after.reason);
  }

  private async sightOf({ id, personId, userId, at: postedAt }: Storm): Promise<StormSight> {
    if (personId === undefined) return { sight: 'all' };
    const queues = await this.sight.queuesOf(personId, await queuesOfStorm(this.db, id));
    if (queues.length === 0) return { sight: 'nothing', queues };
    return { sight: await this.sight.ofAccount({ personId, userId, postedAt }), queues };
  }

  /** The few that are left get messages with buttons of their own; many stay in the inbox. */
  private async calm(storm: Storm): Promise<void> {
    const { queues } = await this.sightOf(storm);
    const left = await leftOfStorm(this.db, storm, { limit: STORM_ABOVE + 1, queues });
    await this.db.transaction(async (tx) => {
      if (!(await endStorm(tx, storm.id, Math.round(this.clock.now())))) return;
      if (left.length > STORM_ABOVE) return;
      const { personId } = storm;
      await this.outbox.enqueue(
        tx,
        left.map(({ id, policy }) =>
          personId === undefined
            ? postMessage({ id, queue: policy.queue }, { key: 'calm', single: true })
            : directMessage(id, personId, { kind: 'opened' }, true),
        ),
      );
    });
  }

  private async failed(storm: Storm, message: OutboxDelivery, trouble: SlackTrouble): Promise<Delivery> {
    const isLost = trouble.kind === 'channel' || trouble.kind === 'unreachable';
    // One person cannot be written to, which says nothing of channels.
    if (storm.personId !== undefined && isLost)
      return this.tellOtherwise(storm, { place: storm.channel, reason: trouble.reason });
    const after = await this.after.of(trouble, storm.channel, message.attempt);
    if (after.kind === 'broken') return this.tellOtherwise(storm, after);
    // They are told now, and by its message once Slack takes it.
    if (isLongWait(trouble, message.attempt))
      await this.tellByMail(storm, (await this.sightOf(storm)).queues, {
        place: storm.channel,
        reason: trouble.reason,
        isBroken: false,
      });
    return after.delivery;
  }

  /** Each of its reviews is one that the channel does not show. @param place what is broken; absent where Slack is off. */
  private async tellOtherwise(
    storm: Storm,
    { place, reason }: { readonly place?: string; readonly reason: string },
  ): Promise<Delivery> {
    const { queues } = await this.sightOf(storm);
    await this.tellByMail(storm, queues, { place, reason, isBroken: place !== undefined }, leaveStorm);
    const isOver = await this.db.transaction(async (tx) => {
      await lockStorms(tx, storm.channel);
      if ((await stormReviews(tx, storm.id, { limit: 1, queues })).length > 0) return false;
      await dropStorm(tx, storm.id);
      return true;
    });
    return isOver
      ? skipped(queues?.length === 0 ? NOBODY_TO_TELL : `told otherwise: ${reason}`)
      : { kind: 'later', afterSeconds: 1, reason: 'more joined meanwhile' };
  }

  /** @param queues of these alone; of all where absent. @param together noted in the same transaction. */
  private async tellByMail(
    { id, personId }: Storm,
    queues: readonly string[] | undefined,
    failed: { readonly place: string | undefined; readonly reason: string; readonly isBroken: boolean },
    together: typeof leaveStorm = () => Promise.resolve(),
  ): Promise<void> {
    for (const review of await stormReviews(this.db, id, { limit: MOST_TOLD_OTHERWISE, queues })) {
      const place = failed.place ?? placeOfQueue(review.policy.queue);
      const also = (tx: Queryable): Promise<unknown> => together(tx, id, review.id);
      if (personId === undefined) await this.fallback.unshown(review, { ...failed, place, tried: 0 }, also);
      else
        await this.db.transaction(async (tx) => {
          await also(tx);
          await this.fallback.untold(review, personId, { kind: 'opened' }, tx);
        });
    }
  }

  private async content({ id, personId }: Storm, queues?: readonly string[]): Promise<SlackContent> {
    const urgent = await stormReviews(this.db, id, { limit: NAMED, queues });
    return stormMessage(await stormFigures(this.db, id, queues), urgent, {
      publicUrl: publicUrl(this.config),
      isForOne: personId !== undefined,
    });
  }
}
