import type { IntakeService } from '../../src/intake/intake.service.js';
import type { FakeClock } from '../../test/support/clock.js';
import { drawContent, type Content } from './contents.js';
import { DROP, INBOUND, type Store, type Stored } from './store.js';

const PER_MESSAGE = 50;
const MINUTE = 60_000;

/** What a source was given to deliver. */
interface Message {
  readonly body: unknown;
  readonly dueAt: number;
}

/** People upload, and S3 tells of it: mostly once and at once, at times twice, late, or never. */
export class Uploads {
  readonly contents = new Map<string, Content>();
  readonly counts = {
    uploaded: 0,
    twice: 0,
    late: 0,
    untold: 0,
    overwritten: 0,
    again: 0,
    outOfScope: 0,
    expired: 0,
  };
  private readonly waiting: Message[] = [];
  private readonly dropped: { readonly key: string; readonly content: Content }[] = [];
  private numbers = 0;
  private sequence = 0;

  constructor(
    private readonly random: () => number,
    private readonly store: Store,
    private readonly clock: FakeClock,
  ) {}

  /** `count` of them within about `spanMs`. Without intake (it is down) what S3 tells waits. */
  async upload(count: number, spanMs: number, intake: IntakeService | undefined): Promise<void> {
    const messages = Math.ceil(count / PER_MESSAGE);
    const accepted: Promise<void>[] = [];
    let left = count;
    for (let n = 0; n < messages; n += 1) {
      this.clock.advance(1_000 + Math.floor(this.random() * (spanMs / messages)));
      const size = Math.min(PER_MESSAGE, left);
      left -= size;
      this.tell(Array.from({ length: size }, () => this.uploadOne()).flat());
      // Received now; that it is stored is waited for with the others.
      if (intake !== undefined) accepted.push(this.deliver(intake));
    }
    await Promise.all(accepted);
  }

  /** Hands over what is due, the oldest first. */
  async deliver(intake: IntakeService): Promise<void> {
    const now = this.clock.now();
    const due = this.waiting.filter(({ dueAt }) => dueAt <= now);
    this.waiting.splice(0, Infinity, ...this.waiting.filter(({ dueAt }) => dueAt > now));
    await Promise.all(due.map(({ body }) => intake.accept(body, { kind: 'sqs' })));
  }

  /** A second event for the same bytes, with a place in S3's order of its own. @returns their ETag. */
  async uploadToldTwice(intake: IntakeService): Promise<string> {
    const content = { ...drawContent(this.next(), () => 0.999), kind: 'harmless' as const, found: [] };
    const stored = this.put(DROP, `reports/twice-${this.numbers}.bin`, content);
    for (let n = 0; n < 2; n += 1) await intake.accept({ Records: [this.record(stored)] }, { kind: 'sqs' });
    return stored.eTag;
  }

  /** A copy that a release wrote comes back as an event like any other. */
  tellOf(stored: Stored): void {
    this.tell([this.record(stored)]);
  }

  /** Objects older than this are no more; of half of them S3 tells. */
  expire(before: number): void {
    const told: object[] = [];
    for (const bucket of this.store.buckets)
      for (const stored of this.store.datedInto(bucket, 0, before)) {
        this.store.remove(stored);
        this.counts.expired += 1;
        if (this.random() < 0.5) told.push(this.record(stored, 'ObjectRemoved:Delete'));
      }
    for (let at = 0; at < told.length; at += PER_MESSAGE) this.tell(told.slice(at, at + PER_MESSAGE));
  }

  private uploadOne(): object[] {
    this.counts.uploaded += 1;
    const { random } = this;
    const content = drawContent(this.next(), random);
    const isDrop = random() < 0.3;
    const place = random();
    const again = this.dropped.at(-1 - Math.floor(random() * 20));
    if (isDrop && again !== undefined && place < 0.06) {
      // The same key with other bytes, or the very same bytes once more.
      const isSame = place < 0.02;
      this.counts[isSame ? 'again' : 'overwritten'] += 1;
      return [this.record(this.put(DROP, again.key, isSame ? again.content : content))];
    }
    if (place > 0.985) {
      this.counts.outOfScope += 1;
      return [this.record(this.put(isDrop ? DROP : INBOUND, `scratch/${this.numbers}.tmp`, content))];
    }
    const folder = ['team-a', 'team-b', 'partner', 'naïve ☃'][Math.floor(random() * 4)] ?? '';
    const key = `${folder}/${this.numbers}.bin`;
    const stored = this.put(isDrop ? DROP : INBOUND, key, content);
    if (isDrop) {
      this.dropped.push({ key, content });
      if (this.dropped.length > 20) this.dropped.shift();
    }
    const fate = random();
    if (fate < 0.003) {
      this.counts.untold += 1;
      return [];
    }
    if (fate < 0.02) {
      this.counts.late += 1;
      this.tell([this.record(stored)], this.clock.now() + Math.floor(random() * 3 * 24 * 60) * MINUTE);
      return [];
    }
    if (fate < 0.05) {
      this.counts.twice += 1;
      const record = this.record(stored);
      this.tell([record], this.clock.now() + MINUTE);
      return [record];
    }
    return [this.record(stored)];
  }

  private put(bucket: string, key: string, content: Content): Stored {
    const stored = this.store.put(bucket, key, content.text, content.sizeBytes, this.clock.now());
    this.contents.set(stored.eTag, content);
    return stored;
  }

  private tell(records: readonly object[], dueAt = this.clock.now()): void {
    if (records.length > 0) this.waiting.push({ body: { Records: records }, dueAt });
  }

  private next(): number {
    this.numbers += 1;
    return this.numbers;
  }

  /** As S3 writes it. */
  private record(
    { bucket, key, versionId, eTag, sizeBytes }: Stored,
    eventName = 'ObjectCreated:Put',
  ): object {
    this.sequence += 1;
    return {
      eventVersion: '2.6',
      eventSource: 'aws:s3',
      awsRegion: 'eu-central-1',
      eventTime: new Date(this.clock.now()).toISOString(),
      eventName,
      userIdentity: { principalId: `AIDA${this.sequence % 40}` },
      s3: {
        s3SchemaVersion: '1.0',
        bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
        object: {
          key: encodeURIComponent(key).replaceAll('%20', '+'),
          ...(eventName.startsWith('ObjectCreated') && { size: sizeBytes, eTag }),
          ...(versionId !== undefined && { versionId }),
          sequencer: this.sequence.toString(16).toUpperCase().padStart(16, '0'),
        },
      },
    };
  }
}
