const FIRST_BYTES = 1024;
// Below it, a loop is faster than what a copy asks for first.
const FEW_BYTES = 24;

/** Collects small pieces, so that whoever gets them pays for one. */
export class Gathered {
  length = 0;
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);

  add(piece: Uint8Array): void {
    const end = this.length + piece.length;
    this.makeRoom(end);
    if (piece.length > FEW_BYTES) this.bytes.set(piece, this.length);
    else for (let at = 0; at < piece.length; at += 1) this.bytes[this.length + at] = piece[at] ?? 0;
    this.length = end;
  }

  addByte(byte: number): void {
    this.makeRoom(this.length + 1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  /** All of it, which it then no longer holds. */
  take(): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 0;
    return taken;
  }

  private makeRoom(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
