import { ZSTDDecoder } from 'zstddec/stream';
import { CannotUnpack, type Budget } from './budget.js';
import type { Out, Unpacker } from './unpacker.js';

/** What libzstd, compiled to WebAssembly, exports. */
interface Libzstd {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(at: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): void;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

let loaded: Promise<Libzstd> | undefined;

/**
 * zstddec's own loops take errors for progress and wait for nobody, so only its libzstd is used. The module is
 * instantiated from its own text, once per process.
 */
async function libzstd(): Promise<Libzstd> {
  return (loaded ??= new Promise((resolve, reject) => {
    class Instance extends ZSTDDecoder {
      override _init(result: Parameters<ZSTDDecoder['_init']>[0]): void {
        super._init(result);
        resolve(result.instance.exports as never);
      }
    }
    new Instance().init().catch(reject);
  }));
}

const FRAMES_A_TURN = 256;
const IN_BYTES = 64 * 1024;
const OUT_BYTES = 128 * 1024;
// Two structures of a pointer and two sizes.
const STRUCTS_BYTES = 24;
// libzstd's context and its own buffers beside the window (ZSTD_estimateDStreamSize).
const CONTEXT_BYTES = 640 * 1024;
const SKIPPABLE_HEAD_BYTES = 8;
const LONGEST_HEAD_BYTES = 18;
// Error codes are the last of the unsigned numbers (zstd_errors.h).
const ERRORS_FROM = 2 ** 32 - 120;
const DICTIONARY_WRONG = 32;
const MEMORY = new Set([16, 64]);

/** Unpacks zstd frame by frame, skippable ones included; what each asks for is looked at before it is given. */
export class ZstdUnpacker implements Unpacker {
  private lib: Libzstd | undefined;
  private context = 0;
  private buffers = 0;
  private heldBytes = 0;
  private head: Buffer = Buffer.alloc(0);
  private isInFrame = false;
  private skipBytes = 0;
  private hasFrame = false;
  private isPadding = false;
  private isClosed = false;
  private frames = 0;

  constructor(private readonly budget: Budget) {}

  async write(chunk: Buffer, out: Out): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.isPadding) {
        if (rest.some((byte) => byte !== 0)) throw corrupt('something follows after its end');
        return;
      }
      if (this.skipBytes > 0) {
        const skipped = Math.min(this.skipBytes, rest.length);
        this.skipBytes -= skipped;
        rest = rest.subarray(skipped);
      } else if (this.isInFrame) {
        rest = rest.subarray(await this.decompress(rest, out));
      } else {
        rest = await this.begin(rest, out);
      }
    }
  }

  async end(): Promise<void> {
    const isPadded = this.hasFrame && this.head.every((byte) => byte === 0);
    if (this.isInFrame || this.skipBytes > 0 || !this.hasFrame || (this.head.length > 0 && !isPadded)) {
      throw corrupt('it ends too early');
    }
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.freeContext();
    if (this.buffers !== 0) this.lib?.free(this.buffers);
    this.buffers = 0;
  }

  /** Gathers the next frame's head. @returns what is left of the bytes */
  private async begin(bytes: Buffer, out: Out): Promise<Buffer> {
    const before = this.head.length;
    this.head = Buffer.concat([this.head, bytes.subarray(0, LONGEST_HEAD_BYTES - before)]);
    const { head } = this;
    if (head.length < 4) return Buffer.alloc(0);
    const magic = head.readUInt32LE(0);
    if (magic === 0 && this.hasFrame) {
      this.isPadding = true;
      this.head = Buffer.alloc(0);
      return behind(head, 4, bytes, before);
    }
    if (magic >>> 4 === 0x184d2a5) {
      if (head.length < SKIPPABLE_HEAD_BYTES) return Buffer.alloc(0);
      this.skipBytes = head.readUInt32LE(4);
      this.hasFrame = true;
      this.head = Buffer.alloc(0);
      await this.turn();
      return behind(head, SKIPPABLE_HEAD_BYTES, bytes, before);
    }
    if (magic !== 0xfd2fb528) {
      throw corrupt(this.hasFrame ? 'something follows after its end' : 'it has no header');
    }
    const need = needOf(head);
    if (need === undefined) return Buffer.alloc(0);
    await this.makeContext(need);
    this.head = Buffer.alloc(0);
    this.isInFrame = true;
    await this.turn();
    // A frame may be shorter than the longest head.
    return behind(head, await this.decompress(head, out), bytes, before);
  }

  /** Frames may be empty: without output nobody else looks at the time, or lets others have their turn. */
  private async turn(): Promise<void> {
    this.frames += 1;
    if (this.frames % FRAMES_A_TURN !== 0) return;
    this.budget.out(0);
    await new Promise((resolve) => setImmediate(resolve));
  }

  private async makeContext(windowBytes: number): Promise<void> {
    this.freeContext();
    const bytes = windowBytes + CONTEXT_BYTES;
    this.budget.hold(bytes);
    this.heldBytes = bytes;
    const lib = (this.lib ??= await libzstd());
    if (this.isClosed) throw corrupt('given up');
    if (this.buffers === 0) this.buffers = orNoMemory(lib.malloc(STRUCTS_BYTES + IN_BYTES + OUT_BYTES));
    this.context = orNoMemory(lib.ZSTD_createDCtx());
  }

  private freeContext(): void {
    if (this.context !== 0) this.lib?.ZSTD_freeDCtx(this.context);
    this.context = 0;
    this.budget.release(this.heldBytes);
    this.heldBytes = 0;
  }

  /** Unpacks until the bytes or the frame are over. @returns how many of the bytes belonged to the frame */
  private async decompress(bytes: Buffer, out: Out): Promise<number> {
    let used = 0;
    while (used < bytes.length && this.isInFrame) {
      used += await this.piece(bytes.subarray(used, used + IN_BYTES), out);
    }
    return used;
  }

  private async piece(bytes: Buffer, out: Out): Promise<number> {
    const lib = this.lib as Libzstd;
    const input = this.buffers;
    const output = input + 12;
    const inAt = input + STRUCTS_BYTES;
    const outAt = inAt + IN_BYTES;
    new Uint8Array(lib.memory.buffer).set(bytes, inAt);
    let used = 0;
    for (;;) {
      // Whoever else unpacks may have made the memory grow.
      let view = new DataView(lib.memory.buffer);
      for (const [at, value] of [inAt, bytes.length, used, outAt, OUT_BYTES, 0].entries())
        view.setUint32(input + 4 * at, value, true);
      const answer = lib.ZSTD_decompressStream(this.context, output, input) >>> 0;
      if (answer > ERRORS_FROM) throw failure(2 ** 32 - answer);
      view = new DataView(lib.memory.buffer);
      const usedNow = view.getUint32(input + 8, true);
      const came = view.getUint32(output + 8, true);
      const isStuck = usedNow === used && came === 0;
      used = usedNow;
      if (came > 0) {
        await out(Buffer.from(new Uint8Array(lib.memory.buffer.slice(outAt, outAt + came))));
        if (this.isClosed) throw corrupt('given up');
      }
      if (answer === 0) {
        this.isInFrame = false;
        this.hasFrame = true;
        this.freeContext();
        return used;
      }
      // A full output may mean that more is ready.
      if (used === bytes.length && came < OUT_BYTES) return used;
      if (isStuck) throw corrupt('it stands still');
    }
  }
}

/** The window that a frame asks for, `undefined` as long as its head is not complete (RFC 8878, 3.1.1.1). */
function needOf(head: Buffer): number | undefined {
  const descriptor = head[4];
  if (descriptor === undefined) return undefined;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  const dictionaryAt = 5 + (isSingleSegment ? 0 : 1);
  const sizeAt = dictionaryAt + dictionaryBytes;
  if (head.length < sizeAt + sizeBytes) return undefined;
  if (head.subarray(dictionaryAt, sizeAt).some((byte) => byte !== 0)) {
    throw new CannotUnpack('unsupported', 'zstd: packed with a dictionary');
  }
  if (!isSingleSegment) {
    const byte = head[5] ?? 0;
    const base = 2 ** (10 + (byte >>> 3));
    return base + (base / 8) * (byte & 7);
  }
  switch (sizeBytes) {
    case 8:
      return Number(head.readBigUInt64LE(sizeAt));
    case 2:
      return head.readUInt16LE(sizeAt) + 256;
    default:
      return head.readUIntLE(sizeAt, sizeBytes);
  }
}

function failure(code: number): CannotUnpack {
  if (MEMORY.has(code)) return new CannotUnpack('limit', 'zstd: asks for too much memory');
  if (code === DICTIONARY_WRONG) return new CannotUnpack('unsupported', 'zstd: packed with a dictionary');
  return corrupt(`error ${code}`);
}

function orNoMemory(pointer: number): number {
  if (pointer === 0) throw new CannotUnpack('limit', 'zstd: no memory left');
  return pointer;
}

const corrupt = (what: string) => new CannotUnpack('corrupt', `zstd: ${what}`);

/** What follows after the first `used` bytes of a head, of which `before` came with an earlier chunk. */
function behind(head: Buffer, used: number, bytes: Buffer, before: number): Buffer {
  // No copy: a chunk may hold thousands of frames.
  if (used >= before) return bytes.subarray(used - before);
  return Buffer.concat([head.subarray(used, before), bytes]);
}
