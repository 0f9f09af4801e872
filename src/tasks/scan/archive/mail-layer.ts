import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import { MAIL_PART } from './embedded-marks.js';
import { Identity, Uuencode, type MailEncoding } from './mail-encodings.js';
import { encodingOf, isMime, parseHeader, type MailHeader } from './mail-header.js';
import type { ArchiveWalk } from './walk.js';

// A longer line is taken in pieces.
const LINE_BYTES = 64 * 1024;
const HEADER_BYTES = 256 * 1024;
const NESTED = 32;
const UU_BEGIN = /^begin(?:-base64)? [0-7]{3,4} (.+)$/;
const LF = 0x0a;

interface OpenPart {
  readonly content: Content;
  readonly encoding: MailEncoding;
  readonly count: LayerCount;
  /** A mail in the mail: what stands in it is for its own look. */
  readonly isMail: boolean;
}

/**
 * Shows the parts of a mail, or of the mails of a mailbox: what is attached, and text that is encoded. A mail in a mail is
 * a member that is itself looked into. What readers of mail could understand in more than one way is said.
 */
export class MailLayer implements ByteSink {
  private kept: Buffer = Buffer.alloc(0);
  /** The line that is taken was begun in an earlier piece. */
  private isCut = false;
  private header: string | undefined = '';
  private readonly boundaries: string[] = [];
  private readonly digests = new Set<string>();
  private part: OpenPart | undefined;
  private uu: OpenPart | undefined;
  private parts = 0;
  private inBytes = 0;
  private isMailbox: boolean | undefined;
  private isAfterEmpty = true;
  private hasNotedStray = false;

  constructor(
    private readonly walk: ArchiveWalk,
    private readonly parent: Content,
  ) {}

  async write(chunk: Buffer): Promise<void> {
    this.inBytes += chunk.length;
    this.kept = this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk]);
    let from = 0;
    for (let at = this.kept.indexOf(LF); at >= 0; at = this.kept.indexOf(LF, from)) {
      await this.pieces(this.kept.subarray(from, at), true);
      from = at + 1;
    }
    while (this.kept.length - from > LINE_BYTES) {
      await this.line(this.kept.subarray(from, from + LINE_BYTES), false);
      from += LINE_BYTES;
    }
    this.kept = Buffer.from(this.kept.subarray(from));
  }

  async end(): Promise<void> {
    if (this.kept.length > 0) await this.pieces(this.kept, true);
    this.kept = Buffer.alloc(0);
    await this.endMail();
  }

  abort(): void {
    this.part?.content.abort();
    this.uu?.content.abort();
    this.part = undefined;
    this.uu = undefined;
    this.kept = Buffer.alloc(0);
  }

  /** The same pieces of a long line however its bytes came. */
  private async pieces(line: Buffer, isEnd: boolean): Promise<void> {
    let rest = line;
    for (; rest.length > LINE_BYTES; rest = rest.subarray(LINE_BYTES))
      await this.line(rest.subarray(0, LINE_BYTES), false);
    await this.line(rest, isEnd);
  }

  private async line(raw: Buffer, isEnd: boolean): Promise<void> {
    const isStart = !this.isCut;
    this.isCut = !isEnd;
    const line = isEnd && raw.at(-1) === 0x0d ? raw.subarray(0, -1) : raw;
    if (isStart && (await this.isBetween(line))) return;
    if (this.header !== undefined) await this.inHeader(line, isEnd);
    else await this.inBody(line, isStart, isEnd);
    this.isAfterEmpty = line.length === 0;
  }

  /** Lines that part mails and parts. */
  private async isBetween(line: Buffer): Promise<boolean> {
    if (this.isAfterEmpty && line.subarray(0, 5).toString('latin1') === 'From ') {
      // Only a mailbox begins so.
      this.isMailbox ??= true;
      if (this.isMailbox) {
        await this.endMail();
        this.header = '';
        return true;
      }
    }
    if (line.length > 0) this.isMailbox ??= false;
    if (line[0] !== 0x2d || line[1] !== 0x2d || this.boundaries.length === 0) return false;
    const text = line.toString('latin1').trimEnd();
    const level = this.boundaries.findLastIndex(
      (boundary) => text === `--${boundary}` || text === `--${boundary}--`,
    );
    if (level < 0) return false;
    if (this.header !== undefined && this.header !== '') this.stray();
    this.header = undefined;
    await this.closePart();
    const isLast = text !== `--${this.boundaries[level]}`;
    this.boundaries.length = isLast ? level : level + 1;
    if (!isLast) this.header = '';
    return true;
  }

  private async inHeader(line: Buffer, isEnd: boolean): Promise<void> {
    const text = line.toString('latin1');
    if (text !== '' || !isEnd) {
      this.header = `${this.header}${text}${isEnd ? '\r\n' : ''}`;
      if (this.header.length <= HEADER_BYTES) return;
      if (isMime(this.header)) throw new CannotUnpack('limit', 'mail: a header that is too long');
      // A text of names and values, and no mail at all.
      this.header = undefined;
      return;
    }
    // Empty lines before the first mail are not the end of a header.
    if (this.header === '' && this.boundaries.length === 0) return;
    const header = this.header ?? '';
    this.header = undefined;
    await this.openPart(parseHeader(header, this.usualType()));
  }

  /** Of a part that does not say. */
  private usualType(): string {
    return this.digests.has(this.boundaries.at(-1) ?? '') ? 'message/rfc822' : 'text/plain';
  }

  private async openPart(header: MailHeader): Promise<void> {
    const { walk } = this;
    this.parts += 1;
    if (header.boundary !== undefined) {
      if (this.boundaries.length >= NESTED)
        throw new CannotUnpack('limit', `mail: parts nested over ${NESTED} deep`);
      if (this.boundaries.includes(header.boundary))
        throw new CannotUnpack('corrupt', 'mail: a boundary used twice');
      if (!['7bit', '8bit', 'binary', ''].includes(header.encoding)) {
        throw new CannotUnpack('corrupt', 'mail: its parts are encoded as a whole');
      }
      if (header.type === 'multipart/encrypted')
        walk.note(this.parent.path, 'encrypted', 'a mail that is encrypted');
      this.boundaries.push(header.boundary);
      if (header.type === 'multipart/digest') this.digests.add(header.boundary);
      return;
    }
    const isMail = header.type === 'message/rfc822' || header.type === 'message/global';
    const name = header.name ?? (isMail ? `part ${this.parts}.eml` : `part ${this.parts}`);
    const path = this.parent.pathOf(name);
    if (/^application\/(x-)?pkcs7-mime$/.test(header.type)) {
      const isSealed = header.smimeType !== 'signed-data';
      walk.note(path, isSealed ? 'encrypted' : 'unsupported', 'a part in S/MIME');
    }
    if (header.type === 'message/partial')
      walk.note(path, 'unsupported', 'a part of a mail that came in pieces');
    let encoding: MailEncoding;
    try {
      encoding = encodingOf(header);
    } catch (error) {
      walk.stopped(path, error);
      return;
    }
    const isPlain =
      ['7bit', '8bit', 'binary', ''].includes(header.encoding) || header.encoding.includes('uu');
    // Text as it stands is there for all to see.
    if (isPlain && !isMail && header.type.startsWith('text/')) return;
    walk.budget.member();
    this.part = this.opened(name, encoding, isMail);
  }

  private opened(name: string, encoding: MailEncoding, isMail = false): OpenPart {
    const count = new LayerCount(this.walk.budget, () => this.inBytes);
    return { content: this.parent.member(name), encoding, count, isMail };
  }

  private async inBody(line: Buffer, isStart: boolean, isEnd: boolean): Promise<void> {
    // A header to somebody, where we see content; a member that is shown as it stands is looked at by itself.
    const isShown = this.part?.encoding instanceof Identity;
    if (!isShown && line.length < 1024 && MAIL_PART.test(`\n${line.toString('latin1')}`)) this.stray();
    if (this.uu !== undefined) {
      await this.inUuencode(this.uu, line, isEnd);
      return;
    }
    const begin =
      isStart && line[0] === 0x62 && line.length < 1024 ? UU_BEGIN.exec(line.toString('latin1')) : null;
    if (begin !== null && this.part?.isMail !== true) {
      this.walk.budget.member();
      if (line.toString('latin1').startsWith('begin-base64')) {
        this.walk.note(this.parent.path, 'unsupported', 'mail: base64 between begin and end');
        return;
      }
      this.uu = this.opened(begin[1] ?? '', new Uuencode());
      return;
    }
    const { part } = this;
    if (part !== undefined)
      await this.orNote(part, async () => this.give(part, part.encoding.line(line, !isEnd)));
  }

  private async inUuencode(part: OpenPart, line: Buffer, isEnd: boolean): Promise<void> {
    if (line.toString('latin1', 0, 8).trimEnd() === 'end') {
      this.uu = undefined;
      await part.content.end();
      return;
    }
    await this.orNote(part, async () => this.give(part, part.encoding.line(line, !isEnd)));
  }

  private async give({ content, count }: OpenPart, bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    count.out(bytes.length);
    await content.write(bytes);
  }

  private async closePart(): Promise<void> {
    for (const part of [this.uu, this.part]) {
      if (part === undefined) continue;
      await this.orNote(part, async () => {
        await this.give(part, part.encoding.end());
        if (this.uu === part) this.uu = undefined;
        else this.part = undefined;
        await part.content.end();
      });
    }
  }

  private async endMail(): Promise<void> {
    const { header } = this;
    this.header = undefined;
    // A mail may be nothing but its header; one that has parts may not.
    if (header !== undefined && header !== '') {
      const { boundary } = parseHeader(header, this.usualType());
      if (boundary !== undefined || this.boundaries.length > 0)
        this.walk.note(this.parent.path, 'corrupt', 'mail: it ends in a header');
    }
    await this.closePart();
    if (this.boundaries.length > 0) {
      this.walk.note(this.parent.path, 'corrupt', 'mail: it ends before its last boundary');
      this.boundaries.length = 0;
    }
  }

  private async orNote(part: OpenPart, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.uu === part) this.uu = undefined;
      else this.part = undefined;
      if (!(error instanceof CannotUnpack)) {
        part.content.abort();
        throw error;
      }
      await part.content.breakOff();
      if (error === this.walk.budget.exhausted) throw error;
      this.walk.stopped(part.content.path, error);
    }
  }

  private stray(): void {
    if (this.hasNotedStray || this.walk.visitor.readsDocuments === true) return;
    this.hasNotedStray = true;
    this.walk.note(this.parent.path, 'unsupported', 'mail: an encoded part outside of its parts');
  }
}
