import { CannotUnpack } from './budget.js';

/** Undoes the encoding of a mail's part line by line; lines come without their ends. */
export interface MailEncoding {
  /** @param isCut the line goes on in the next call */
  line(line: Buffer, isCut: boolean): Buffer;
  end(): Buffer;
}

const corrupt = (what: string) => new CannotUnpack('corrupt', `mail: ${what}`);
const NOTHING: Buffer = Buffer.alloc(0);
const LINE_END = Buffer.from('\r\n');

/** 7bit, 8bit and binary. The last line's end belongs to the boundary behind it. */
export class Identity implements MailEncoding {
  private hasEnd = false;

  line(line: Buffer, isCut: boolean): Buffer {
    const bytes = this.hasEnd ? Buffer.concat([LINE_END, line]) : line;
    this.hasEnd = !isCut;
    return bytes;
  }

  end(): Buffer {
    return NOTHING;
  }
}

/** Readers differ in what they make of foreign characters and of padding in the middle, so both are errors. */
export class Base64 implements MailEncoding {
  private rest = '';
  private isOver = false;

  line(line: Buffer): Buffer {
    const text = line.toString('latin1').replaceAll(/[ \t]/g, '');
    if (text === '') return NOTHING;
    if (this.isOver || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
      throw corrupt('base64 with something else in it');
    this.isOver = text.endsWith('=');
    const all = this.rest + withoutEnd(text, '=');
    const whole = this.isOver ? all.length : all.length - (all.length % 4);
    this.rest = all.slice(whole);
    if (whole % 4 === 1) throw corrupt('base64 that is cut off');
    return Buffer.from(all.slice(0, whole), 'base64');
  }

  end(): Buffer {
    if (this.rest.length === 1) throw corrupt('base64 that is cut off');
    return Buffer.from(this.rest, 'base64');
  }
}

export class QuotedPrintable implements MailEncoding {
  private hasEnd = false;
  private rest: Buffer = NOTHING;

  line(piece: Buffer, isCut: boolean): Buffer {
    const line = this.rest.length > 0 ? Buffer.concat([this.rest, piece]) : piece;
    // A sequence may be cut too.
    const at = isCut ? line.lastIndexOf('=') : -1;
    const ready = at >= 0 && at > line.length - 3 ? line.subarray(0, at) : line;
    this.rest = line.subarray(ready.length);
    const text = ready.toString('latin1');
    const soft = isCut ? text : withoutEnd(text, ' \t');
    const isSoft = !isCut && soft.endsWith('=');
    const encoded = isSoft ? soft.slice(0, -1) : soft;
    if (/=(?![0-9A-Fa-f]{2})/.test(encoded)) throw corrupt('quoted-printable with something else in it');
    const plain = encoded.replaceAll(/=(..)/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    const bytes = Buffer.from(plain, 'latin1');
    const out = this.hasEnd ? Buffer.concat([LINE_END, bytes]) : bytes;
    this.hasEnd = !isCut && !isSoft;
    return out;
  }

  end(): Buffer {
    return NOTHING;
  }
}

/** Between its `begin` and its `end`. */
export class Uuencode implements MailEncoding {
  line(line: Buffer, isCut: boolean): Buffer {
    const text = line.toString('latin1').trimEnd();
    if (text === '' || text === '`') return NOTHING;
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
    return out.subarray(0, bytes);
  }

  end(): Buffer {
    throw corrupt('uuencoded content without its end');
  }
}

/** Without the characters of a set at the end. A pattern for that is tried at every place, and takes the square of the time. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
