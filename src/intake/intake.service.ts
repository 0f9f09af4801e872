import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { BacklogBell } from '../backlog/backlog-bell.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { InvalidInput } from '../errors.js';
import { LOG, type Log } from '../ops/log.js';
import { Buckets } from '../s3/buckets.js';
import { TriggerRules } from '../triggers/trigger-rules.js';
import { EventBatches, type PlacedEvent } from './event-batches.js';
import { eventKeyOf } from './event-key.js';
import { bucketOfEvent } from './find-bucket.js';
import { normalise } from './normalise.js';
import type { Normalised, RejectedEvent, S3Event } from './s3-event.js';
import { storeRejects } from './sql/store-rejects.js';

/** Where a message came from. With `endpointId`, its events can only mean buckets of that endpoint. */
export interface MessageSource {
  readonly kind: 'webhook' | 'sqs' | 'sns' | 'embedded';
  readonly endpointId?: string | undefined;
}

/** What became of a message; everything counted here is on disk. */
export interface Accepted {
  /** Stored now, for the first time. */
  readonly accepted: number;
  /** Stored by an earlier delivery. */
  readonly duplicates: number;
  /** Of no concern: tagging, ACLs, our own quarantine's objects. */
  readonly ignored: number;
  /** Kept apart with their reasons. */
  readonly rejected: number;
}

/** Takes in what sources say was uploaded. Nothing is acknowledged before it is durable. */
@Injectable()
export class IntakeService {
  private readonly batches: EventBatches;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    rules: TriggerRules,
    private readonly bell: BacklogBell,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.batches = new EventBatches(database, rules);
  }

  /**
   * Stores a message's events, ledger rows and backlog rows in one transaction, together with those
   * of messages that come at the same time.
   *
   * @throws InvalidInput when no part of a webhook's message can be used; what was wrong is kept all the same.
   */
  async accept(message: unknown, source: MessageSource): Promise<Accepted> {
    const at = wholeMilliseconds(this.clock);
    const read = normalise(message);
    const { placed, ignored, rejects } = this.place(read, source);
    const stored =
      placed.length + rejects.length === 0
        ? []
        : await this.batches.store({ sourceKind: source.kind, placed, rejects, receivedAt: at });
    if (stored.some(({ effect }) => effect === 'scan')) this.bell.ring();
    for (const rejected of rejects) {
      const { reason, path, bucket } = rejected;
      this.log.warn({ source: source.kind, reason, path, bucket }, 'an event was rejected');
    }
    // A queue, a topic or our own endpoint would only deliver the same again.
    if (source.kind === 'webhook') refuseUnusable(read);
    return {
      accepted: stored.length,
      duplicates: placed.length - stored.length,
      ignored,
      rejected: rejects.length,
    };
  }

  /** Keeps what could not even be parsed, so that an operator sees what a source sends. */
  async rejectText(
    text: string,
    message: string,
    source: MessageSource,
    reason: 'not_json' | 'not_storable' = 'not_json',
  ): Promise<void> {
    const at = wholeMilliseconds(this.clock);
    const unparsed = { reason, path: 'body', message, raw: text };
    await storeRejects(this.database, [unparsed], { sourceKind: source.kind, at });
  }

  /** Finds each event's bucket among the registered ones; an event never chooses an endpoint of its own. */
  private place(read: Normalised, source: MessageSource) {
    const placed: PlacedEvent[] = [];
    const rejects: RejectedEvent[] = [...read.rejects];
    let ignored = read.ignored;
    for (const told of read.events) {
      const event: S3Event = source.kind === 'embedded' ? { ...told, sourceKind: 'embedded' } : told;
      const found = bucketOfEvent(this.buckets, event.bucket, source.endpointId);
      if (found.kind === 'found') {
        const { policy } = found;
        const { bucket, key, versionId } = event;
        const nonce = randomUUID();
        const ref = {
          endpointId: policy.endpointId,
          bucket,
          key,
          ...(versionId !== undefined && { versionId }),
        };
        const eventKey = eventKeyOf(policy.endpointId, event, nonce);
        placed.push({ event, nonce, ref, eventKey, priority: policy.priority });
      } else if (found.kind === 'ambiguous') {
        rejects.push(ambiguousBucket(event, found.endpointIds));
      } else if (this.isQuarantine(event.bucket, source.endpointId)) {
        ignored += 1;
      } else {
        rejects.push(unknownBucket(event));
      }
    }
    return { placed, rejects, ignored };
  }

  private isQuarantine(bucket: string, endpointId: string | undefined): boolean {
    return this.buckets
      .list()
      .some(
        (policy) =>
          policy.quarantineBucket === bucket &&
          (endpointId === undefined || policy.endpointId === endpointId),
      );
  }
}

const unknownBucket = (event: S3Event): RejectedEvent => ({
  reason: 'unknown_bucket',
  path: 'bucket',
  message: `${event.bucket} is not a registered bucket, or disabled; register it (sallyport bucket add), or stop the source from telling of it`,
  bucket: event.bucket,
  raw: { eventName: event.eventName, bucket: event.bucket, key: event.key, versionId: event.versionId },
});

const ambiguousBucket = (event: S3Event, endpointIds: readonly string[]): RejectedEvent => ({
  reason: 'ambiguous_bucket',
  path: 'bucket',
  message: `${event.bucket} is registered on several endpoints (${endpointIds.slice(0, 10).join(', ')}), and the event does not tell which one is meant`,
  bucket: event.bucket,
  raw: event.message,
});

/** Nothing in it was an event: whoever sent it must hear that, and where it went wrong. */
function refuseUnusable(read: Normalised): void {
  if (read.events.length > 0 || read.ignored > 0 || read.isTest || read.rejects.length === 0) return;
  const problems = read.rejects.slice(0, 20).map(({ path, message }) => ({ path, message }));
  throw new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
}
