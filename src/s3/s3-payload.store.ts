import { PayloadGone, PayloadStore } from '../engine/payloads/payload-store.js';
import { chunksOf } from './body.js';
import type { ObjectStorage } from './object-storage.js';
import { StorageError } from './storage-error.js';

const PREFIX = 'payloads/';
// S3 takes deletes one by one here; more at a time than this only fill its queue.
const REMOVALS_AT_ONCE = 8;

/** Large values of workflows as objects of a bucket of their own. */
export class S3PayloadStore extends PayloadStore {
  readonly name = 's3';

  constructor(
    private readonly storage: ObjectStorage,
    private readonly bucket: { readonly endpointId: string; readonly bucket: string },
  ) {
    super();
  }

  async put(key: string, text: string): Promise<void> {
    await this.storage.put(this.ref(key), text, { contentType: 'application/json' });
  }

  async get(key: string): Promise<string> {
    try {
      const { eTag } = await this.storage.head(this.ref(key));
      const parts: Buffer[] = [];
      for await (const chunk of chunksOf(await this.storage.open({ ...this.ref(key), eTag }))) {
        parts.push(chunk);
      }
      return Buffer.concat(parts).toString('utf8');
    } catch (error) {
      if (isGone(error)) throw new PayloadGone(key, { cause: error });
      throw error;
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += REMOVALS_AT_ONCE) {
      await Promise.all(keys.slice(from, from + REMOVALS_AT_ONCE).map((key) => this.removeOne(key)));
    }
  }

  private async removeOne(key: string): Promise<void> {
    try {
      const { eTag, versionId } = await this.storage.head(this.ref(key));
      await this.storage.deleteVersion({ ...this.ref(key), eTag, versionId });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  private ref(key: string) {
    return { ...this.bucket, key: `${PREFIX}${key}` };
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof StorageError && (error.outcome === 'gone' || error.outcome === 'superseded');
