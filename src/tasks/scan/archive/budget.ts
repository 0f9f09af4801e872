/** What unpacking one object may cost, nested archives included. */
export interface ArchiveLimits {
  /** Bytes that all members of all levels unpack to. */
  readonly totalBytes: number;
  readonly memberBytes: number;
  /** Unpacked to packed, of one layer and of the whole tree. */
  readonly ratio: number;
  /** Below this much output the ratio is not looked at: small zeros compress well. */
  readonly ratioAfterBytes: number;
  readonly members: number;
  /** Containers inside one another. */
  readonly depth: number;
  readonly wallMs: number;
  /** Characters of a member's whole path. */
  readonly pathLength: number;
  /** What all the unpackers of one object hold at once: windows and blocks, as the formats ask for them. */
  readonly memoryBytes: number;
}

export const DEFAULT_LIMITS: ArchiveLimits = {
  totalBytes: 8 * 1024 ** 3,
  memberBytes: 4 * 1024 ** 3,
  ratio: 200,
  ratioAfterBytes: 10 * 1024 ** 2,
  members: 10_000,
  depth: 16,
  wallMs: 10 * 60_000,
  pathLength: 4096,
  // Five bzip2 in one another, or one zstd of level 20; --ultra -22 asks for 128 MiB.
  memoryBytes: 40 * 1024 ** 2,
};

/** A part that cannot or must not be unpacked further. */
export class CannotUnpack extends Error {
  constructor(
    readonly reason: 'encrypted' | 'limit' | 'unsupported' | 'corrupt' | 'timeout',
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

/** Counts for the whole tree of one object. Once `exhausted`, nothing more is unpacked. */
export class Budget {
  members = 0;
  outBytes = 0;
  /** Bytes of the object itself that were seen so far. */
  rawBytes = 0;
  exhausted: CannotUnpack | undefined;
  private heldBytes = 0;
  private readonly deadline: number;

  constructor(
    readonly limits: ArchiveLimits,
    private readonly now: () => number,
  ) {
    this.deadline = now() + limits.wallMs;
  }

  /** One more member. @throws CannotUnpack */
  member(): void {
    this.members += 1;
    if (this.members > this.limits.members) {
      this.exhaust('limit', `more than ${this.limits.members} members`);
    }
    this.time();
  }

  /** Bytes that came out of any layer. @throws CannotUnpack */
  out(bytes: number): void {
    this.outBytes += bytes;
    if (this.outBytes > this.limits.totalBytes) {
      this.exhaust('limit', `more than ${this.limits.totalBytes} bytes unpacked`);
    }
    if (this.isBomb(this.outBytes, this.rawBytes)) {
      this.exhaust('limit', `unpacks to more than ${this.limits.ratio} times its size`);
    }
    this.time();
  }

  /** Memory that an unpacker is about to take; it gives it back by `release`. @throws CannotUnpack */
  hold(bytes: number): void {
    if (this.heldBytes + bytes > this.limits.memoryBytes) {
      throw new CannotUnpack('limit', `unpacking takes more than ${this.limits.memoryBytes} bytes of memory`);
    }
    this.heldBytes += bytes;
  }

  get held(): number {
    return this.heldBytes;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
  }

  /** Whether this much output of this much input is beyond the ratio. */
  isBomb(outBytes: number, inBytes: number): boolean {
    return outBytes > this.limits.ratioAfterBytes && outBytes > inBytes * this.limits.ratio;
  }

  /** Milliseconds until nothing more is unpacked. */
  leftMs(): number {
    return Math.max(0, this.deadline - this.now());
  }

  private time(): void {
    if (this.now() > this.deadline) this.exhaust('timeout', `unpacking took over ${this.limits.wallMs} ms`);
  }

  private exhaust(reason: 'limit' | 'timeout', detail: string): never {
    this.exhausted ??= new CannotUnpack(reason, detail);
    throw this.exhausted;
  }
}

/** Counts one layer: what a member unpacks to, beside the tree's own budget. */
export class LayerCount {
  private outBytes = 0;

  constructor(
    private readonly budget: Budget,
    private readonly inBytes: () => number,
  ) {}

  /** @throws CannotUnpack */
  out(bytes: number): void {
    this.outBytes += bytes;
    this.budget.out(bytes);
    const { memberBytes, ratio } = this.budget.limits;
    if (this.outBytes > memberBytes) {
      throw new CannotUnpack('limit', `a member unpacks to more than ${memberBytes} bytes`);
    }
    if (this.budget.isBomb(this.outBytes, this.inBytes())) {
      throw new CannotUnpack('limit', `a member unpacks to more than ${ratio} times its size`);
    }
  }
}
