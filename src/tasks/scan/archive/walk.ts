import type { NotCovered } from '../../../verdicts/ledger.js';
import type { Spool, SpoolFile } from '../../../s3/spool.js';
import { Budget, CannotUnpack, DEFAULT_LIMITS, type ArchiveLimits } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import { Content } from './content.js';
import { Passwords } from './passwords.js';
import type { Container } from './sniff.js';

export type Within = Exclude<Container['kind'], 'opaque'> | 'pdf' | 'mail';

/** One file inside an object, however deep. */
export interface Member {
  /** `a.zip!inner.tar!b.txt`: shown, never used as a path. */
  readonly path: string;
  /** As its container has it: neither shortened nor made fit to be shown. */
  readonly name: string;
  /** What it is directly in. */
  readonly within: Within;
  /** 1 for what is directly inside the object. */
  readonly depth: number;
  /** Set when the member is itself a container; `opaque` ones are not opened. */
  readonly container: Container | undefined;
}

/** Gets every member's bytes. What `open` or a sink throws ends the walk and reaches the caller unchanged. */
export interface MemberVisitor {
  /** It looks into documents by itself: what we cannot read of them is no gap. */
  readonly readsDocuments?: boolean;
  open(member: Member): Promise<ByteSink> | ByteSink;
}

export interface WalkOptions {
  /** First part of every path, as the object's name. */
  readonly name: string;
  readonly spool: Spool;
  readonly limits?: Partial<ArchiveLimits> | undefined;
  /** To be tried on encrypted members; asked for when the first one is met. */
  readonly passwords?: (() => readonly string[]) | undefined;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

// Enough to show; the verdict needs each reason once.
const NOTES_PER_REASON = 50;

/**
 * Looks inside one object while its bytes go by: zip, tar, gzip, bzip2, zstd, PDF and mail, nested. Whatever cannot be looked into is noted and
 * never passed over in silence: encrypted, over a limit, corrupt, or of a format that we cannot open.
 *
 * Feed it the object's bytes by `write`, then call `end` with the spooled object if there is one.
 */
export class ArchiveWalk {
  readonly budget: Budget;
  readonly passwords: Passwords;
  private readonly root: Content;
  private readonly notes: NotCovered[] = [];
  private readonly unlockedPaths = new Set<string>();
  private readonly notesByReason = new Map<string, number>();

  constructor(
    readonly visitor: MemberVisitor,
    readonly options: WalkOptions,
  ) {
    this.budget = new Budget({ ...DEFAULT_LIMITS, ...options.limits }, options.now);
    this.passwords = new Passwords(options.passwords ?? (() => []));
    this.root = Content.root(this);
  }

  /** What could not be looked into. At most 50 notes of a reason, the last of which says how many more there were. */
  get notCovered(): readonly NotCovered[] {
    const more = [...this.notesByReason]
      .filter(([, count]) => count > NOTES_PER_REASON)
      .map(([reason, count]) => ({
        path: '',
        reason: reason as NotCovered['reason'],
        detail: `and ${count - NOTES_PER_REASON} more`,
      }));
    return [...this.notes, ...more];
  }

  get members(): number {
    return this.budget.members;
  }

  async write(chunk: Buffer): Promise<void> {
    this.budget.rawBytes += chunk.length;
    await this.root.write(chunk);
  }

  /** The last byte went by. `spool` holds the whole object where its format needs random access. */
  async end(spool?: SpoolFile | 'full'): Promise<void> {
    this.root.provideSpool(spool);
    await this.root.end();
  }

  abort(): void {
    this.root.abort();
  }

  /** Paths of the archives in which members with a password were opened; the object itself has the empty path. */
  get unlocked(): ReadonlySet<string> {
    return this.unlockedPaths;
  }

  /** A member of this archive had a password, and one of the bucket's fitted. */
  unlockedIn(path: string): void {
    this.unlockedPaths.add(this.shownPath(path));
  }

  note(path: string, reason: NotCovered['reason'], detail: string): void {
    const count = (this.notesByReason.get(reason) ?? 0) + 1;
    this.notesByReason.set(reason, count);
    if (count <= NOTES_PER_REASON) this.notes.push({ path: this.shownPath(path), reason, detail });
  }

  /** The object itself has the empty path in the ledger. */
  private shownPath(path: string): string {
    return path === this.options.name ? '' : path;
  }

  /** Notes why unpacking stopped; rethrows what is not about unpacking. The tree's own end is noted once. */
  stopped(path: string, error: unknown): void {
    if (!(error instanceof CannotUnpack)) throw error;
    if (error === this.budget.exhausted && this.notes.some((note) => note.detail === error.detail)) return;
    this.note(path, error.reason, error.detail);
  }
}
