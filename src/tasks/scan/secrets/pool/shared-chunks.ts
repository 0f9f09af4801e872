// What a read from a socket gives at most.
const SLOT_BYTES = 64 * 1024;
// A slot that is mostly empty would cost more than it saves.
const WORTH_A_SLOT_BYTES = SLOT_BYTES / 4;
const MAX_FREE = 128;

/**
 * Copies of chunks that a worker reads where they are. The memory is used again: fresh memory for every chunk of large
 * objects, and a second copy to hand over, kept the garbage collector at work for a quarter of the time.
 */
export class SharedChunks {
  readonly #free: SharedArrayBuffer[] = [];

  /** Small chunks get memory of their own, which is copied on its way. */
  copy(chunk: Uint8Array): Uint8Array {
    if (chunk.length < WORTH_A_SLOT_BYTES || chunk.length > SLOT_BYTES) return new Uint8Array(chunk);
    const bytes = new Uint8Array(this.#free.pop() ?? new SharedArrayBuffer(SLOT_BYTES), 0, chunk.length);
    bytes.set(chunk);
    return bytes;
  }

  /** To be used again; nobody may read it any more. */
  release(bytes: Uint8Array): void {
    if (bytes.buffer instanceof SharedArrayBuffer && this.#free.length < MAX_FREE)
      this.#free.push(bytes.buffer);
  }
}
