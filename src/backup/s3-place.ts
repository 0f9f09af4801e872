import type { Config } from '../config.js';
import { ConfigError } from '../errors.js';
import { chunksOf } from '../s3/body.js';
import { CONFIGURED_ENDPOINT } from '../s3/buckets.js';
import { Endpoints } from '../s3/endpoints.js';
import { ObjectStorage } from '../s3/object-storage.js';
import { StorageError } from '../s3/storage-error.js';
import { BackupPlace } from './place.js';

/** A backup below a prefix of a bucket on `S3_ENDPOINT`, or on AWS where that is unset. */
export class S3Place extends BackupPlace {
  private readonly endpoints: Endpoints;
  private readonly storage: ObjectStorage;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(
    readonly name: string,
    config: Config,
  ) {
    super();
    const [, bucket, path = ''] = /^s3:\/\/([\w.-]{1,255})(?:\/([^]*))?$/i.exec(name) ?? [];
    if (bucket === undefined)
      throw new ConfigError(`"${name}" names no bucket. Write it as s3://bucket/prefix.`);
    this.bucket = bucket;
    const prefix = path.replace(/\/+$/, '');
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    this.endpoints = new Endpoints(config);
    this.storage = new ObjectStorage(this.endpoints);
  }

  async isUsed(): Promise<boolean> {
    const place = { endpointId: CONFIGURED_ENDPOINT, bucket: this.bucket };
    const { items } = await this.explained('listed', () =>
      this.storage.list(place, { prefix: this.prefix, limit: 1 }),
    );
    return items.length > 0;
  }

  async write(name: string, bytes: Buffer): Promise<void> {
    await this.explained('written', () =>
      this.storage.put(this.at(name), bytes, { contentType: 'application/octet-stream' }),
    );
  }

  async writeFirst(name: string, bytes: Buffer): Promise<void> {
    const put = (mustBeNew: boolean) =>
      this.storage.put(this.at(name), bytes, { contentType: 'application/octet-stream', mustBeNew });
    await this.explained('written', async () => {
      try {
        await put(true);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        if (error.outcome === 'superseded' || error.s3Code === 'ConditionalRequestConflict') return;
        if (error.s3Code !== 'NotImplemented') throw error;
        await put(false);
      }
    });
  }

  async read(name: string, most: number): Promise<Buffer | undefined> {
    return this.explained('read', async () => {
      try {
        const { eTag, versionId, sizeBytes } = await this.storage.head(this.at(name));
        if (sizeBytes === 0) return Buffer.alloc(0);
        const object = { ...this.at(name), eTag, ...(versionId === undefined ? {} : { versionId }) };
        return await upTo(chunksOf(await this.storage.open(object)), most);
      } catch (error) {
        if (error instanceof StorageError && error.outcome === 'gone') return undefined;
        throw error;
      }
    });
  }

  close(): void {
    this.endpoints.close();
  }

  private at(name: string) {
    return { endpointId: CONFIGURED_ENDPOINT, bucket: this.bucket, key: `${this.prefix}${name}` };
  }

  private async explained<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw new ConfigError(
        `${this.name} cannot be ${what}: ${error.message}. Check S3_ENDPOINT, the credentials and the bucket.`,
        { cause: error },
      );
    }
  }
}

async function upTo(chunks: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > most) break;
  }
  return Buffer.concat(parts).subarray(0, most + 1);
}
