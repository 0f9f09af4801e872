import { Injectable } from '@nestjs/common';
import { BucketSettings } from '../bucket-settings.js';
import { StorageError } from '../storage-error.js';
import type { BucketView, ChangedBucket } from './bucket-view.js';

// Whoever registers a bucket waits for it; a server that takes longer is looked at by the doctor.
const LIMIT_MS = 3_000;

/**
 * Looks whether the buckets that somebody registers are there. It only warns: infrastructure is written down in any
 * order, and a bucket may be made, or rights be granted, after it was registered.
 */
@Injectable()
export class BucketLook {
  constructor(private readonly settings: BucketSettings) {}

  /** `names` are on the bucket's endpoint: its own, its quarantine's. */
  async at(view: BucketView, names: readonly (string | null | undefined)[]): Promise<ChangedBucket> {
    const { endpointId } = view;
    const told = await Promise.all(
      names.filter((name) => typeof name === 'string').map((name) => this.warning(endpointId, name)),
    );
    const warnings = told.filter((warning) => warning !== undefined);
    return warnings.length === 0 ? view : { ...view, warnings };
  }

  private async warning(endpointId: string, bucket: string): Promise<string | undefined> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    try {
      // Some of what is waited for, as the search for credentials, does not hear the signal.
      await Promise.race([this.settings.region({ endpointId, bucket }, limit), rejected(limit)]);
      return undefined;
    } catch (error) {
      if (limit.aborted)
        return `${bucket} did not answer on ${endpointId} within ${LIMIT_MS / 1000} s. Look again: sallyport doctor.`;
      if (error instanceof StorageError && (error.outcome === 'gone' || error.reason === 'no_such_bucket'))
        return `There is no bucket ${bucket} on ${endpointId} yet. Check its name, or create it: until then nothing is scanned or moved there.`;
      // It is registered all the same: that it cannot be looked at must not look like a failure of that.
      const why =
        error instanceof StorageError ? `${error.s3Code}: ${error.detail}` : (error as Error).message;
      return `${bucket} on ${endpointId} cannot be looked at (${why.slice(0, 300)}). Mend it, then: sallyport doctor.`;
    }
  }
}

const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
