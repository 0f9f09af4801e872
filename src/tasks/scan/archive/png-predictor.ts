import { CannotUnpack } from './budget.js';
import type { Out, Unpacker } from './unpacker.js';

const LONGEST_ROW = 1024 * 1024;

/** Undoes PNG's predictors: each row begins with how its bytes were told from their neighbours (PNG 9.2). */
export class PngPredictor implements Unpacker {
  private readonly step: number;
  private above: Buffer;
  private row: Buffer;
  private filled = 0;
  private kind = -1;

  /** @throws CannotUnpack for rows that are too long */
  constructor({ columns, colors, bits }: { columns: number; colors: number; bits: number }) {
    const rowBytes = Math.ceil((columns * colors * bits) / 8);
    if (!(rowBytes > 0 && rowBytes <= LONGEST_ROW))
      throw new CannotUnpack('limit', 'pdf: rows that are too long');
    this.step = Math.max(1, (colors * bits) >> 3);
    this.above = Buffer.alloc(rowBytes);
    this.row = Buffer.alloc(rowBytes);
  }

  async write(chunk: Buffer, out: Out): Promise<void> {
    const ready: Buffer[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.kind < 0) {
        this.kind = chunk[at] ?? 0;
        if (this.kind > 4) throw new CannotUnpack('corrupt', 'pdf: an unknown predictor');
        at += 1;
      }
      const taken = chunk.copy(this.row, this.filled, at, at + this.row.length - this.filled);
      at += taken;
      this.filled += taken;
      if (this.filled < this.row.length) break;
      this.undo(this.filled);
      ready.push(this.row);
      this.above = this.row;
      this.row = Buffer.alloc(this.above.length);
      this.filled = 0;
      this.kind = -1;
    }
    if (ready.length > 0) await out(Buffer.concat(ready));
  }

  async end(out: Out): Promise<void> {
    if (this.filled === 0) return;
    this.undo(this.filled);
    await out(this.row.subarray(0, this.filled));
  }

  close(): void {
    this.filled = 0;
  }

  private undo(bytes: number): void {
    const { row, above, step, kind } = this;
    for (let at = 0; at < bytes; at += 1) {
      const left = at < step ? 0 : (row[at - step] ?? 0);
      const up = above[at] ?? 0;
      const corner = at < step ? 0 : (above[at - step] ?? 0);
      row[at] = (row[at] ?? 0) + guess(kind, left, up, corner);
    }
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
