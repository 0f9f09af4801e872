import { CLAIM } from './manifest.js';

/** Where a backup is kept: a folder, or a prefix of a bucket. Files have short names and are written once. */
export abstract class BackupPlace {
  /** As the operator wrote it. */
  abstract readonly name: string;
  /** Whether anything is there, complete or not. */
  abstract isUsed(): Promise<boolean>;
  /** Writes a file unless there is one of that name, which then stays: of several at once one writes. */
  abstract writeFirst(name: string, bytes: Buffer): Promise<void>;
  /** Durable when it resolves. */
  abstract write(name: string, bytes: Buffer): Promise<void>;
  /**
   * A whole file; `undefined` when there is none.
   *
   * @param most bytes: of a longer file no more than one byte more is read.
   */
  abstract read(name: string, most: number): Promise<Buffer | undefined>;
  abstract close(): void;
}

// A database of some TB has a manifest of about 20 MB.
export const MOST_MANIFEST_BYTES = 256 * 1024 * 1024;

/** Whether the place is for the backup of this id. */
export async function isClaimOf(place: BackupPlace, id: string): Promise<boolean> {
  const claim = await place.read(CLAIM, id.length);
  return claim?.toString('utf8') === id;
}
