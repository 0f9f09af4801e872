import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { InvalidInput, Unavailable } from '../errors.js';
import { asSentence } from '../s3/as-sentence.js';
import { Buckets } from '../s3/buckets.js';
import { ObjectStorage } from '../s3/object-storage.js';
import { StorageError } from '../s3/storage-error.js';
import { askObject } from './ask-object.js';
import { explainRules, type Explanation } from './match-explain.js';
import type { Upload } from './match.js';
import { listRules } from './sql/rule-rows.js';
import { ruleOf } from './trigger-rules.js';

/** An upload that somebody asks about; what is not said is asked of the object, if there is one. */
export interface TestedUpload {
  readonly bucket: string;
  readonly key: string;
  readonly endpointId?: string | undefined;
  readonly versionId?: string | undefined;
  readonly sizeBytes?: number | undefined;
  readonly contentType?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly kind: 'created' | 'restored';
}

export interface TestedRules extends Explanation {
  readonly upload: Upload;
  /** What the object did not tell. */
  readonly notes: readonly string[];
}

/** Says what the rules would do with an upload, and why; starts nothing. */
@Injectable()
export class TriggerTest {
  constructor(
    private readonly database: Database,
    private readonly buckets: Buckets,
    private readonly storage: ObjectStorage,
  ) {}

  /** @throws InvalidInput for a bucket that is not registered: its events would be rejected. */
  async test(tested: TestedUpload): Promise<TestedRules> {
    const { endpointId: wanted, bucket, contentType, tags, sizeBytes } = tested;
    const policy = wanted === undefined ? this.buckets.byName(bucket) : this.buckets.find(wanted, bucket);
    if (policy === undefined) {
      throw InvalidInput.field(
        'bucket',
        `${bucket} is not a registered bucket; its events would be rejected`,
      );
    }
    const said = { ...tested, endpointId: policy.endpointId, bucketPriority: policy.priority };
    const needs = { type: contentType === undefined, tags: tags === undefined };
    const isSaid = !needs.type && !needs.tags && sizeBytes !== undefined;
    const { upload, problems } = isSaid
      ? { upload: { ...said, isInspected: true }, problems: [] }
      : await this.ask(said, needs);
    const rules = (await listRules(this.database)).map((row) => ({ ...ruleOf(row), enabled: row.enabled }));
    // Whoever says a size means an upload of that size.
    const asked = { ...upload, sizeBytes: sizeBytes ?? upload.sizeBytes };
    return { ...explainRules(rules, asked), upload: asked, notes: problems };
  }

  private async ask(said: Upload & { endpointId: string }, needs: { type: boolean; tags: boolean }) {
    try {
      return await askObject(this.storage, said, needs);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw new Unavailable(
        's3',
        `S3 does not answer: ${asSentence(error.detail)} Try again, or say size, type and tags.`,
        {
          cause: error,
        },
      );
    }
  }
}
