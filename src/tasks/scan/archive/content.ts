import type { SpoolFile } from '../../../s3/spool.js';
import { CannotUnpack } from './budget.js';
import type { ByteSink } from './byte-sink.js';
import { Bzip2Unpacker } from './bzip2-unpacker.js';
import { DocumentMarks } from './document-marks.js';
import { EmbeddedMarks } from './embedded-marks.js';
import { GzipUnpacker } from './gzip-unpacker.js';
import { looksLikeMail } from './mail-header.js';
import { MailLayer } from './mail-layer.js';
import { shownName } from './member-name.js';
import { PackedLayer } from './packed-layer.js';
import { PdfLayer } from './pdf-layer.js';
import { SNIFF_BYTES, sniffContainer, type Container } from './sniff.js';
import { TailWatch } from './tail-watch.js';
import { TarLayer } from './tar-layer.js';
import type { ArchiveWalk, Within } from './walk.js';
import { ZipLayer } from './zip-layer.js';
import { ZstdUnpacker } from './zstd-unpacker.js';

// A PDF's header may end here (its reader's first kilobyte), and a mail shows itself.
const EARLY_BYTES = 1024 + 5;

/** Where some bytes stand in the tree. */
interface Place {
  /** Of a member: that of what it is in, and its name. So it is at every level, also that of the tar inside a tgz. */
  readonly path: string;
  readonly depth: number;
  /** Of a member: what its container calls it, and what that is. */
  readonly name: string;
  readonly within?: Within;
}

/**
 * The bytes of the object or of one member: shown to the visitor, and opened when they are a container.
 *
 * A failure to unpack ends only the looking inside; the visitor still sees every byte.
 */
export class Content implements ByteSink {
  private early: Buffer[] = [];
  private earlyBytes = 0;
  private isDecided = false;
  private container: Container | undefined;
  private visitor: ByteSink | undefined;
  private layer: ByteSink | undefined;
  private spool: SpoolFile | 'full' | undefined;
  private readonly tail = new TailWatch();
  private marks: DocumentMarks | undefined;
  private embedded: EmbeddedMarks | undefined;

  private constructor(
    private readonly walk: ArchiveWalk,
    private readonly place: Place,
  ) {}

  static root(walk: ArchiveWalk): Content {
    const path = walk.options.name;
    return new Content(walk, { path, depth: 0, name: path });
  }

  /** A member called `name` of this container. @throws CannotUnpack for a path that is too long */
  member(name: string): Content {
    const path = this.pathOf(name);
    const { within } = this;
    return new Content(this.walk, { path, depth: this.place.depth + 1, name, within });
  }

  /** What a compressed file unpacks to. */
  unzipped(): Content {
    const { within, place } = this;
    const name = unzippedName(place.name);
    const path = this.pathOf(name);
    return new Content(this.walk, { path, depth: place.depth + 1, name, within });
  }

  /** What its members are in. */
  private get within(): Within {
    const { container, marks } = this;
    if (container !== undefined && container.kind !== 'opaque') return container.kind;
    return marks?.format === 'PDF' ? 'pdf' : 'mail';
  }

  pathOf(name: string): string {
    const path = `${this.place.path}!${shownName(name)}`;
    const { pathLength } = this.walk.budget.limits;
    if (path.length > pathLength) {
      throw new CannotUnpack('limit', `a member's path is longer than ${pathLength} characters`);
    }
    return path;
  }

  get path(): string {
    return this.place.path;
  }

  provideSpool(spool: SpoolFile | 'full' | undefined): void {
    this.spool = spool;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.isDecided) return this.pass(chunk);
    this.early.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes >= EARLY_BYTES) await this.decide();
  }

  async end(): Promise<void> {
    if (!this.isDecided) await this.decide();
    await this.visitor?.end();
    this.visitor = undefined;
    this.lastLook();
    const layer = this.layer;
    this.layer = undefined;
    if (layer === undefined) return;
    try {
      if (layer instanceof ZipLayer && this.spool !== undefined) layer.provide(this.spool);
      await layer.end();
    } catch (error) {
      layer.abort();
      this.walk.stopped(this.path, error);
    }
  }

  /** The container broke off inside or behind these bytes: what came is looked at, the container notes the rest. */
  async breakOff(): Promise<void> {
    if (!this.isDecided) await this.decide();
    await this.visitor?.end();
    this.visitor = undefined;
    const { layer, walk } = this;
    this.layer = undefined;
    if (layer === undefined) return;
    try {
      if (walk.budget.exhausted === undefined) await layer.end();
      else layer.abort();
    } catch (error) {
      layer.abort();
      if (!(error instanceof CannotUnpack)) throw error;
    }
  }

  abort(): void {
    this.visitor?.abort();
    this.visitor = undefined;
    this.dropLayer();
    this.early = [];
  }

  private dropLayer(): void {
    this.layer?.abort();
    this.layer = undefined;
  }

  private async decide(): Promise<void> {
    this.isDecided = true;
    const [first = Buffer.alloc(0)] = this.early;
    const early = this.early.length > 1 ? Buffer.concat(this.early) : first;
    this.early = [];
    this.container = sniffContainer(early.subarray(0, SNIFF_BYTES));
    this.marks = DocumentMarks.for(early);
    if (this.container === undefined) this.embedded = new EmbeddedMarks();
    const { path, name, within, depth } = this.place;
    if (within !== undefined)
      this.visitor = await this.walk.visitor.open({ path, name, within, depth, container: this.container });
    try {
      this.layer = this.openLayer(early);
    } catch (error) {
      this.walk.stopped(path, error);
    }
    if (early.length > 0) await this.pass(early);
  }

  private openLayer(early: Buffer): ByteSink | undefined {
    const { container, walk, place } = this;
    if (container === undefined) return this.openDocument(early);
    const { kind } = container;
    if (kind === 'opaque') {
      if (container.isEncrypted === true) walk.note(place.path, 'encrypted', container.name);
      else walk.note(place.path, 'unsupported', `${container.name} is not opened`);
      return undefined;
    }
    if (place.depth >= walk.budget.limits.depth) {
      walk.note(place.path, 'limit', `nested deeper than ${walk.budget.limits.depth} levels`);
      return undefined;
    }
    switch (kind) {
      case 'gzip':
        return new PackedLayer(walk, this, new GzipUnpacker());
      case 'bzip2':
        return new PackedLayer(walk, this, new Bzip2Unpacker(walk.budget));
      case 'zstd':
        return new PackedLayer(walk, this, new ZstdUnpacker(walk.budget));
      case 'tar':
        return new TarLayer(walk, this);
      case 'zip':
        // The object itself is spooled by whoever reads it; members are spooled here.
        return new ZipLayer(walk, this, place.depth === 0);
      default:
        return kind satisfies never;
    }
  }

  private openDocument(early: Buffer): ByteSink | undefined {
    const { walk, place, marks } = this;
    const isMail = marks === undefined && looksLikeMail(early.subarray(0, EARLY_BYTES));
    if (marks?.format !== 'PDF' && !isMail) return undefined;
    if (place.depth >= walk.budget.limits.depth) {
      walk.note(place.path, 'limit', `nested deeper than ${walk.budget.limits.depth} levels`);
      return undefined;
    }
    return marks === undefined
      ? new MailLayer(walk, this)
      : new PdfLayer(walk, this, () => marks.isEncrypted);
  }

  private async pass(chunk: Buffer): Promise<void> {
    this.tail.push(chunk);
    this.marks?.push(chunk);
    this.embedded?.push(chunk);
    await this.visitor?.write(chunk);
    if (this.layer === undefined) return;
    try {
      await this.layer.write(chunk);
    } catch (error) {
      this.dropLayer();
      this.walk.stopped(this.path, error);
    }
  }

  /** What only the end of the bytes, or all of them, can tell. */
  private lastLook(): void {
    if (this.marks?.isEncrypted === true) {
      this.walk.note(this.path, 'encrypted', `${this.marks.format} with a password`);
    }
    const isUnread = this.marks?.isPacked === true && !(this.layer instanceof PdfLayer);
    if (isUnread && this.walk.visitor.readsDocuments !== true) {
      this.walk.note(this.path, 'unsupported', `the packed text of a ${this.marks?.format} is not read`);
    }
    const hasUnreadParts = this.embedded?.hasMailParts === true && !(this.layer instanceof MailLayer);
    if (hasUnreadParts && this.walk.visitor.readsDocuments !== true) {
      this.walk.note(this.path, 'unsupported', 'the encoded parts of a mail are not read');
    }
    const isAllZip = this.container?.kind === 'zip' || this.container?.kind === 'opaque';
    const hasZipEnd = !isAllZip && this.tail.holdsZipEnd({ atVeryEnd: this.container !== undefined });
    if (hasZipEnd) this.walk.note(this.path, 'corrupt', 'a zip archive follows after other content');
    for (const name of this.embedded?.found ?? []) {
      if (name === 'zip' && hasZipEnd) continue;
      this.walk.note(this.path, 'unsupported', `holds ${name} content that is not opened`);
    }
  }
}

/** The name of what a compressed file holds, by its own. */
function unzippedName(name: string): string {
  const inner = name.replace(/\.(tgz|tbz2?|tzst)$/i, '.tar').replace(/\.(gz|bz2|zst)$/i, '');
  return inner === name ? 'content' : inner;
}
