import type { Slice } from './blobs.js';
import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksums.js';

/** '' until versioning was first set on the bucket. */
export type Versioning = '' | 'Enabled' | 'Suspended';

/** Name and value pairs; the names in lower case. Values hold one byte per character, as HTTP carries them. */
export type Headers = Readonly<Record<string, string>>;

export type Tags = readonly (readonly [key: string, value: string])[];

/** One version of an object. Never changed in place: a change of tags makes a new value. */
export interface ObjectVersion {
  /** `null` (the word) for a version written without versioning. */
  readonly id: string;
  readonly isDeleteMarker: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly slices: readonly Slice[];
  /** content-type and its like. */
  readonly headers: Headers;
  /** Without the `x-amz-meta-` before each name. */
  readonly metadata: Headers;
  readonly tags: Tags;
  readonly checksum?: Checksum;
  /** The sizes of the parts it was made of, when it was made of parts. */
  readonly partSizes?: readonly number[];
  /** The upload it came from, so that a repeated completion is recognised. */
  readonly uploadId?: string;
}

export interface UploadPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly slices: readonly Slice[];
  readonly checksum?: Checksum;
}

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly startedAt: number;
  readonly headers: Headers;
  readonly metadata: Headers;
  readonly tags: Tags;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

/** What was done to an object, kept until it is delivered. */
export interface ObjectEvent {
  /** Grows with every event, also over restarts: the sequencer. */
  readonly n: number;
  readonly at: number;
  /** As in `ObjectCreated:Put`. */
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  readonly size?: number;
  readonly etag?: string;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly principal: string;
}

/** One change of what is stored: a record of the journal. */
export type Change =
  | { readonly t: 'bucket'; readonly name: string; readonly at: number; readonly versioning: Versioning }
  | { readonly t: 'versioning'; readonly name: string; readonly versioning: Versioning }
  | { readonly t: 'bucket-gone'; readonly name: string }
  | { readonly t: 'version'; readonly bucket: string; readonly key: string; readonly version: ObjectVersion }
  | { readonly t: 'version-gone'; readonly bucket: string; readonly key: string; readonly id: string }
  | {
      readonly t: 'tags';
      readonly bucket: string;
      readonly key: string;
      readonly id: string;
      readonly tags: Tags;
    }
  | { readonly t: 'upload'; readonly upload: Upload }
  | { readonly t: 'part'; readonly id: string; readonly part: UploadPart }
  | { readonly t: 'upload-gone'; readonly id: string }
  | { readonly t: 'event'; readonly event: ObjectEvent }
  /** Events up to this one are delivered. */
  | { readonly t: 'delivered'; readonly n: number }
  /** No event gets a number up to this one again. */
  | { readonly t: 'numbered'; readonly n: number };
