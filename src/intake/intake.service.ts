import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { BacklogBell } from '../backlog/backlog-bell.js';
import { Clock, type Instant } from '../clock.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { InvalidInput } from '../errors.js';
import { LOG, type Log } from '../ops/log.js';
import { Buckets } from '../s3/buckets.js';
import { TriggerRules } from '../triggers/trigger-rules.js';
import { isVersioned, lockKeys } from '../verdicts/identity.js';
import type { ObjectRef } from '../verdicts/ledger.js';
import { markDeleted } from '../verdicts/sql/object-rows.js';
import { eventKeyOf } from './event-key.js';
import { normalise } from './normalise.js';
import type { Normalised, RejectedEvent, S3Event } from './s3-event.js';
import { sequenceOf } from './sequencer.js';
import { knownEvents, storeEvents, type StoredEvent } from './sql/store-events.js';
import { storeRejects } from './sql/store-rejects.js';
import { storeUpload } from './store-upload.js';

/** Where a message came from. With `endpointId`, its events can only mean buckets of that endpoint. */
export interface MessageSource {
  readonly kind: 'webhook' | 'embedded';
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

/** An event whose bucket is ours, ready to be stored. */
interface Placed {
  readonly event: S3Event;
  readonly ref: ObjectRef;
  readonly nonce: string;
  readonly eventKey: string;
}

/** Takes in what sources say was uploaded. Nothing is acknowledged before it is durable. */
@Injectable()
export class IntakeService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly rules: TriggerRules,
    private readonly bell: BacklogBell,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /**
   * Stores a message's events, ledger rows and backlog rows in one transaction.
   *
   * @throws InvalidInput when no part of a webhook's message can be used; what was wrong is kept all the same.
   */
  async accept(message: unknown, source: MessageSource): Promise<Accepted> {
    const at = wholeMilliseconds(this.clock);
    const read = normalise(message);
    const { placed, ignored, rejects } = this.place(read, source);
    const stored = await this.database.transaction(async (tx) => {
      await storeRejects(tx, rejects, { sourceKind: source.kind, at });
      return this.store(tx, placed, at);
    });
    if (stored.some(({ effect }) => effect === 'scan')) this.bell.ring();
    for (const rejected of rejects) {
      const { reason, path, bucket } = rejected;
      this.log.warn({ source: source.kind, reason, path, bucket }, 'an event was rejected');
    }
    // Our own endpoint would only deliver the same again.
    if (source.kind === 'webhook') refuseUnusable(read);
    return {
      accepted: stored.length,
      duplicates: placed.length - stored.length,
      ignored,
      rejected: rejects.length,
    };
  }

  /** Keeps what could not even be parsed, so that an operator sees what a source sends. */
  async rejectText(text: string, message: string, source: MessageSource): Promise<void> {
    const at = wholeMilliseconds(this.clock);
    const unparsed = { reason: 'not_json', path: 'body', message, raw: text };
    await storeRejects(this.database, [unparsed], { sourceKind: source.kind, at });
  }

  /** Finds each event's bucket among the registered ones; an event never chooses an endpoint of its own. */
  private place(read: Normalised, source: MessageSource) {
    const placed: Placed[] = [];
    const rejects: RejectedEvent[] = [...read.rejects];
    let ignored = read.ignored;
    for (const told of read.events) {
      const event: S3Event = source.kind === 'embedded' ? { ...told, sourceKind: 'embedded' } : told;
      const policy =
        source.endpointId === undefined
          ? this.buckets.byName(event.bucket)
          : this.buckets.find(source.endpointId, event.bucket);
      if (policy !== undefined) {
        const { bucket, key, versionId } = event;
        const nonce = randomUUID();
        const ref = {
          endpointId: policy.endpointId,
          bucket,
          key,
          ...(versionId !== undefined && { versionId }),
        };
        placed.push({ event, nonce, ref, eventKey: eventKeyOf(policy.endpointId, event, nonce) });
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

  /** @returns what was stored now; events of earlier deliveries are left out. */
  private async store(tx: Queryable, placed: readonly Placed[], receivedAt: Instant): Promise<StoredEvent[]> {
    if (placed.length === 0) return [];
    await lockKeys(
      tx,
      placed.map(({ ref }) => ref),
    );
    const seen = await knownEvents(
      tx,
      placed.map(({ eventKey }) => eventKey),
    );
    const match = await this.rules.match(tx);
    const stored: StoredEvent[] = [];
    for (const { event, ref, nonce, eventKey } of placed) {
      if (seen.has(eventKey)) continue;
      seen.add(eventKey);
      const common = { eventKey, endpointId: ref.endpointId, event, receivedAt };
      if (event.kind === 'created' || event.kind === 'restored') {
        stored.push({ ...common, ...(await storeUpload(tx, { ref, event, nonce, receivedAt, match })) });
      } else {
        if (event.kind === 'deleted') await storeDeletion(tx, ref, event, receivedAt);
        stored.push({ ...common, openedObject: false, effect: event.kind });
      }
    }
    await storeEvents(tx, stored);
    return stored;
  }
}

const storeDeletion = (tx: Queryable, ref: ObjectRef, event: S3Event, receivedAt: Instant): Promise<void> =>
  markDeleted(tx, ref, {
    at: event.eventTime ?? receivedAt,
    versioned: isVersioned(ref),
    sequence: sequenceOf(event.sourceKind, event.sequencer),
  });

const unknownBucket = (event: S3Event): RejectedEvent => ({
  reason: 'unknown_bucket',
  path: 'bucket',
  message: `${event.bucket} is not a registered bucket; add it to S3_BUCKETS, or stop the source from telling of it`,
  bucket: event.bucket,
  raw: { eventName: event.eventName, bucket: event.bucket, key: event.key, versionId: event.versionId },
});

/** Nothing in it was an event: whoever sent it must hear that, and where it went wrong. */
function refuseUnusable(read: Normalised): void {
  if (read.events.length > 0 || read.ignored > 0 || read.isTest || read.rejects.length === 0) return;
  const problems = read.rejects.slice(0, 20).map(({ path, message }) => ({ path, message }));
  throw new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
}
