const OLE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const PDF = Buffer.from('%PDF-');
// An Office document with a password is an OLE file with a stream of this name.
const OLE_ENCRYPTED = Buffer.from('EncryptedPackage', 'utf16le');
const OVERLAP_BYTES = 64;

/** Watches documents whose format says in clear that the content is encrypted. */
export class DocumentMarks {
  isEncrypted = false;
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
    if (this.isEncrypted) return;
    const seen = Buffer.concat([this.before, chunk]);
    this.isEncrypted =
      this.format === 'PDF'
        ? seen.includes('/Encrypt') && /\/Encrypt\s*(\d+\s+\d+\s+R|<<)/.test(seen.toString('latin1'))
        : seen.includes(OLE_ENCRYPTED);
    this.before = Buffer.from(seen.subarray(-OVERLAP_BYTES));
  }
}
