import type { OpenedBody } from '../../s3/body.js';
import type { PinnedObject } from '../../s3/object-storage.js';

/** Where the bytes of a scan's object are now. */
export type Located =
  | {
      readonly kind: 'held';
      readonly where: 'quarantine' | 'bucket';
      /** The very version that was scanned, or its verified copy. */
      readonly object: PinnedObject & { readonly sizeBytes: number };
      /** The key that the uploader gave, where the copy lies under another. */
      readonly uploadedAs: string;
    }
  /** A sentence that says where they went. */
  | { readonly kind: 'gone'; readonly why: string };

/** The bytes of objects that reviews are about. */
export abstract class ObjectBytes {
  /** What the ledger and the quarantine know; S3 is not asked. @throws NotFound for a scan that is not known. */
  abstract locate(scanId: string): Promise<Located>;
  /** @throws StorageError, `gone` and `superseded` where they are not there any more. */
  abstract open(object: PinnedObject, signal: AbortSignal): Promise<OpenedBody>;
}
