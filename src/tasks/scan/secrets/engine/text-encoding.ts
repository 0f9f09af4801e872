/** How an object's text is stored. Everything but UTF-16 is scanned as it stands: secrets are ASCII. */
export type TextEncoding = 'bytes' | 'utf16le' | 'utf16be';

const BOM_BYTES = 2;

/** The encoding that a byte-order mark announces, from the first two bytes of an object. */
export function encodingOf(head: Uint8Array): TextEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf16be';
  return 'bytes';
}

/** Where a byte of the scanned text stands in the object. */
export const sourceOffset = (encoding: TextEncoding, offset: number): number =>
  encoding === 'bytes' ? offset : BOM_BYTES + 2 * offset;

/** How many bytes of the object a stretch of scanned text takes. */
export const sourceLength = (encoding: TextEncoding, length: number): number =>
  encoding === 'bytes' ? length : 2 * length;

/**
 * Narrows UTF-16 to one byte per code unit, so that offsets stay a matter of arithmetic. A unit beyond ASCII becomes
 * 0xFF, which no pattern for a secret contains.
 */
export function narrowUtf16(bytes: Uint8Array, encoding: 'utf16le' | 'utf16be'): Buffer {
  const units = bytes.length >> 1;
  const narrow = Buffer.allocUnsafe(units);
  const low = encoding === 'utf16le' ? 0 : 1;
  for (let i = 0; i < units; i++) {
    const unit = bytes[2 * i + low]!;
    narrow[i] = bytes[2 * i + 1 - low] === 0 && unit < 128 ? unit : 0xff;
  }
  return narrow;
}
