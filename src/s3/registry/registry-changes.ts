import { appendAudit, type AuditEvent } from '../../audit/audit.js';
import type { Clock, Instant } from '../../clock.js';
import type { Database } from '../../database/database.js';
import { Conflict, InvalidInput } from '../../errors.js';
import type { Log } from '../../ops/log.js';
import type { Resolve } from '../../outbound/egress/egress.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { BucketRegistry } from './bucket-registry.js';
import { loopOf, type Reserved, type Source } from './loops.js';
import type { RegisteredBucket, RegisteredEndpoint, RegistrySnapshot } from './registered.js';
import { serversOf } from './servers.js';
import { deleteEndpoint, writeEndpoint } from './sql/write-endpoint.js';
import { lockRegistry, raiseRevision, readRegistry } from './sql/read-registry.js';
import { writeBucket } from './sql/write-bucket.js';

/** What is to be different, and how the audit tells it. */
export interface RegistryChange {
  readonly endpoints?: readonly RegisteredEndpoint[];
  readonly removedEndpoint?: string;
  readonly buckets?: readonly RegisteredBucket[];
  readonly audit: readonly AuditEvent[];
}

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Pick<BucketRegistry, 'changed'>;
  /** Buckets that the service writes to for itself. */
  readonly reserved: readonly Reserved[];
  /** The system's name service when absent. */
  readonly resolve?: Resolve | undefined;
}

// Each time somebody else changed something in between; so many in a row are no accident any more.
const MAX_TRIES = 8;
const MAX_BUCKETS = 10_000;
const MAX_ENDPOINTS = 1_000;

/**
 * Changes the registered buckets and endpoints. A change is judged against everything that stands beside it, names are
 * resolved outside of any transaction, and it is written only if nothing has changed meanwhile.
 */
export class RegistryChanges {
  constructor(private readonly parts: Parts) {}

  /**
   * @param decide says what is to change, given what stands; called again when somebody else was faster. Undefined: nothing.
   * @throws InvalidInput when a source would be scanned twice or feed itself, and whatever `decide` throws.
   */
  async make(
    decide: (now: RegistrySnapshot, at: Instant) => RegistryChange | undefined,
  ): Promise<RegistryChange | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await readRegistry(this.parts.database);
      const change = decide(before, wholeMilliseconds(this.parts.clock));
      if (change === undefined) return undefined;
      await this.judge(before, change);
      if (!(await this.write(before, change))) continue;
      await this.tell();
      return change;
    }
    throw new Conflict('Others change the registered buckets at the same time. Try again.');
  }

  /** @returns false when what the change was judged against stands no more. */
  private write(before: RegistrySnapshot, change: RegistryChange): Promise<boolean> {
    return this.parts.database.transaction(async (tx) => {
      await lockRegistry(tx);
      const now = await readRegistry(tx);
      if (now.revision !== before.revision) return false;
      for (const endpoint of change.endpoints ?? []) await writeEndpoint(tx, endpoint);
      for (const bucket of change.buckets ?? []) await writeBucket(tx, bucket);
      if (change.removedEndpoint !== undefined) await deleteEndpoint(tx, change.removedEndpoint);
      await raiseRevision(tx);
      await appendAudit(tx, change.audit);
      return true;
    });
  }

  private async tell(): Promise<void> {
    try {
      await this.parts.registry.changed();
    } catch (error) {
      // It is committed; this process sees it within a second, as the others do.
      this.parts.log.warn({ err: error }, 'the registered buckets could not be read again at once');
    }
  }

  private async judge(before: RegistrySnapshot, change: RegistryChange): Promise<void> {
    const endpoints = merged(before.endpoints, change.endpoints ?? [], ({ id }) => id);
    const all = merged(before.buckets, change.buckets ?? [], placeOf);
    if (endpoints.length > MAX_ENDPOINTS) throw new Conflict(`There are ${MAX_ENDPOINTS} endpoints already.`);
    if (all.length > MAX_BUCKETS)
      throw new Conflict(`There are ${MAX_BUCKETS} buckets already; removed ones count.`);
    const live = all.filter(({ removedAt }) => removedAt === undefined);
    const moved = new Set(change.endpoints?.map(({ id }) => id));
    const changed = new Set(change.buckets?.map(placeOf));
    const touched = live.filter((bucket) => changed.has(placeOf(bucket)) || moved.has(bucket.endpointId));
    for (const source of touched) await this.judgeOne(source, live, endpoints);
  }

  private async judgeOne(
    source: RegisteredBucket,
    live: readonly RegisteredBucket[],
    endpoints: readonly RegisteredEndpoint[],
  ): Promise<void> {
    const names = namesOf(source);
    const others = live.filter(
      (other) => other !== source && namesOf(other).some((name) => names.includes(name)),
    );
    const reserved = this.parts.reserved.filter(({ bucket }) => names.includes(bucket));
    // Only where names meet it matters which server is behind an address.
    const asked = new Set([source, ...others, ...reserved].map(({ endpointId }) => endpointId));
    const involved = endpoints.filter(({ id }) => asked.size > 1 && asked.has(id));
    const servers = new Map(
      await Promise.all(
        involved.map(
          async (endpoint) => [endpoint.id, await serversOf(endpoint, this.parts.resolve)] as const,
        ),
      ),
    );
    const loop = loopOf(source, others, reserved, servers);
    if (loop !== undefined) throw InvalidInput.field(loop.field, loop.message);
  }
}

const placeOf = ({ endpointId, bucket }: RegisteredBucket): string => `${endpointId}/${bucket}`;

const namesOf = ({ bucket, quarantineBucket }: Source): readonly string[] =>
  quarantineBucket === undefined ? [bucket] : [bucket, quarantineBucket];

function merged<T>(before: readonly T[], changed: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const byKey = new Map([...before, ...changed].map((item) => [keyOf(item), item]));
  return [...byKey.values()];
}
