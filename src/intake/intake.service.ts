import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { BacklogBell } from '../backlog/backlog-bell.js';
import { Storm } from '../backlog/storm.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { Clock, type Instant } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { InvalidInput } from '../errors.js';
import { LOG, type Log } from '../ops/log.js';
import { METRICS } from '../ops/metrics.js';
import { Buckets } from '../s3/buckets.js';
import { TriggerRules } from '../triggers/trigger-rules.js';
import { EventBatches, type PlacedEvent } from './event-batches.js';
import { eventKeyOf } from './event-key.js';
import { bucketOfEvent } from './find-bucket.js';
import { IntakeCounts } from './intake-counts.js';
import { normalise } from './normalise.js';
import type { Normalised, RejectedEvent, S3Event } from './s3-event.js';
import { probeIdOf } from './probes/probe-key.js';
import { noteArrivals, type ProbeEvent } from './probes/probe-rows.js';
import { storeRejects } from './sql/store-rejects.js';

/** Where a message came from. With `endpointId`, its events can only mean buckets of that endpoint. */
export interface MessageSource {
  readonly kind: 'webhook' | 'sqs' | 'sns' | 'embedded';
  readonly endpointId?: string | undefined;
  /** A person has it taken in again: whatever is wrong with it is an answer, not a refusal. */
  readonly isReplay?: true | undefined;
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
  private readonly counts: IntakeCounts;
  /** Ids of our own principals. */
  private readonly own: ReadonlySet<string>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    rules: TriggerRules,
    private readonly bell: BacklogBell,
    @Inject(LOG) private readonly log: Log,
    @Optional() @Inject(METRICS) metrics?: Registry,
    @Optional() @Inject(CONFIG) config?: Pick<Config, 'OWN_PRINCIPALS'>,
    @Optional() storm?: Storm,
  ) {
    this.batches = new EventBatches(database, rules, (messages) => storm?.stored(messages, clock.now()));
    this.counts = new IntakeCounts(metrics);
    this.own = new Set(config?.OWN_PRINCIPALS);
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
    const found = this.place(read, source);
    const placed = await this.withoutProbes(found.placed, source, at);
    const ignored = found.ignored + found.placed.length - placed.length;
    const { rejects } = found;
    const stored =
      placed.length + rejects.length === 0
        ? []
        : await this.batches.store({
            sourceKind: source.kind,
            endpointId: source.endpointId,
            placed,
            rejects,
            receivedAt: at,
          });
    if (stored.some(({ effect }) => effect === 'scan')) this.bell.ring();
    this.counts.count(source.kind, {
      stored: stored.length,
      known: placed.length - stored.length,
      ignored,
      rejects,
    });
    this.tell(rejects, source);
    // A queue, a topic or our own endpoint would only deliver the same again.
    if (source.kind === 'webhook' && source.isReplay !== true) refuseUnusable(read);
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
    const { kind: sourceKind, endpointId } = source;
    await storeRejects(this.database, [{ rejected: unparsed, sourceKind, endpointId, at }]);
    this.counts.count(source.kind, { stored: 0, known: 0, ignored: 0, rejects: [unparsed] });
    this.tell([unparsed], source);
  }

  /** One line for a message, however much is wrong with it. */
  private tell(rejects: readonly RejectedEvent[], source: MessageSource): void {
    const [first] = rejects;
    if (first === undefined) return;
    const { reason, path, bucket } = first;
    const count = rejects.length;
    this.log.warn({ source: source.kind, reason, path, bucket, count }, 'an event was rejected');
  }

  /** Finds each event's bucket among the registered ones; an event never chooses an endpoint of its own. */
  private place(read: Normalised, source: MessageSource) {
    const placed: PlacedEvent[] = [];
    const rejects: RejectedEvent[] = [...read.rejects];
    let ignored = read.ignored;
    for (const told of read.events) {
      const event: S3Event = {
        ...told,
        ...(source.kind === 'embedded' && { sourceKind: 'embedded' as const }),
        ...(this.isOwn(told.principal) && { isOwn: true as const }),
      };
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

  /** `AWS:AROA…:session` of a role, `AIDA…` of a user, an access key. Whoever takes on a role chooses the session's name. */
  private isOwn(principal: string | undefined): boolean {
    if (principal === undefined || this.own.size === 0) return false;
    const [id = ''] = principal.replace(/^AWS:/, '').split(':');
    return this.own.has(principal) || this.own.has(id);
  }

  /** The doctor's probes are no uploads: their arrival is noted, and that is all. */
  private async withoutProbes(
    placed: readonly PlacedEvent[],
    source: MessageSource,
    at: Instant,
  ): Promise<readonly PlacedEvent[]> {
    const probes = new Map<ProbeEvent, PlacedEvent>();
    for (const one of placed) {
      const id = probeIdOf(one.event.key);
      if (id === undefined) continue;
      probes.set({ id, endpointId: one.ref.endpointId, event: one.event, way: source.kind }, one);
    }
    if (probes.size === 0) return placed;
    const ours = await noteArrivals(this.database, [...probes.keys()], at);
    const noted = new Set([...ours].map((probe) => probes.get(probe)));
    return placed.filter((one) => !noted.has(one));
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
  raw: event.message,
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
