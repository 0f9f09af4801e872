import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { S3EventMessage } from '../../src/embedded/s3/event-message.js';
import { uploadNumber, type Upload } from '../../test/support/uploads.js';

export const VERSIONED = 'versions';
export const PLAIN = 'plain';

/** What S3 acknowledged. */
export interface Put {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly eTag: string;
  readonly verdict: Upload['verdict'];
}

/** Everything that happened to the objects, as S3 acknowledged it. */
export class Workload {
  readonly puts: Put[] = [];
  /** `key versionId` of versions that were removed for good. */
  readonly removed = new Set<string>();
  private made = 0;

  constructor(
    private readonly s3: S3Client,
    private readonly random: () => number,
    private readonly keys: number,
  ) {}

  /** One upload, overwrite or deletion in one of the two buckets. */
  async step(): Promise<void> {
    const bucket = this.random() < 0.6 ? VERSIONED : PLAIN;
    if (this.random() < 0.1 && this.puts.length > 10) return this.remove(bucket);
    const number = this.made;
    this.made += 1;
    const upload = uploadNumber(number);
    const key = this.keyOf(Math.floor(this.random() * this.keys));
    // No two uploads of one key hold the same bytes, so that each state can be told from the next.
    const isText = upload.verdict === 'incomplete';
    const body = isText ? Buffer.concat([upload.body, Buffer.from(`number ${number}\n`)]) : upload.body;
    const { VersionId, ETag = '' } = await this.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }),
    );
    this.puts.push({
      bucket,
      key,
      versionId: VersionId,
      eTag: ETag.replaceAll('"', ''),
      verdict: upload.verdict,
    });
  }

  private async remove(bucket: string): Promise<void> {
    const some = this.puts[Math.floor(this.random() * this.puts.length)];
    if (some === undefined || some.bucket !== bucket) return;
    const forGood = bucket === VERSIONED && this.random() < 0.5;
    if (forGood) this.removed.add(`${some.key} ${some.versionId}`);
    await this.s3.send(
      new DeleteObjectCommand({
        Bucket: bucket,
        Key: some.key,
        ...(forGood && { VersionId: some.versionId }),
      }),
    );
  }

  private keyOf(index: number): string {
    const odd = ['plain', 'with space', 'plus+percent%25', 'ünï☃', 'q?a=b&c#d', '..', 'trailing/'][index % 7];
    return `soak/${index}/${odd}`;
  }
}

export type EventRecord = S3EventMessage['Records'][number];

/** Events that were made and not yet delivered often enough; drawn from at random, so they come in any order. */
export class Deliveries {
  private readonly pool: EventRecord[] = [];
  delivered = 0;

  constructor(
    private readonly random: () => number,
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** Each event comes once, twice or three times. */
  add({ Records }: S3EventMessage): void {
    for (const record of Records)
      for (let copy = 0; copy < 1 + Math.floor(this.random() * 3); copy += 1) this.pool.push(record);
  }

  get waiting(): number {
    return this.pool.length;
  }

  /** Delivers until no more than `leave` wait: messages of one to ten records, each until it is acknowledged. */
  async deliver(leave: number, clients: number): Promise<void> {
    const client = async (): Promise<void> => {
      while (this.pool.length > leave) {
        const records = Array.from({ length: 1 + Math.floor(this.random() * 10) }, () => this.draw()).filter(
          (record) => record !== undefined,
        );
        await this.post({ Records: records });
        this.delivered += records.length;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  private draw(): EventRecord | undefined {
    const at = Math.floor(this.random() * this.pool.length);
    const drawn = this.pool[at];
    const last = this.pool.pop();
    if (drawn !== undefined && last !== undefined && at < this.pool.length) this.pool[at] = last;
    return drawn;
  }

  private async post(message: S3EventMessage): Promise<void> {
    for (;;) {
      try {
        const response = await fetch(`${this.url}/events/s3`, {
          method: 'POST',
          headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
          body: JSON.stringify(message),
        });
        await response.text();
        if (response.ok) return;
        if (response.status < 500 && response.status !== 429)
          throw new TypeError(`an event was refused with ${response.status}`);
      } catch (error) {
        if (error instanceof TypeError && error.message.startsWith('an event')) throw error;
        // The service is down, or went down under the request: every source delivers again.
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
