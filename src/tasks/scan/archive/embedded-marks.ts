/** The start of something packed, wherever it stands. Long enough, or checked closely enough, not to appear by chance. */
interface Mark {
  readonly name: string;
  readonly start: Buffer;
  readonly isReally?: (bytes: Buffer, at: number) => boolean;
}

const METHODS_OF_ZIP = new Set([0, 8, 9, 12, 14, 93, 95, 98, 99]);
const LINE_END = /^[\r\n]$/;
const BZIP2 = /^BZh[1-9]$/;

// Programs that pack and unpack hold the marks themselves; what must follow one tells them from content.
const MARKS: readonly Mark[] = [
  {
    name: '7z',
    start: Buffer.from('377abcaf271c', 'hex'),
    isReally: (bytes, at) => bytes[at + 6] === 0 && (bytes[at + 7] ?? 255) < 16,
  },
  {
    name: 'rar',
    start: Buffer.from('526172211a07', 'hex'),
    isReally: (bytes, at) => bytes[at + 6] === 0 || (bytes[at + 6] === 1 && bytes[at + 7] === 0),
  },
  {
    name: 'xz',
    start: Buffer.from('fd377a585a00', 'hex'),
    isReally: (bytes, at) => bytes[at + 6] === 0 && (bytes[at + 7] ?? 255) < 16,
  },
  { name: 'cab', start: Buffer.from('4d53434600000000', 'hex') },
  {
    name: 'yEnc',
    start: Buffer.from('=ybegin '),
    // At the start of a line, and with what each has.
    isReally: (bytes, at) =>
      LINE_END.test(bytes.toString('latin1', at - 1, at)) &&
      /^(part|line)=\d/.test(bytes.toString('latin1', at + 8, at + 20)),
  },
  {
    name: 'bzip2',
    // The number pi at the start of each block.
    start: Buffer.from('314159265359', 'hex'),
    isReally: (bytes, at) => BZIP2.test(bytes.toString('latin1', Math.max(0, at - 4), at)),
  },
  {
    name: 'gzip',
    start: Buffer.from('1f8b08', 'hex'),
    // Known flags, one of the three levels, a known system.
    isReally: (bytes, at) => {
      const [flags = 255, level = 255, system = 255] = [bytes[at + 3], bytes[at + 8], bytes[at + 9]];
      return flags < 32 && [0, 2, 4].includes(level) && (system < 14 || system === 255);
    },
  },
  {
    name: 'zip',
    start: Buffer.from('504b0304', 'hex'),
    isReally: (bytes, at) =>
      (bytes[at + 4] ?? 255) <= 63 &&
      METHODS_OF_ZIP.has(bytes.readUInt16LE(at + 8)) &&
      bytes.readUInt16LE(at + 26) > 0 &&
      (bytes[at + 30] ?? 0) >= 0x20,
  },
];

// The longest look at one mark.
const LOOK_BYTES = 31;
// Where a CD's or DVD's file system says what it is.
const ISO = Buffer.from('CD001');
const ISO_AT = 32_769;
/** A header of something encoded, at the start of a line. */
export const MAIL_PART = /[\r\n]content-transfer-encoding:[ \t]*(base64|quoted-printable|x-uuencode)/i;
// Looked at again on both sides of where two chunks meet: no line of a mail is longer (RFC 5322: 998 bytes).
const OVERLAP_BYTES = 1024;

/** What stands in one chunk, whatever stands around it. */
interface Seen {
  readonly names: readonly string[];
  readonly hasMailParts: boolean;
}

// Both scanners of an object are shown the same chunks; what they hold is the same.
const SEEN = new WeakMap<Buffer, Seen>();

/**
 * Watches content that is no container for one that stands inside: self-extracting archives, shell installers, disk
 * images, firmware, attachments of mails. Their readers open them; we do not, and must not pass over them in silence.
 */
export class EmbeddedMarks {
  /** Names of what was seen. */
  readonly found = new Set<string>();
  hasMailParts = false;
  // Where the bytes begin, a line begins.
  private before: Buffer = Buffer.from('\n');
  private passed = 0;

  /** @param chunk is not changed afterwards. */
  push(chunk: Buffer): void {
    this.add(seenOnce(chunk));
    const edge = Buffer.concat([this.before, chunk.subarray(0, OVERLAP_BYTES)]);
    this.add(look(edge));
    const iso = ISO_AT - this.passed;
    if (iso > -ISO.length && iso < chunk.length) this.lookForIso(chunk, iso);
    this.passed += chunk.length;
    const tail = chunk.length >= OVERLAP_BYTES ? chunk : edge;
    this.before = Buffer.from(tail.subarray(-OVERLAP_BYTES));
  }

  private add({ names, hasMailParts }: Seen): void {
    for (const name of names) this.found.add(name);
    this.hasMailParts ||= hasMailParts;
  }

  private lookForIso(chunk: Buffer, at: number): void {
    const seen = Buffer.concat([this.before, chunk.subarray(0, Math.max(0, at) + ISO.length)]);
    const from = this.before.length + at;
    if (seen.subarray(from, from + ISO.length).equals(ISO)) this.found.add('iso');
  }
}

function seenOnce(chunk: Buffer): Seen {
  const known = SEEN.get(chunk);
  if (known !== undefined) return known;
  const seen = look(chunk);
  SEEN.set(chunk, seen);
  return seen;
}

function look(bytes: Buffer): Seen {
  return {
    names: MARKS.filter((mark) => holds(bytes, mark)).map(({ name }) => name),
    // The cheap search first.
    hasMailParts: holdsEncoding(bytes) && MAIL_PART.test(bytes.toString('latin1')),
  };
}

function holds(bytes: Buffer, { start, isReally }: Mark): boolean {
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1)) {
    // One that is cut off is seen again with the next chunk, or is too short to be anything.
    if (at + LOOK_BYTES <= bytes.length && (isReally?.(bytes, at) ?? true)) return true;
  }
  return false;
}

// The end of `Content-Transfer-Encoding:`, whose case is anybody's choice.
const ENCODING = '-encoding:';
/** By a byte: how far the end of a match must lie beyond it at least (Horspool), 0 for what may be its end. */
const SKIPS = new Uint8Array(256).fill(ENCODING.length);
for (const text of [ENCODING, ENCODING.toUpperCase()])
  for (const [at, byte] of Buffer.from(text).entries()) SKIPS[byte] = ENCODING.length - 1 - at;

/** Looks at every tenth byte or so, whatever the content is. */
function holdsEncoding(bytes: Buffer): boolean {
  const last = ENCODING.length - 1;
  for (let end = last; end < bytes.length;) {
    const skip = SKIPS[bytes[end] ?? 0] ?? 1;
    if (skip > 0) end += skip;
    else if (bytes.toString('latin1', end - last, end + 1).toLowerCase() === ENCODING) return true;
    else end += 1;
  }
  return false;
}
