import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { needsRandomAccess } from '../../src/s3/needs-random-access.js';
import { SharedReads, type ObjectOpener, type SharedReadsOptions } from '../../src/s3/shared-reads.js';
import { Spool } from '../../src/s3/spool.js';
import { StorageError } from '../../src/s3/storage-error.js';
import { eventually } from '../support/eventually.js';

const MB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'sallyport-reads-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** An object store of one object, made up as it is read. */
class FakeStore implements ObjectOpener {
  opened: number[] = [];
  /** Breaks the body off after so many bytes, so often. */
  breaks: number[] = [];

  constructor(
    readonly sizeBytes: number,
    private readonly head = '',
  ) {}

  async peek(_: unknown, count: number): Promise<Buffer> {
    return this.slice(0, Math.min(count, this.sizeBytes));
  }

  async open(_: unknown, { from = 0 }: { from?: number }) {
    this.opened.push(from);
    const breakAt = this.breaks.shift() ?? Infinity;
    const body = Readable.from(this.chunks(from, breakAt), { objectMode: false, highWaterMark: 65_536 });
    return { body, lengthBytes: this.sizeBytes - from };
  }

  get sha256(): string {
    const hash = createHash('sha256');
    for (let at = 0; at < this.sizeBytes; at += 65_536)
      hash.update(this.slice(at, Math.min(65_536, this.sizeBytes - at)));
    return hash.digest('hex');
  }

  private *chunks(from: number, breakAt: number): Generator<Buffer> {
    for (let at = from; at < this.sizeBytes;) {
      if (at >= breakAt) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      const length = Math.min(65_536 - (at % 65_536), this.sizeBytes - at);
      yield this.slice(at, length);
      at += length;
    }
  }

  private slice(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length, Math.floor(at / 65_536) % 251);
    if (at === 0) bytes.write(this.head.slice(0, length), 'latin1');
    return bytes;
  }
}

const object = (sizeBytes: number) => ({
  endpointId: 'embedded',
  bucket: 'b',
  key: 'k',
  versionId: 'v1',
  eTag: 'e',
  sizeBytes,
});

let spool: Spool;
beforeEach(() => {
  spool = new Spool(join(directory, 'spool'), 32 * MB);
});

const readsOf = (store: ObjectOpener, options: Partial<SharedReadsOptions> = {}) =>
  new SharedReads(store, spool, { wantsSpool: needsRandomAccess, ...options });

const counting = () => {
  const hash = createHash('sha256');
  const sink = async (chunk: Buffer) => {
    hash.update(chunk);
  };
  return { sink, digest: () => hash.digest('hex') };
};
const never = new AbortController().signal;

describe('two readers of one object', () => {
  it.each([0, 1, 100_000, 20 * MB])('share one GET of %d bytes and one digest', async (size) => {
    const store = new FakeStore(size);
    const reads = readsOf(store);
    const [a, b] = [counting(), counting()];
    const ends = await Promise.all([
      reads.read(object(size), a.sink, never),
      reads.read(object(size), b.sink, never),
    ]);
    expect(store.opened).toEqual([0]);
    expect(ends.map((end) => [end.bytes, end.sha256])).toEqual([
      [size, store.sha256],
      [size, store.sha256],
    ]);
    expect([a.digest(), b.digest()]).toEqual([store.sha256, store.sha256]);
    expect(reads.counts).toEqual({ objects: 1, gets: 1 });
  });

  it('share it too when the second comes after a small object was read', async () => {
    const store = new FakeStore(100_000);
    const reads = readsOf(store);
    const [a, b] = [counting(), counting()];
    await reads.read(object(100_000), a.sink, never);
    const end = await reads.read(object(100_000), b.sink, never);
    expect(store.opened).toEqual([0]);
    expect([b.digest(), end.sha256]).toEqual([store.sha256, store.sha256]);
  });

  it('share it with the look at the first bytes', async () => {
    const store = new FakeStore(100_000, 'hello');
    const reads = readsOf(store);
    expect((await reads.peek(object(100_000), 5, never)).toString()).toBe('hello');
    await Promise.all([
      reads.read(object(100_000), counting().sink, never),
      reads.read(object(100_000), counting().sink, never),
    ]);
    expect(store.opened).toEqual([0]);
  });

  it('one that comes when much went by already reads for itself', async () => {
    const store = new FakeStore(40 * MB);
    const reads = readsOf(store, { joinMs: 0 });
    const [a, b] = [counting(), counting()];
    let seen = 0;
    let second: Promise<unknown> | undefined;
    await reads.read(
      object(40 * MB),
      async (chunk) => {
        await a.sink(chunk);
        seen += chunk.length;
        if (seen > 20 * MB) second ??= reads.read(object(40 * MB), b.sink, never);
      },
      never,
    );
    await second;
    expect(store.opened).toEqual([0, 0]);
    expect([a.digest(), b.digest()]).toEqual([store.sha256, store.sha256]);
  });

  it('one that stands still does not hold up the other, and goes on where it was', async () => {
    const store = new FakeStore(40 * MB);
    const reads = readsOf(store, { patienceMs: 20 });
    const [fast, slow] = [counting(), counting()];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slowRead = reads.read(
      object(40 * MB),
      async (chunk) => {
        await gate;
        await slow.sink(chunk);
      },
      never,
    );
    const end = await reads.read(object(40 * MB), fast.sink, never);
    expect(end.sha256).toBe(store.sha256);
    release();
    expect((await slowRead).sha256).toBe(store.sha256);
    expect(slow.digest()).toBe(store.sha256);
    expect(store.opened).toHaveLength(2);
    // Not from the start: eight megabytes were waiting for it.
    expect(store.opened[1]).toBeGreaterThanOrEqual(8 * MB);
  });

  it('one that is merely slower keeps the GET shared', async () => {
    const store = new FakeStore(24 * MB);
    const reads = readsOf(store);
    const [fast, slow] = [counting(), counting()];
    await Promise.all([
      reads.read(object(24 * MB), fast.sink, never),
      reads.read(
        object(24 * MB),
        async (chunk) => {
          await new Promise((resolve) => setImmediate(resolve));
          await slow.sink(chunk);
        },
        never,
      ),
    ]);
    expect(store.opened).toEqual([0]);
  });

  it('one that fails does not take the other down', async () => {
    const store = new FakeStore(20 * MB);
    const reads = readsOf(store);
    const good = counting();
    const [bad, end] = await Promise.allSettled([
      reads.read(object(20 * MB), () => Promise.reject(new Error('broken scanner')), never),
      reads.read(object(20 * MB), good.sink, never),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'broken scanner' } });
    expect(end.status).toBe('fulfilled');
    expect(good.digest()).toBe(store.sha256);
  });
});

describe('trouble', () => {
  it('a connection that breaks off is taken up where it broke', async () => {
    const store = new FakeStore(4 * MB);
    store.breaks = [MB, 2 * MB];
    const { sink, digest } = counting();
    await readsOf(store).read(object(4 * MB), sink, never);
    expect(digest()).toBe(store.sha256);
    expect(store.opened).toEqual([0, MB, 2 * MB]);
  });

  it('one that breaks again and again is told, and the next reader begins afresh', async () => {
    const store = new FakeStore(4 * MB);
    store.breaks = [MB, MB, MB, MB];
    const reads = readsOf(store);
    await expect(reads.read(object(4 * MB), counting().sink, never)).rejects.toMatchObject({
      outcome: 'unreachable',
    });
    const { sink, digest } = counting();
    await reads.read(object(4 * MB), sink, never);
    expect(digest()).toBe(store.sha256);
  });

  it('an overwrite between two GETs is superseded for all', async () => {
    const store = new FakeStore(4 * MB);
    store.breaks = [MB];
    const open = store.open.bind(store);
    store.open = async (_, options) => {
      if (options.from === MB) throw new StorageError('superseded', 'PreconditionFailed', 'changed');
      return open(_, options);
    };
    const reads = readsOf(store);
    const both = await Promise.allSettled([
      reads.read(object(4 * MB), counting().sink, never),
      reads.read(object(4 * MB), counting().sink, never),
    ]);
    for (const one of both) expect(one).toMatchObject({ reason: { outcome: 'superseded' } });
  });

  it('an abort ends the read at once', async () => {
    const controller = new AbortController();
    const reading = readsOf(new FakeStore(40 * MB)).read(
      object(40 * MB),
      async () => {
        controller.abort(new Error('the lease is lost'));
      },
      controller.signal,
    );
    await expect(reading).rejects.toThrow('the lease is lost');
  });
});

describe('the spool', () => {
  it('holds a zip once for both readers, unseen in the folder, and is given back', async () => {
    const store = new FakeStore(5 * MB, 'PK\u0003\u0004');
    const reads = readsOf(store);
    const ends = await Promise.all([
      reads.read(object(5 * MB), counting().sink, never),
      reads.read(object(5 * MB), counting().sink, never),
    ]);
    const [one, two] = ends.map((end) => end.spool);
    if (one === undefined || one === 'full' || two === undefined || two === 'full')
      throw new Error('no spool');
    expect(one).toBe(two);
    expect(one.sizeBytes).toBe(5 * MB);
    expect((await one.read(0, 4)).toString('latin1')).toBe('PK\u0003\u0004');
    expect(readdirSync(join(directory, 'spool'))).toEqual([]);
    expect(spool.usedBytes).toBe(5 * MB);
    await one.close();
    await two.close();
    await eventually(() => spool.usedBytes === 0);
  });

  it('is not used for what can be read as it comes', async () => {
    const end = await readsOf(new FakeStore(MB, 'text')).read(object(MB), counting().sink, never);
    expect(end.spool).toBeUndefined();
  });

  it('over its quota the bytes still reach the reader, and the spool says full', async () => {
    const size = 40 * MB;
    const store = new FakeStore(size, 'PK\u0003\u0004');
    const { sink, digest } = counting();
    const end = await readsOf(store).read(object(size), sink, never);
    expect(end.spool).toBe('full');
    expect(digest()).toBe(store.sha256);
    expect(spool.usedBytes).toBe(0);
  });
});

it('memory stays flat while a gigabyte goes by two readers', async () => {
  const size = 1024 * MB;
  const reads = readsOf(new FakeStore(size));
  let peak = 0;
  let seen = 0;
  const watch = async (chunk: Buffer) => {
    seen += chunk.length;
    if (seen % (16 * MB) < 65_536) {
      const { heapUsed, external } = process.memoryUsage();
      peak = Math.max(peak, heapUsed + external);
    }
  };
  const { heapUsed, external } = process.memoryUsage();
  await Promise.all([reads.read(object(size), watch, never), reads.read(object(size), watch, never)]);
  expect(seen).toBe(2 * size);
  expect(peak - heapUsed - external).toBeLessThan(100 * MB);
}, 60_000);
