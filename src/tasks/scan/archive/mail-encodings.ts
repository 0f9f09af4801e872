import { CannotUnpack } from './budget.js';
import type { Gathered } from './gathered.js';

/** Undoes the encoding of a mail's part line by line; lines come without their ends. */
export interface MailEncoding {
  /** @param isCut the line goes on in the next call */
  line(line: Buffer, isCut: boolean, out: Gathered): void;
  end(out: Gathered): void;
}

const corrupt = (what: string) => new CannotUnpack('corrupt', `mail: ${what}`);
const NOTHING: Buffer = Buffer.alloc(0);
const LINE_END = Buffer.from('\r\n');
const [SPACE, TAB, EQUALS] = [0x20, 0x09, 0x3d];

/** 7bit, 8bit and binary. The last line's end belongs to the boundary behind it. */
export class Identity implements MailEncoding {
  private hasEnd = false;

  line(line: Buffer, isCut: boolean, out: Gathered): void {
    if (this.hasEnd) out.add(LINE_END);
    out.add(line);
    this.hasEnd = !isCut;
  }

  end(): void {}
}

// Blanks are passed over.
const BLANK = -1;
const FOREIGN = -2;
const DIGITS = new Int8Array(256).fill(FOREIGN);
const LETTERS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
for (const [digit, letter] of LETTERS.entries()) DIGITS[letter] = digit;
DIGITS[SPACE] = BLANK;
DIGITS[TAB] = BLANK;

/** Readers differ in what they make of foreign characters and of padding in the middle, so both are errors. */
export class Base64 implements MailEncoding {
  private value = 0;
  private digits = 0;
  private padding = 0;
  private isOver = false;

  line(line: Buffer, isCut: boolean, out: Gathered): void {
    for (let at = 0; at < line.length; at += 1) {
      const byte = line[at] ?? 0;
      const digit = DIGITS[byte] ?? FOREIGN;
      if (digit === BLANK) continue;
      const isPadding = byte === EQUALS && this.padding < 2;
      if (this.isOver || (!isPadding && (digit === FOREIGN || this.padding > 0)))
        throw corrupt('base64 with something else in it');
      if (isPadding) this.pad(out);
      else this.digit(digit, out);
    }
    this.isOver ||= this.padding > 0 && !isCut;
  }

  end(out: Gathered): void {
    this.lastGroup(out);
  }

  private digit(digit: number, out: Gathered): void {
    this.value = (this.value << 6) | digit;
    this.digits += 1;
    if (this.digits < 4) return;
    for (const shift of [16, 8, 0]) out.addByte((this.value >> shift) & 0xff);
    this.value = 0;
    this.digits = 0;
  }

  private pad(out: Gathered): void {
    if (this.padding === 0) this.lastGroup(out);
    this.padding += 1;
  }

  private lastGroup(out: Gathered): void {
    const { value, digits } = this;
    if (digits === 1) throw corrupt('base64 that is cut off');
    if (digits === 2) out.addByte((value >> 4) & 0xff);
    if (digits === 3) for (const shift of [10, 2]) out.addByte((value >> shift) & 0xff);
    this.value = 0;
    this.digits = 0;
  }
}

export class QuotedPrintable implements MailEncoding {
  private hasEnd = false;
  private rest: Buffer = NOTHING;

  line(piece: Buffer, isCut: boolean, out: Gathered): void {
    let ready = this.rest.length > 0 ? Buffer.concat([this.rest, piece]) : piece;
    this.rest = NOTHING;
    // A sequence may be cut too.
    const at = isCut ? ready.lastIndexOf('=') : -1;
    if (at >= 0 && at > ready.length - 3) {
      this.rest = ready.subarray(at);
      ready = ready.subarray(0, at);
    }
    const last = ready.at(-1);
    const endsInBlanks = !isCut && (last === SPACE || last === TAB);
    if (ready.length === 0 || (!endsInBlanks && !ready.includes(EQUALS))) this.show(ready, !isCut, out);
    else this.decoded(ready.toString('latin1'), isCut, out);
  }

  end(): void {}

  private decoded(text: string, isCut: boolean, out: Gathered): void {
    const soft = isCut ? text : withoutEnd(text, ' \t');
    const isSoft = !isCut && soft.endsWith('=');
    const encoded = isSoft ? soft.slice(0, -1) : soft;
    if (/=(?![0-9A-Fa-f]{2})/.test(encoded)) throw corrupt('quoted-printable with something else in it');
    const plain = encoded.replaceAll(/=(..)/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    this.show(Buffer.from(plain, 'latin1'), !isCut && !isSoft, out);
  }

  private show(bytes: Buffer, hasEnd: boolean, out: Gathered): void {
    if (this.hasEnd) out.add(LINE_END);
    out.add(bytes);
    this.hasEnd = hasEnd;
  }
}

/** Between its `begin` and its `end`. */
export class Uuencode implements MailEncoding {
  line(line: Buffer, isCut: boolean, gathered: Gathered): void {
    if (line.length === 0) return;
    const text = line.toString('latin1').trimEnd();
    if (text === '' || text === '`') return;
    const bytes = ((text.codePointAt(0) ?? 0) - 32) & 63;
    const needed = Math.ceil(bytes / 3) * 4;
    // Spaces at the end may have been lost, one character for a checksum may follow.
    if (isCut || !/^[ -`]+$/.test(text) || text.length > needed + 2)
      throw corrupt('a line that is not uuencoded');
    const out = Buffer.alloc(needed);
    let filled = 0;
    for (let at = 1; at <= needed; at += 4) {
      let group = 0;
      for (let n = 0; n < 4; n += 1) group = group * 64 + (((text.codePointAt(at + n) ?? 32) - 32) & 63);
      out.writeUIntBE(group, filled, 3);
      filled += 3;
    }
    gathered.add(out.subarray(0, bytes));
  }

  end(): void {
    throw corrupt('uuencoded content without its end');
  }
}

/** Without the characters of a set at the end. A pattern for that is tried at every place, and takes the square of the time. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
