import type { Clock } from '../../clock.js';
import type { Notices } from '../../database/notices.js';
import type { Queryable } from '../../database/queryable.js';
import type { Log } from '../../ops/log.js';
import { Recurring } from '../../recurring.js';
import { Buckets, type BucketPolicy } from '../buckets.js';
import type { CallTerms } from '../call-terms.js';
import type { RegisteredBucket, RegisteredEndpoint, RegistrySnapshot } from './registered.js';
import { readRegistry, readRevision } from './sql/read-registry.js';

const CHANNEL = 'sallyport_buckets';
// Notices are hints: however many are lost, a change is seen after this.
const LOOK_EVERY_MS = 1_000;

interface Parts {
  readonly database: Queryable;
  readonly notices: Pick<Notices, 'on' | 'onReconnect' | 'publish'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The registered buckets and endpoints as this process last read them from the database.
 *
 * Asking never waits. A change is seen here as soon as whoever made it called `changed`, elsewhere as soon as the notice
 * arrives, and after a second in any case. While the database is away the last reading stands.
 */
export class BucketRegistry extends Buckets {
  private snapshot: RegistrySnapshot = { revision: -1, endpoints: [], buckets: [] };
  private enabled: readonly BucketPolicy[] = [];
  private byPlace = new Map<string, RegisteredBucket>();
  private byBucket = new Map<string, BucketPolicy[]>();
  /** Whom the quarantine buckets must belong to, by place. */
  private quarantineOwners = new Map<string, string>();
  private endpointsById = new Map<string, RegisteredEndpoint>();
  private readonly looking: Recurring;
  private readonly unsubscribe: (() => void)[] = [];

  constructor(private readonly parts: Parts) {
    super();
    const { clock, log } = parts;
    this.looking = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'could not look for changes of the registered buckets',
      turn: () => this.look(),
    });
  }

  /** Reads everything, and goes on looking for changes until `stop`. A second call only reads. */
  async open(): Promise<void> {
    await this.reload();
    if (this.unsubscribe.length > 0) return;
    const wake = (): void => this.looking.wake();
    this.unsubscribe.push(this.parts.notices.on(CHANNEL, wake), this.parts.notices.onReconnect(wake));
    this.looking.start();
  }

  async stop(): Promise<void> {
    for (const stop of this.unsubscribe.splice(0)) stop();
    await this.looking.stop();
  }

  /** After a change was committed: it holds here when this resolves, and the others are told. */
  async changed(): Promise<void> {
    this.parts.notices.publish(CHANNEL, 'changed');
    await this.reload();
  }

  list(): readonly BucketPolicy[] {
    return this.enabled;
  }

  find(endpointId: string, bucket: string): RegisteredBucket | undefined {
    return this.byPlace.get(placeKey(endpointId, bucket));
  }

  /** A quarantine bucket is never registered itself; what is said of it stands at the buckets that move there. */
  termsOf(endpointId: string, bucket: string): CallTerms | undefined {
    const own = this.find(endpointId, bucket);
    const expectedOwner = this.quarantineOwners.get(placeKey(endpointId, bucket));
    // One that was registered once and removed may have become a quarantine.
    return own?.enabled === true || expectedOwner === undefined ? own : { expectedOwner };
  }

  byName(bucket: string): BucketPolicy | undefined {
    const named = this.named(bucket);
    return named.length === 1 ? named[0] : undefined;
  }

  override named(bucket: string): readonly BucketPolicy[] {
    return this.byBucket.get(bucket) ?? [];
  }

  endpoint(id: string): RegisteredEndpoint | undefined {
    return this.endpointsById.get(id);
  }

  /** As last read; with removed buckets. */
  get current(): RegistrySnapshot {
    return this.snapshot;
  }

  private async look(): Promise<void> {
    if ((await readRevision(this.parts.database)) !== this.snapshot.revision) await this.reload();
  }

  private async reload(): Promise<void> {
    const read = await readRegistry(this.parts.database);
    // Two readings may cross: the older one comes too late.
    if (read.revision < this.snapshot.revision) return;
    const enabled = read.buckets.filter((bucket) => bucket.enabled);
    this.snapshot = read;
    this.enabled = enabled;
    this.byPlace = new Map(
      read.buckets.map((bucket) => [placeKey(bucket.endpointId, bucket.bucket), bucket]),
    );
    this.byBucket = grouped(enabled);
    this.quarantineOwners = ownersOf(read.buckets);
    this.endpointsById = new Map(read.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  }
}

const placeKey = (endpointId: string, bucket: string): string => `${endpointId}/${bucket}`;

/** Also of removed buckets, whose copies are still kept. Where two disagree the one that is scanned counts, or the first. */
function ownersOf(buckets: readonly RegisteredBucket[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { endpointId, quarantineBucket, quarantineOwner } of buckets.toSorted(
    (a, b) => Number(b.enabled) - Number(a.enabled),
  )) {
    if (quarantineBucket === undefined || quarantineOwner === undefined) continue;
    const place = placeKey(endpointId, quarantineBucket);
    if (!owners.has(place)) owners.set(place, quarantineOwner);
  }
  return owners;
}

function grouped(buckets: readonly BucketPolicy[]): Map<string, BucketPolicy[]> {
  const byName = new Map<string, BucketPolicy[]>();
  for (const policy of buckets) {
    const others = byName.get(policy.bucket);
    if (others === undefined) byName.set(policy.bucket, [policy]);
    else others.push(policy);
  }
  return byName;
}
