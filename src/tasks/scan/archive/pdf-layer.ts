import { CannotUnpack, LayerCount } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import type { Content } from './content.js';
import { PDF_PACKED, unescaped } from './document-marks.js';
import { packingOf, unpackersOf } from './pdf-filters.js';
import type { Unpacker } from './unpacker.js';
import type { ArchiveWalk } from './walk.js';

const STREAM = Buffer.from('stream');
const KEYWORD = /^stream(?:[ \t\0\f]*(?:\r\n|\n|\r)|[ \t\0\f])/;
const END = Buffer.from('endstream');
const CLOSE = 0x3e;
// The longest dictionary that is looked at; what stands before it is only searched for filters.
const DICTIONARY_BYTES = 64 * 1024;
// Enough to know the start of the data: the keyword, blanks and a line's end.
const KEYWORD_BYTES = 32;
const MARK_BYTES = 64;
const KEPT_NOTES = 60;

/** One packed stream that is being read. */
interface OpenStream {
  readonly content: Content;
  readonly unpackers: readonly Unpacker[];
  readonly count: LayerCount;
}

/**
 * Shows what the packed streams of a PDF hold. Readers find them by tables at the end and by stated lengths, which may
 * lie; this goes through the bytes and takes whatever looks like a stream. A filter that stands anywhere else is said.
 */
export class PdfLayer implements ByteSink {
  private kept: Buffer = Buffer.alloc(0);
  /** What is kept holds no stream's beginning before this place: one that waits for the next chunk is not sought again. */
  private passed = 0;
  private isInStream = false;
  private open: OpenStream | undefined;
  private inBytes = 0;
  /** Bytes of the stream that are still to come by its own word, in which no end is looked for. */
  private statedBytes = 0;
  private streams = 0;
  private readonly notes: { path: string; error: CannotUnpack }[] = [];

  constructor(
    private readonly walk: ArchiveWalk,
    private readonly parent: Content,
    /** Known at the end only: then its streams are not corrupt but encrypted. */
    private readonly isEncrypted: () => boolean,
  ) {}

  async write(chunk: Buffer): Promise<void> {
    this.kept = this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk]);
    for (;;) {
      const goesOn = this.isInStream ? await this.inStream() : await this.inObjects();
      if (!goesOn) return;
    }
  }

  async end(): Promise<void> {
    // Room for a keyword that stands at the very end.
    await this.write(Buffer.alloc(KEYWORD_BYTES, ' '));
    if (this.isInStream) {
      await this.data(this.kept);
      this.note(this.parent.path, new CannotUnpack('corrupt', 'pdf: it ends inside a stream'));
      await this.finish();
    } else this.search(this.kept.toString('latin1'));
    this.kept = Buffer.alloc(0);
    if (this.isEncrypted()) return;
    for (const { path, error } of this.notes) this.walk.stopped(path, error);
  }

  abort(): void {
    for (const unpacker of this.open?.unpackers ?? []) unpacker.close();
    this.open?.content.abort();
    this.open = undefined;
    this.kept = Buffer.alloc(0);
  }

  /** @returns whether a stream begins */
  private async inObjects(): Promise<boolean> {
    const { kept } = this;
    let at = kept.indexOf(STREAM, this.passed);
    for (; at >= 0 && at + KEYWORD_BYTES <= kept.length; at = kept.indexOf(STREAM, at + 1)) {
      // Without a dictionary it is a word in a text; a filter in what follows is then found by the search.
      if (!endsDictionary(kept, at)) continue;
      const begins = KEYWORD.exec(kept.toString('latin1', at, at + KEYWORD_BYTES));
      if (begins === null) continue;
      this.passed = 0;
      await this.begin(kept.toString('latin1', 0, at));
      this.kept = kept.subarray(at + begins[0].length);
      return true;
    }
    this.passed = at >= 0 ? at : Math.max(0, kept.length - STREAM.length);
    if (kept.length > 2 * DICTIONARY_BYTES) {
      // Seen again from a little before, where a name may be cut.
      const done = kept.length - DICTIONARY_BYTES;
      this.search(kept.toString('latin1', 0, done + MARK_BYTES));
      this.kept = Buffer.from(kept.subarray(done));
      this.passed -= done;
    }
    return false;
  }

  private async begin(text: string): Promise<void> {
    this.isInStream = true;
    this.streams += 1;
    // Bounded, and never begun inside a number: what is tried at each place must not grow with the text.
    const objects = [...text.matchAll(/(?<!\d)(\d{1,10})\s{1,20}\d{1,10}\s{1,20}obj\b/g)];
    const last = objects.at(-1);
    const from = last?.index ?? 0;
    this.search(text.slice(0, from));
    const dictionary = unescaped(text.slice(from));
    // One that is too long takes in what follows, which is then no end of anything packed: corrupt.
    this.statedBytes = Number(/\/Length\s+(\d{1,15})\b(?!\s+\d+\s+R)/.exec(dictionary)?.[1] ?? 0);
    const name = `stream ${last?.[1] ?? `no. ${this.streams}`}`;
    let path = this.parent.path;
    try {
      path = this.parent.pathOf(name);
      const packing = packingOf(dictionary);
      if (packing === undefined) {
        this.search(text.slice(from));
        return;
      }
      const unpackers = unpackersOf(packing);
      // A picture in its own coding: its bytes are there for all to see.
      if (unpackers.length === 0) {
        this.search(dictionary.replace(packing.stated, ''));
        return;
      }
      this.walk.budget.member();
      this.inBytes = 0;
      const count = new LayerCount(this.walk.budget, () => this.inBytes);
      this.open = { content: this.parent.member(name), unpackers, count };
    } catch (error) {
      if (!(error instanceof CannotUnpack) || error === this.walk.budget.exhausted) throw error;
      this.note(path, error);
    }
  }

  /** @returns whether the stream ended */
  private async inStream(): Promise<boolean> {
    const { kept } = this;
    const at = kept.indexOf(END, this.statedBytes);
    // Part of the end mark may be in the next chunk, and part of a filter's name.
    const ready = at >= 0 ? at : Math.max(0, kept.length - MARK_BYTES);
    await this.data(kept.subarray(0, ready), kept.subarray(0, at >= 0 ? at : kept.length));
    this.kept = kept.subarray(at >= 0 ? at + END.length : ready);
    this.statedBytes = Math.max(0, this.statedBytes - ready);
    if (at < 0) return false;
    this.statedBytes = 0;
    await this.finish();
    return true;
  }

  private async data(bytes: Buffer, seen = bytes): Promise<void> {
    const { open } = this;
    if (open === undefined) {
      // Whoever reads otherwise than we do may find a filter here.
      this.search(seen.toString('latin1'));
      return;
    }
    this.inBytes += bytes.length;
    await this.orNote(open, async () => this.through(open, 0)(bytes));
  }

  private through({ content, unpackers, count }: OpenStream, at: number): (bytes: Buffer) => Promise<void> {
    const unpacker = unpackers[at];
    if (unpacker === undefined) return async (bytes) => content.write(bytes);
    const next = this.through({ content, unpackers, count }, at + 1);
    return async (bytes) =>
      unpacker.write(bytes, async (out) => {
        count.out(out.length);
        await next(out);
      });
  }

  private async finish(): Promise<void> {
    this.isInStream = false;
    const { open } = this;
    if (open === undefined) return;
    await this.orNote(open, async () => {
      for (const [at, unpacker] of open.unpackers.entries()) {
        const next = this.through(open, at + 1);
        await unpacker.end(async (out) => {
          open.count.out(out.length);
          await next(out);
        });
        unpacker.close();
      }
      this.open = undefined;
      await open.content.end();
    });
  }

  private async orNote(open: OpenStream, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const unpacker of open.unpackers) unpacker.close();
      this.open = undefined;
      if (!(error instanceof CannotUnpack)) {
        open.content.abort();
        throw error;
      }
      await open.content.breakOff();
      if (error === this.walk.budget.exhausted) throw error;
      this.note(open.content.path, error);
    }
  }

  private search(text: string): void {
    if (PDF_PACKED.test(unescaped(text))) {
      this.note(
        this.parent.path,
        new CannotUnpack('unsupported', 'pdf: a filter that is no stream of its own'),
      );
    }
  }

  private note(path: string, error: CannotUnpack): void {
    // clamd reads what we do not.
    if (error.reason === 'unsupported' && this.walk.visitor.readsDocuments === true) return;
    if (this.notes.length < KEPT_NOTES) this.notes.push({ path, error });
  }
}

/** Whether `>>` and at most some blanks stand before this place. */
function endsDictionary(bytes: Buffer, at: number): boolean {
  let end = at;
  while (end > 0 && at - end < MARK_BYTES - 2 && isBlank(bytes[end - 1] ?? 0)) end -= 1;
  return bytes[end - 1] === CLOSE && bytes[end - 2] === CLOSE;
}

/** What a pattern's `\s` is. */
const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xa0;
