import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { BucketPlace } from '../../s3/bucket-settings.js';
import { ObjectStorage, type PinnedObject } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import { ScanRequests } from '../scan-requests.service.js';
import { probeKey } from './probe-key.js';
import {
  forgetProbes,
  insertProbe,
  leftBehind,
  markFinished,
  markPut,
  readProbe,
  type ProbeRow,
} from './probe-rows.js';

const LOOK_MS = 100;
const PROBE_BYTES = 256;

/** A probe that was put. */
export interface Probe {
  readonly id: string;
  readonly object: PinnedObject;
  readonly body: Buffer;
}

/** Objects that are put to see what comes of it, and removed again. Their events are no uploads. */
@Injectable()
export class Probes {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly requests: ScanRequests,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Recorded before it is put, so that its event is known however fast it is. @throws StorageError */
  async put(place: BucketPlace): Promise<Probe> {
    const { endpointId, bucket } = place;
    const id = randomUUID();
    await insertProbe(this.database, { id, endpointId, bucket, at: this.clock.now() });
    const ref = { endpointId, bucket, key: probeKey(id) };
    // Bytes that nobody else has: by their ETag a late event is told from another's upload.
    const body = Buffer.from(randomBytes(PROBE_BYTES).toString('base64'));
    try {
      const put = await this.storage.put(ref, body, { contentType: 'text/plain' });
      await markPut(this.database, id, put);
      return { id, body, object: { ...ref, ...put } };
    } catch (error) {
      await markFinished(this.database, id, this.clock.now());
      throw error;
    }
  }

  /** Waits until its event came in, here or at another node. @returns undefined when it did not in time. */
  async arrival(
    id: string,
    options: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<ProbeRow | undefined> {
    const deadline = this.clock.now() + options.withinMs;
    for (;;) {
      const row = await readProbe(this.database, id);
      if (row?.arrivedAt !== undefined) return row;
      if (this.clock.now() >= deadline || options.signal.aborted) return undefined;
      await this.clock.sleepUntil(this.clock.now() + LOOK_MS, options.signal);
    }
  }

  /**
   * Removes exactly what was put. What else stands at its key is somebody's upload, whose event may have been taken for
   * the probe's: it is scanned.
   */
  async remove({ id, object }: Pick<Probe, 'id' | 'object'>): Promise<void> {
    try {
      await this.storage.deleteVersion(object);
    } catch (error) {
      // Replaced in place by another's upload: ours is gone with it.
      if (!(error instanceof StorageError) || error.outcome !== 'superseded') throw error;
    } finally {
      // First this, then the look: an event that still counted as ours is older than what is seen now.
      await markFinished(this.database, id, this.clock.now());
    }
    await this.scanOthers(object);
  }

  /** Removes what earlier examinations left behind, and forgets the old ones. */
  async tidy(place: BucketPlace): Promise<void> {
    const now = this.clock.now();
    await forgetProbes(this.database, now);
    for (const { id, versionId, eTag } of await leftBehind(this.database, place, now)) {
      const ref = { endpointId: place.endpointId, bucket: place.bucket, key: probeKey(id) };
      if (eTag !== undefined) {
        await this.remove({ id, object: { ...ref, eTag, ...(versionId !== undefined && { versionId }) } });
      } else {
        // It ended while it was being put: nothing tells its object from another's.
        await markFinished(this.database, id, now);
        await this.scanOthers({ ...ref, eTag: '' });
      }
    }
  }

  private async scanOthers({ endpointId, bucket, key, versionId, eTag }: PinnedObject): Promise<void> {
    const others =
      versionId === undefined || versionId === 'null'
        ? await this.currentOf({ endpointId, bucket, key })
        : await this.storage.versionsOf({ endpointId, bucket, key });
    for (const other of others) {
      if (other.versionId === versionId && other.eTag === eTag) continue;
      const named = other.versionId === undefined ? {} : { versionId: other.versionId };
      await this.requests.request({ endpointId, bucket, key, ...named }, 'system:doctor');
    }
  }

  private async currentOf(ref: {
    readonly endpointId: string;
    readonly bucket: string;
    readonly key: string;
  }) {
    try {
      return [await this.storage.head(ref)];
    } catch (error) {
      if (error instanceof StorageError && error.outcome === 'gone') return [];
      throw error;
    }
  }
}
