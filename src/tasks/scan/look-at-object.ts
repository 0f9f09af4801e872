import { performance } from 'node:perf_hooks';
import type { PinnedObject } from '../../s3/object-storage.js';
import type { SharedReads } from '../../s3/shared-reads.js';
import type { Spool } from '../../s3/spool.js';
import type { NotCovered } from '../../verdicts/ledger.js';
import type { ArchiveLimits } from './archive/budget.js';
import type { ByteSink } from './archive/byte-sink.js';
import { shownKey } from './archive/member-name.js';
import { ArchiveWalk, type MemberVisitor } from './archive/walk.js';

/** Takes the object's own bytes; at their end it is told their SHA-256 in lowercase hex. */
export interface ObjectSink extends Omit<ByteSink, 'end'> {
  end(sha256: string): Promise<void>;
}

/** What a scanner does with the bytes: the object as it is, and every member that can be unpacked. */
export interface ObjectLook extends MemberVisitor {
  /** @param key as the uploader has it. */
  object(key: string): ObjectSink;
}

/** What went by. */
export interface Looked {
  readonly bytes: number;
  readonly sha256: string;
  readonly members: number;
  readonly notCovered: readonly NotCovered[];
  /** Paths of the archives in which members with a password were opened; the object itself has the empty path. */
  readonly unlocked: ReadonlySet<string>;
}

export interface LookOptions {
  readonly reads: SharedReads;
  readonly spool: Spool;
  readonly signal: AbortSignal;
  /** The bucket's, for encrypted members; asked for when the first one is met. */
  readonly passwords?: (() => readonly string[]) | undefined;
  readonly limits?: Partial<ArchiveLimits> | undefined;
  /** The key that the uploader gave, where the bytes lie under another: paths begin with it. */
  readonly uploadedAs?: string | undefined;
}

/**
 * Reads an object once, shows it raw and unpacked. Memory stays constant, whatever the size.
 *
 * @throws StorageError when S3 does not give the bytes; whatever the look throws.
 */
export async function lookAtObject(
  object: PinnedObject & { readonly sizeBytes: number },
  look: ObjectLook,
  { reads, spool, signal, limits, passwords, uploadedAs = object.key }: LookOptions,
): Promise<Looked> {
  const raw = look.object(uploadedAs);
  const walk = new ArchiveWalk(look, {
    name: shownKey(uploadedAs),
    spool,
    limits,
    passwords,
    now: () => performance.now(),
  });
  try {
    const end = await reads.read(
      object,
      async (chunk) => {
        await raw.write(chunk);
        await walk.write(chunk);
      },
      signal,
    );
    try {
      await raw.end(end.sha256);
      await walk.end(end.spool);
    } finally {
      if (typeof end.spool === 'object') await end.spool.close();
    }
    signal.throwIfAborted();
    const { members, notCovered, unlocked } = walk;
    return { bytes: end.bytes, sha256: end.sha256, members, notCovered, unlocked };
  } catch (error) {
    raw.abort();
    walk.abort();
    throw error;
  }
}
