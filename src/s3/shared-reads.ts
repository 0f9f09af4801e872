import { performance } from 'node:perf_hooks';
import { BODY_IDLE_MS, type OpenedBody } from './body.js';
import type { PinnedObject } from './object-storage.js';
import { ReadSession, type SessionEnd } from './read-session.js';
import type { Spool, SpoolFile } from './spool.js';

/** Opens an object at a byte; ObjectStorage does. */
export interface ObjectOpener {
  peek(object: PinnedObject, count: number, signal?: AbortSignal): Promise<Buffer>;
  open(object: PinnedObject, options: { from?: number; signal?: AbortSignal }): Promise<OpenedBody>;
}

/** What a reader knows when all bytes went by. */
export interface ReadEnd {
  readonly bytes: number;
  readonly sha256: string;
  /** The whole object on disk, when its format asked for it; close it. `full` when the quota did not allow it. */
  readonly spool?: SpoolFile | 'full' | undefined;
}

export interface SharedReadsOptions {
  /** Says from an object's first bytes whether it needs random access. */
  readonly wantsSpool: (head: Buffer) => boolean;
  /** How far one reader may fall behind, and how much of the start is kept for a late one. */
  readonly lagBytes?: number;
  /** How long the first reader of an object larger than `lagBytes` waits for its sibling. */
  readonly joinMs?: number;
  /** A reader that is `lagBytes` behind and takes nothing for so long goes on with a GET of its own. */
  readonly patienceMs?: number;
  /** How long the start of an object is kept for a sibling that is late. */
  readonly keepMs?: number;
  /** How long a body may be silent before its connection counts as dead. */
  readonly idleMs?: number;
}

const DEFAULTS = {
  lagBytes: 8 * 1024 ** 2,
  joinMs: 50,
  patienceMs: 2_000,
  keepMs: 5_000,
  idleMs: BODY_IDLE_MS,
};
// Small objects that wait for their second reader; beyond this the oldest are given up.
const KEPT_BYTES = 32 * 1024 ** 2;
// Read whole for a peek: reading the rest costs less than a second request.
const SMALL_BYTES = 256 * 1024;

/**
 * One GET per object, whoever reads it: the two scanners of an object share the bytes, their SHA-256 and the spooled
 * copy. Memory is bounded by `lagBytes` a reader. A reader that comes too late, or hangs, gets a GET of its own, so
 * that none can hold up another.
 */
export class SharedReads {
  private readonly sessions = new Map<string, ReadSession>();
  private readonly options: Required<SharedReadsOptions>;
  private objectsRead = 0;
  private getsMade = 0;

  constructor(
    private readonly opener: ObjectOpener,
    private readonly spool: Spool,
    options: SharedReadsOptions,
  ) {
    this.options = { ...DEFAULTS, ...options };
  }

  /** GETs per object is the measure of the sharing: 1 when idle. */
  get counts(): { readonly objects: number; readonly gets: number } {
    return { objects: this.objectsRead, gets: this.getsMade };
  }

  /**
   * Feeds every byte of the object to `sink`, in order, waiting for it. Rejects with StorageError when S3 fails, with
   * the sink's own error, or when the signal aborts.
   */
  async read(
    object: PinnedObject & { readonly sizeBytes: number },
    sink: (chunk: Buffer) => Promise<void>,
    signal: AbortSignal,
  ): Promise<ReadEnd> {
    signal.throwIfAborted();
    const session = this.sessionOf(object);
    const reader = session.join();
    const leave = () => reader.fail(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next())
        await sink(chunk);
      return await endOf(session.end);
    } finally {
      signal.removeEventListener('abort', leave);
      session.leave(reader);
    }
  }

  /**
   * The first bytes, at most `count`. A small object is read whole and kept for the scanners that follow, so that it
   * still costs one GET; of a larger one only the range is asked for.
   */
  async peek(
    object: PinnedObject & { readonly sizeBytes: number },
    count: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    if (object.sizeBytes === 0) return Buffer.alloc(0);
    if (object.sizeBytes > SMALL_BYTES) return this.opener.peek(object, count, signal);
    const session = this.sessionOf(object);
    const reader = session.join({ counts: false });
    const parts: Buffer[] = [];
    try {
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next())
        parts.push(chunk);
      return Buffer.concat(parts).subarray(0, count);
    } finally {
      session.leave(reader);
    }
  }

  private sessionOf(object: PinnedObject & { readonly sizeBytes: number }): ReadSession {
    const key = JSON.stringify([
      object.endpointId,
      object.bucket,
      object.key,
      object.versionId ?? '',
      object.eTag,
    ]);
    const running = this.sessions.get(key);
    if (running?.isJoinable === true) return running;
    this.makeRoom();
    const session = new ReadSession(object, {
      ...this.options,
      spool: this.spool,
      now: () => performance.now(),
      open: (from, signal) => {
        this.getsMade += 1;
        return this.opener.open(object, { from, signal });
      },
      onOver: () => {
        if (this.sessions.get(key) === session) this.sessions.delete(key);
      },
    });
    this.objectsRead += running === undefined ? 1 : 0;
    this.sessions.set(key, session);
    session.start();
    return session;
  }

  private makeRoom(): void {
    let kept = 0;
    for (const session of [...this.sessions.values()].toReversed()) {
      kept += session.keptBytes;
      if (kept > KEPT_BYTES) session.forget();
    }
  }
}

async function endOf(end: Promise<SessionEnd>): Promise<ReadEnd> {
  const { bytes, sha256, spool } = await end;
  return { bytes, sha256, spool: spool === 'full' ? spool : spool?.retain() };
}
