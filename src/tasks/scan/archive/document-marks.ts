const OLE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const PDF = Buffer.from('%PDF-');
// An Office document with a password is an OLE file with a stream of this name.
const OLE_ENCRYPTED = Buffer.from('EncryptedPackage', 'utf16le');
// Macros are packed.
const OLE_MACROS = Buffer.from('_VBA_PROJECT', 'utf16le');
const OVERLAP_BYTES = 64;

/** Filters that pack a PDF's text; pictures (DCTDecode and the like) hold none. */
export const PDF_PACKED =
  /\/(FlateDecode|LZWDecode|ASCII85Decode|ASCIIHexDecode|RunLengthDecode|Fl|LZW|A85|AHx|RL)\b/;

/** Watches documents whose format says in clear that the content is encrypted, or packed in a way we do not unpack. */
export class DocumentMarks {
  isEncrypted = false;
  isPacked = false;
  private before: Buffer = Buffer.alloc(0);

  private constructor(readonly format: 'Office document' | 'PDF') {}

  /** `undefined` for what is neither an OLE file nor a PDF. */
  static for(head: Buffer): DocumentMarks | undefined {
    if (head.subarray(0, OLE.length).equals(OLE)) return new DocumentMarks('Office document');
    // Readers accept a PDF whose header stands anywhere in the first kilobyte.
    if (head.subarray(0, 1024).includes(PDF)) return new DocumentMarks('PDF');
    return undefined;
  }

  push(chunk: Buffer): void {
    const seen = Buffer.concat([this.before, chunk]);
    if (this.format === 'PDF') this.lookAtPdf(seen);
    else {
      this.isEncrypted ||= seen.includes(OLE_ENCRYPTED);
      this.isPacked ||= seen.includes(OLE_MACROS);
    }
    this.before = Buffer.from(seen.subarray(-OVERLAP_BYTES));
  }

  private lookAtPdf(seen: Buffer): void {
    if (this.isEncrypted && this.isPacked) return;
    const text = unescaped(seen.toString('latin1'));
    this.isEncrypted ||= /\/Encrypt\s*(\d+\s+\d+\s+R|<<)/.test(text);
    this.isPacked ||= PDF_PACKED.test(text);
  }
}

/** Any letter of a PDF's name may be written as its number. */
export const unescaped = (text: string): string =>
  text.includes('#')
    ? text.replaceAll(/#([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
