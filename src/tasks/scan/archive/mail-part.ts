import type { LayerCount } from './budget.js';
import type { Content } from './content.js';
import { Gathered } from './gathered.js';
import { Identity, type MailEncoding } from './mail-encodings.js';

// What is shown at once: whoever looks at it pays for each piece, and a line may be nothing but its end.
const SHOWN_BYTES = 16 * 1024;

/** One part of a mail that is being shown, line by line. */
export class MailPart {
  private readonly gathered = new Gathered();

  constructor(
    readonly content: Content,
    private readonly encoding: MailEncoding,
    private readonly count: LayerCount,
    /** A mail in the mail: what stands in it is for its own look. */
    readonly isMail = false,
  ) {}

  /** Its bytes are those of the mail. */
  get isAsItStands(): boolean {
    return this.encoding instanceof Identity;
  }

  /** @param isCut the line goes on in the next call. @returns whether it is time to flush. @throws CannotUnpack */
  take(line: Buffer, isCut: boolean): boolean {
    this.encoding.line(line, isCut, this.gathered);
    return this.gathered.length >= SHOWN_BYTES;
  }

  /** Shows what was gathered. @throws CannotUnpack */
  async flush(): Promise<void> {
    if (this.gathered.length === 0) return;
    const bytes = this.gathered.take();
    this.count.out(bytes.length);
    await this.content.write(bytes);
  }

  /** @throws CannotUnpack */
  async end(): Promise<void> {
    this.encoding.end(this.gathered);
    await this.flush();
  }
}
