import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import { MAIL_PART } from './embedded-marks.js';
import { Uuencode, type MailEncoding } from './mail-encodings.js';
import { encodingOf, isMime, parseHeader, type MailHeader } from './mail-header.js';
import { MailPart } from './mail-part.js';
import type { ArchiveWalk } from './walk.js';

// A longer line is taken in pieces.
const LINE_BYTES = 64 * 1024;
const HEADER_BYTES = 256 * 1024;
const NESTED = 32;
const UU_BEGIN = /^begin(?:-base64)? [0-7]{2,6}(?: (.*))?$/;
const SHORTEST_MAIL_PART = 'content-transfer-encoding:base64'.length;
const EMPTY: Buffer = Buffer.alloc(0);
const [LF, CR, DASH] = [0x0a, 0x0d, 0x2d];

/** A line that parts mails, or the parts of one: at which of the boundaries, and whether it is that one's last. */
type Separator = 'mail' | { readonly level: number; readonly isLast: boolean };

/**
 * Shows the parts of a mail, or of the mails of a mailbox: what is attached, and text that is encoded. A mail in a mail is
 * a member that is itself looked into. What readers of mail could understand in more than one way is said.
 *
 * A mail may be a million lines of one byte, so a line that ends nothing is taken without waiting for anything.
 */
export class MailLayer implements ByteSink {
  private kept: Buffer = Buffer.alloc(0);
  /** The line that is taken was begun in an earlier piece. */
  private isCut = false;
  private header: string | undefined = '';
  private readonly boundaries: string[] = [];
  private readonly digests = new Set<string>();
  private part: MailPart | undefined;
  private uu: MailPart | undefined;
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
    for (let at = this.lineEnd(from); at >= 0; at = this.lineEnd(from)) {
      const work = this.wholeLine(at === from ? EMPTY : this.kept.subarray(from, at));
      if (work !== undefined) await work;
      from = at + 1;
    }
    while (this.kept.length - from > LINE_BYTES) {
      await this.line(this.kept.subarray(from, from + LINE_BYTES), false);
      from += LINE_BYTES;
    }
    this.kept = Buffer.from(this.kept.subarray(from));
  }

  async end(): Promise<void> {
    if (this.kept.length > 0) await this.wholeLine(this.kept);
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

  private lineEnd(from: number): number {
    // An empty line is not worth a search.
    return this.kept[from] === LF ? from : this.kept.indexOf(LF, from);
  }

  private wholeLine(line: Buffer): Promise<void> | undefined {
    return line.length > LINE_BYTES ? this.pieces(line) : this.line(line, true);
  }

  /** The same pieces of a long line however its bytes came. */
  private async pieces(line: Buffer): Promise<void> {
    let rest = line;
    for (; rest.length > LINE_BYTES; rest = rest.subarray(LINE_BYTES))
      await this.line(rest.subarray(0, LINE_BYTES), false);
    await this.line(rest, true);
  }

  /** @returns what is to be waited for, if anything */
  private line(raw: Buffer, isEnd: boolean): Promise<void> | undefined {
    const isStart = !this.isCut;
    this.isCut = !isEnd;
    const line = isEnd && raw.at(-1) === CR ? raw.subarray(0, -1) : raw;
    const separator = isStart ? this.separator(line) : undefined;
    if (separator !== undefined) return this.goOn(separator);
    this.isAfterEmpty = line.length === 0;
    if (this.header === undefined) return this.inBody(line, isStart, isEnd);
    this.inHeader(line, isEnd);
    return undefined;
  }

  private separator(line: Buffer): Separator | undefined {
    if (this.isAfterEmpty && line.length >= 5 && line.toString('latin1', 0, 5) === 'From ') {
      // Only a mailbox begins so.
      this.isMailbox ??= true;
      if (this.isMailbox) return 'mail';
    }
    if (line.length > 0) this.isMailbox ??= false;
    if (line[0] !== DASH || line[1] !== DASH || this.boundaries.length === 0) return undefined;
    const boundary = line.toString('latin1', 2).trimEnd();
    const ended = boundary.endsWith('--') ? boundary.slice(0, -2) : undefined;
    const level = this.boundaries.findLastIndex((known) => known === boundary || known === ended);
    return level < 0 ? undefined : { level, isLast: this.boundaries[level] !== boundary };
  }

  private async goOn(separator: Separator): Promise<void> {
    if (separator === 'mail') {
      await this.endMail();
      this.header = '';
      return;
    }
    if (this.header !== undefined && this.header !== '') this.stray();
    this.header = undefined;
    await this.closePart();
    const { level, isLast } = separator;
    this.boundaries.length = isLast ? level : level + 1;
    if (!isLast) this.header = '';
  }

  private inHeader(line: Buffer, isEnd: boolean): void {
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
    this.openPart(parseHeader(header, this.usualType()));
  }

  /** Of a part that does not say. */
  private usualType(): string {
    return this.digests.has(this.boundaries.at(-1) ?? '') ? 'message/rfc822' : 'text/plain';
  }

  private openPart(header: MailHeader): void {
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

  private opened(name: string, encoding: MailEncoding, isMail = false): MailPart {
    const count = new LayerCount(this.walk.budget, () => this.inBytes);
    return new MailPart(this.parent.member(name), encoding, count, isMail);
  }

  private inBody(line: Buffer, isStart: boolean, isEnd: boolean): Promise<void> | undefined {
    // A header to somebody, where we see content; a member that is shown as it stands is looked at by itself.
    const mayBeHeader = line.length >= SHORTEST_MAIL_PART && line.length < 1024;
    if (mayBeHeader && this.part?.isAsItStands !== true && MAIL_PART.test(`\n${line.toString('latin1')}`))
      this.stray();
    if (this.uu !== undefined) return this.inUuencode(this.uu, line, isEnd);
    const begin =
      isStart && line[0] === 0x62 && line.length < 1024 ? UU_BEGIN.exec(line.toString('latin1')) : null;
    if (begin !== null && this.part?.isMail !== true) {
      this.walk.budget.member();
      if (line.toString('latin1').startsWith('begin-base64')) {
        this.walk.note(this.parent.path, 'unsupported', 'mail: base64 between begin and end');
        return undefined;
      }
      this.uu = this.opened(begin[1] ?? '', new Uuencode());
      return undefined;
    }
    return this.part === undefined ? undefined : this.inPart(this.part, line, isEnd);
  }

  private inUuencode(part: MailPart, line: Buffer, isEnd: boolean): Promise<void> | undefined {
    if (line.toString('latin1', 0, 8).trimEnd() !== 'end') return this.inPart(part, line, isEnd);
    this.uu = undefined;
    return this.orNote(part, async () => {
      await part.flush();
      await part.content.end();
    });
  }

  private inPart(part: MailPart, line: Buffer, isEnd: boolean): Promise<void> | undefined {
    try {
      return part.take(line, !isEnd) ? this.orNote(part, async () => part.flush()) : undefined;
    } catch (error) {
      return this.giveUp(part, error);
    }
  }

  private async closePart(): Promise<void> {
    for (const part of [this.uu, this.part]) {
      if (part === undefined) continue;
      await this.orNote(part, async () => {
        await part.end();
        this.forget(part);
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

  private async orNote(part: MailPart, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.giveUp(part, error);
    }
  }

  /** What came of it is looked at, the rest is noted. */
  private async giveUp(part: MailPart, error: unknown): Promise<void> {
    this.forget(part);
    if (!(error instanceof CannotUnpack)) {
      part.content.abort();
      throw error;
    }
    try {
      await part.flush();
    } catch (worse) {
      // Nothing is left to flush then.
      return this.giveUp(part, worse);
    }
    await part.content.breakOff();
    if (error === this.walk.budget.exhausted) throw error;
    this.walk.stopped(part.content.path, error);
  }

  private forget(part: MailPart): void {
    if (this.uu === part) this.uu = undefined;
    if (this.part === part) this.part = undefined;
  }

  private stray(): void {
    if (this.hasNotedStray || this.walk.visitor.readsDocuments === true) return;
    this.hasNotedStray = true;
    this.walk.note(this.parent.path, 'unsupported', 'mail: an encoded part outside of its parts');
  }
}
