import { createHash } from 'node:crypto';
import { BODY_IDLE_MS, chunksOf, type OpenedBody } from './body.js';
import { SpoolFull, type Spool, type SpoolFile } from './spool.js';
import { StorageError } from './storage-error.js';

/** What is known when the body was read to its end. */
export interface SessionEnd {
  readonly bytes: number;
  readonly sha256: string;
  readonly spool?: SpoolFile | 'full' | undefined;
}

export interface SessionOptions {
  readonly lagBytes: number;
  readonly joinMs: number;
  readonly patienceMs: number;
  readonly keepMs: number;
  /** How long a body may be silent; a minute when absent. */
  readonly idleMs?: number | undefined;
  readonly wantsSpool: (head: Buffer) => boolean;
  readonly spool: Spool;
  readonly now: () => number;
  readonly open: (from: number, signal: AbortSignal) => Promise<OpenedBody>;
  /** Nobody can join any more. */
  readonly onOver: () => void;
}

// A connection that breaks off is taken up again where it broke, so often without getting on.
const RESUMPTIONS = 3;
// Enough for every magic number that asks for the spool.
const HEAD_BYTES = 8;

/** One reader's place in a session: a queue of chunks that it has not taken yet. */
export class SessionReader {
  private readonly queue: Buffer[] = [];
  private waiting: (() => void) | undefined;
  private failure: Error | undefined;
  private finished = false;
  private own: AsyncGenerator<Buffer, void> | undefined;
  queuedBytes = 0;
  receivedBytes = 0;
  lastTook: number;
  /** Off the shared body: goes on with a GET of its own when the queue is empty. */
  isDetached = false;

  constructor(
    private readonly now: () => number,
    private readonly onTaken: () => void,
    private readonly reopen: (from: number) => AsyncGenerator<Buffer, void>,
  ) {
    this.lastTook = now();
  }

  push(chunk: Buffer): void {
    this.queue.push(chunk);
    this.queuedBytes += chunk.length;
    this.receivedBytes += chunk.length;
    this.wake();
  }

  finish(): void {
    this.finished = true;
    this.wake();
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  /** The next chunk; `undefined` at the end. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure;
      const chunk = this.queue.shift();
      if (chunk !== undefined) {
        this.queuedBytes -= chunk.length;
        this.lastTook = this.now();
        this.onTaken();
        return chunk;
      }
      if (this.isDetached) return this.fromOwn();
      if (this.finished) return undefined;
      await new Promise<void>((resolve) => (this.waiting = resolve));
    }
  }

  async close(): Promise<void> {
    this.queue.length = 0;
    await this.own?.return();
  }

  private async fromOwn(): Promise<Buffer | undefined> {
    this.own ??= this.reopen(this.receivedBytes);
    const step = await this.own.next();
    return step.done === true ? undefined : step.value;
  }

  private wake(): void {
    this.waiting?.();
    this.waiting = undefined;
  }
}

/** One GET and those who share it. */
export class ReadSession {
  readonly end: Promise<SessionEnd>;
  private readonly readers = new Set<SessionReader>();
  private readonly abort = new AbortController();
  private readonly hash = createHash('sha256');
  private settle!: { resolve: (end: SessionEnd) => void; reject: (error: Error) => void };
  private replay: Buffer[] | undefined = [];
  private bytes = 0;
  private joined = 0;
  private head: Buffer | undefined = Buffer.alloc(0);
  private early: Buffer[] = [];
  private spooled: SpoolFile | 'full' | undefined;
  private isComplete = false;
  private isOver = false;
  private progress: (() => void) | undefined;
  private keeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly object: { readonly sizeBytes: number },
    private readonly options: SessionOptions,
  ) {
    this.end = new Promise<SessionEnd>((resolve, reject) => (this.settle = { resolve, reject }));
    // Every reader hears of a failure through its own queue.
    this.end.catch(() => undefined);
  }

  get isJoinable(): boolean {
    return this.replay !== undefined && !this.isOver;
  }

  get keptBytes(): number {
    return this.replay === undefined ? 0 : this.bytes;
  }

  start(): void {
    this.pump().then(
      () => this.complete(),
      (error: Error) => this.fail(error),
    );
  }

  /** `counts: false`: somebody who only peeks; the two scanners are still expected. */
  join({ counts = true }: { counts?: boolean } = {}): SessionReader {
    const reader = new SessionReader(
      this.options.now,
      () => this.moved(),
      (from) => this.ownBody(from),
    );
    for (const chunk of this.replay ?? []) reader.push(chunk);
    this.readers.add(reader);
    if (counts) this.joined += 1;
    if (this.isComplete) reader.finish();
    // Two scanners per object: nobody else is expected.
    if (this.joined > 1) this.dropReplay();
    this.moved();
    return reader;
  }

  leave(reader: SessionReader): void {
    this.readers.delete(reader);
    void reader.close();
    this.moved();
    if (this.readers.size === 0 && !this.isComplete) this.fail(new Error('nobody reads any more'));
    this.closeWhenUnused();
  }

  /** Gives up waiting for a late sibling. */
  forget(): void {
    if (this.isComplete) this.dropReplay();
    this.closeWhenUnused();
  }

  private async pump(): Promise<void> {
    if (this.object.sizeBytes > this.options.lagBytes) await this.sibling();
    for (let attempt = 0; ; attempt += 1) {
      const before = this.bytes;
      try {
        await this.pumpFrom(this.bytes);
        return;
      } catch (error) {
        // A large object may break off many times, if only it goes on in between.
        if (this.bytes - before >= this.options.lagBytes) attempt = 0;
        const isBroken = error instanceof StorageError && error.outcome === 'unreachable' && this.bytes > 0;
        if (!isBroken || attempt >= RESUMPTIONS || this.abort.signal.aborted) throw error;
      }
    }
  }

  private async pumpFrom(from: number): Promise<void> {
    if (from > 0 && from === this.object.sizeBytes) return;
    const opened = await this.openAt(from);
    for await (const chunk of chunksOf(opened, this.options.idleMs ?? BODY_IDLE_MS)) {
      if (this.abort.signal.aborted) return;
      this.hash.update(chunk);
      this.bytes += chunk.length;
      await this.toSpool(chunk);
      this.toReplay(chunk);
      for (const reader of this.readers) if (!reader.isDetached) reader.push(chunk);
      await this.room();
    }
  }

  private toReplay(chunk: Buffer): void {
    if (this.replay === undefined) return;
    this.replay.push(chunk);
    if (this.bytes > this.options.lagBytes) this.dropReplay();
  }

  private async toSpool(chunk: Buffer): Promise<void> {
    if (this.head !== undefined) {
      this.early.push(chunk);
      this.head = Buffer.concat([this.head, chunk.subarray(0, HEAD_BYTES)]);
      if (this.head.length < HEAD_BYTES && this.bytes < this.object.sizeBytes) return;
      const isWanted = this.options.wantsSpool(this.head);
      this.head = undefined;
      if (!isWanted) {
        this.early = [];
        return;
      }
      this.spooled = await this.options.spool.create();
      for (const part of this.early.splice(0)) await this.spoolOne(part);
      return;
    }
    await this.spoolOne(chunk);
  }

  private async spoolOne(chunk: Buffer): Promise<void> {
    if (this.spooled === undefined || this.spooled === 'full') return;
    try {
      await this.spooled.write(chunk);
    } catch (error) {
      const isDiskFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
      if (!(error instanceof SpoolFull) && !isDiskFull) throw error;
      await this.spooled.close();
      this.spooled = 'full';
    }
  }

  /** Waits until no attached reader is too far behind; sets those free that do not move while another waits. */
  private async room(): Promise<void> {
    for (;;) {
      const attached = [...this.readers].filter((reader) => !reader.isDetached);
      const behind = attached.filter((reader) => reader.queuedBytes >= this.options.lagBytes);
      if (behind.length === 0 || this.abort.signal.aborted) return;
      const someoneWaits = attached.some((reader) => reader.queuedBytes === 0);
      const deadline = this.options.now() - this.options.patienceMs;
      const stuck = someoneWaits ? behind.filter((reader) => reader.lastTook <= deadline) : [];
      for (const reader of stuck) reader.isDetached = true;
      if (stuck.length === 0) await this.movement(this.options.patienceMs / 4);
    }
  }

  private async sibling(): Promise<void> {
    const until = this.options.now() + this.options.joinMs;
    while (this.joined < 2 && this.options.now() < until) await this.movement(until - this.options.now());
  }

  private async movement(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.progress = resolve;
      timer = setTimeout(resolve, limitMs);
    });
    clearTimeout(timer);
  }

  private moved(): void {
    this.progress?.();
    this.progress = undefined;
  }

  private async *ownBody(from: number): AsyncGenerator<Buffer, void> {
    yield* chunksOf(await this.openAt(from), this.options.idleMs ?? BODY_IDLE_MS);
  }

  /** @throws StorageError when the body is not as long as HEAD said: then nobody knows what would be scanned. */
  private async openAt(from: number): Promise<OpenedBody> {
    const opened = await this.options.open(from, this.abort.signal);
    const expected = this.object.sizeBytes - from;
    if (opened.lengthBytes === expected) return opened;
    opened.body.destroy();
    const detail = `the body has ${opened.lengthBytes} bytes where ${expected} were expected`;
    throw new StorageError('other', 'LengthDiffers', detail, { reason: 'length_differs' });
  }

  private complete(): void {
    if (this.isOver) return;
    this.isComplete = true;
    this.settle.resolve({ bytes: this.bytes, sha256: this.hash.digest('hex'), spool: this.spooled });
    for (const reader of this.readers) reader.finish();
    if (this.replay === undefined) return this.closeWhenUnused();
    this.keeper = setTimeout(() => this.forget(), this.options.keepMs);
    this.keeper.unref();
  }

  private fail(error: Error): void {
    if (this.isOver || this.isComplete) return;
    this.abort.abort(error);
    this.settle.reject(error);
    for (const reader of this.readers) reader.fail(error);
    this.dropReplay();
    this.finishUp();
  }

  private dropReplay(): void {
    this.replay = undefined;
  }

  private closeWhenUnused(): void {
    if (this.isComplete && this.replay === undefined && this.readers.size === 0) this.finishUp();
  }

  private finishUp(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.keeper);
    if (this.spooled instanceof Object) void this.spooled.close();
    this.options.onOver();
  }
}
