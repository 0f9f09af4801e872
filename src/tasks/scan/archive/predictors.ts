import { CannotUnpack } from './budget.js';
import type { Out, Unpacker } from './unpacker.js';

const LONGEST_ROW = 1024 * 1024;
const FIRST_ROW = 1024;

/** How a table of bytes is laid out, by its word. */
export interface RowShape {
  readonly columns: number;
  readonly colors: number;
  readonly bits: number;
}

/** @throws CannotUnpack for rows that are too long */
function rowBytesOf({ columns, colors, bits }: RowShape): number {
  const bytes = Math.ceil((columns * colors * bits) / 8);
  if (!(bytes > 0 && bytes <= LONGEST_ROW)) throw new CannotUnpack('limit', 'pdf: rows that are too long');
  return bytes;
}

/** Room for one more byte. A row grows as its bytes come: what it is said to hold costs its writer nothing. */
function roomFor(row: Buffer, at: number, rowBytes: number): Buffer {
  if (at < row.length) return row;
  const larger = Buffer.alloc(Math.min(rowBytes, Math.max(FIRST_ROW, 2 * row.length)));
  row.copy(larger);
  return larger;
}

/** Undoes PNG's predictors: each row begins with how its bytes were told from their neighbours (PNG 9.2). */
export class PngPredictor implements Unpacker {
  private readonly step: number;
  private readonly rowBytes: number;
  private above: Buffer = Buffer.alloc(0);
  private row: Buffer = Buffer.alloc(0);
  private filled = 0;
  private kind = -1;

  /** @throws CannotUnpack for rows that are too long */
  constructor(shape: RowShape) {
    this.rowBytes = rowBytesOf(shape);
    this.step = Math.max(1, (shape.colors * shape.bits) >> 3);
  }

  async write(chunk: Buffer, out: Out): Promise<void> {
    // Bytes go out as they are known, whether or not their row is full: it may be of one byte, or of a million.
    const undone = Buffer.allocUnsafe(chunk.length);
    let length = 0;
    let isUnknown = false;
    for (let at = 0; at < chunk.length && !isUnknown; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.kind < 0) {
        this.kind = byte;
        isUnknown = byte > 4;
        continue;
      }
      undone[length] = this.undo(byte);
      length += 1;
    }
    if (length > 0) await out(undone.subarray(0, length));
    if (isUnknown) throw new CannotUnpack('corrupt', 'pdf: an unknown predictor');
  }

  async end(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.above = Buffer.alloc(0);
    this.row = Buffer.alloc(0);
  }

  private undo(byte: number): number {
    const { above, step, filled } = this;
    const row = (this.row = roomFor(this.row, filled, this.rowBytes));
    const left = filled < step ? 0 : (row[filled - step] ?? 0);
    const corner = filled < step ? 0 : (above[filled - step] ?? 0);
    const value = (byte + guess(this.kind, left, above[filled] ?? 0, corner)) & 0xff;
    row[filled] = value;
    this.filled += 1;
    if (this.filled === this.rowBytes) {
      this.row = above;
      this.above = row;
      this.filled = 0;
      this.kind = -1;
    }
    return value;
  }
}

/** Undoes TIFF's predictor: each byte is told from the same colour's to the left (TIFF 6.0, section 14). */
export class TiffPredictor implements Unpacker {
  private readonly step: number;
  private readonly rowBytes: number;
  private row: Buffer = Buffer.alloc(0);
  private filled = 0;

  /** @throws CannotUnpack for rows that are too long, and for colours that do not fill a byte or fill more */
  constructor(shape: RowShape) {
    if (shape.bits !== 8) throw new CannotUnpack('unsupported', `pdf: predictor 2 of ${shape.bits} bits`);
    this.rowBytes = rowBytesOf(shape);
    this.step = shape.colors;
  }

  async write(chunk: Buffer, out: Out): Promise<void> {
    const undone = Buffer.allocUnsafe(chunk.length);
    for (let at = 0; at < chunk.length; at += 1) undone[at] = this.undo(chunk[at] ?? 0);
    if (undone.length > 0) await out(undone);
  }

  async end(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.row = Buffer.alloc(0);
  }

  private undo(byte: number): number {
    const { step, filled } = this;
    const row = (this.row = roomFor(this.row, filled, this.rowBytes));
    const value = (byte + (filled < step ? 0 : (row[filled - step] ?? 0))) & 0xff;
    row[filled] = value;
    this.filled = filled + 1 === this.rowBytes ? 0 : filled + 1;
    return value;
  }
}

function guess(kind: number, left: number, up: number, corner: number): number {
  switch (kind) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, corner);
    default:
      return 0;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const near = left + up - corner;
  const [byLeft, byUp, byCorner] = [Math.abs(near - left), Math.abs(near - up), Math.abs(near - corner)];
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}
