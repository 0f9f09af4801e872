import Pdf from 'pdfkit';
import type { ReportMeta } from '../../data/report-data.js';
import type { Tone } from '../document.js';
import { FontSet } from './fonts.js';
import { textLines, type TextLine, type TextStyle } from './text-lines.js';

export type Structure = PDFKit.PDFStructureElement;

/** Of pdfkit, what its types do not tell of: a page is kept as one piece for each stroke, a font with each word it laid out. */
interface Insides {
  readonly page: { readonly content: { buffer: Uint8Array[] } };
  readonly _font: { layoutCache: Readonly<Record<string, unknown>> };
}

/** What pdfkit takes, and its types do not know all of. */
interface StructureOptions {
  readonly alt?: string;
  readonly scope?: 'Row' | 'Column';
  readonly bbox?: readonly [number, number, number, number];
}

// A4 in points.
const PAGE = { width: 595.28, height: 841.89 };
// Words come again, and names of strangers do not.
const PAGES_OF_ONE_CACHE = 10;
const MARGIN = { side: 46, top: 46, bottom: 52 };
export const WIDTH = PAGE.width - 2 * MARGIN.side;

export const INKS = {
  ink: '#16202a',
  soft: '#526170',
  line: '#c9d1d8',
  accent: '#0f766e',
  good: '#15803d',
  warn: '#a35200',
  bad: '#c01f2f',
  idle: '#5b6875',
} as const;

export const inkOf = (tone: Tone | undefined): string => (tone === undefined ? INKS.ink : INKS[tone]);

/** Lines of one look, to be drawn one below the other. */
export interface Styled extends TextStyle {
  readonly lines: readonly TextLine[];
  readonly ink: string;
}

export const lineHeight = (size: number): number => size * 1.38;

/**
 * Pages, and the place on them where the next thing goes. What is drawn belongs to an element of the document's structure,
 * or is marked as decoration: the document says that it is tagged, and so all of it is.
 */
export class Paper {
  readonly doc: PDFKit.PDFDocument;
  readonly left = MARGIN.side;
  readonly bottom = PAGE.height - MARGIN.bottom;
  y = MARGIN.top;
  private readonly root: Structure;
  private readonly fonts = new FontSet();
  private readonly chunks: Buffer[] = [];
  private readonly registered = new Set<string>();

  constructor(title: string, meta: ReportMeta) {
    // Nothing else of the document depends on when it was made, so that the same report is the same bytes.
    const made = new Date(meta.generatedAt);
    this.doc = new Pdf({
      size: 'A4',
      margin: 0,
      pdfVersion: '1.7',
      lang: 'en',
      tagged: true,
      displayTitle: true,
      bufferPages: true,
      info: { Title: title, Creator: 'Sallyport', Producer: 'Sallyport', CreationDate: made, ModDate: made },
    });
    this.doc.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    this.root = this.doc.struct('Document');
    this.doc.addStructure(this.root);
  }

  /** A part of the document, in which the next elements are. */
  section(): Structure {
    return this.element('Sect', this.root);
  }

  element(type: string, parent: Structure, options: StructureOptions = {}): Structure {
    const element = this.doc.struct(type, options);
    parent.add(element);
    return element;
  }

  get pageCount(): number {
    return this.doc.bufferedPageRange().count;
  }

  /** Nothing stands on this page. */
  get isNew(): boolean {
    return this.y === MARGIN.top;
  }

  newPage(): void {
    this.forget();
    this.doc.addPage();
    this.y = MARGIN.top;
  }

  /** Begins a new page where less than this is left. */
  ensure(height: number): void {
    if (this.y + height > this.bottom && !this.isNew) this.newPage();
  }

  styled(text: string, style: TextStyle & { readonly ink?: string }, width: number): Styled {
    const measure = (part: string, font: string, size: number): number => {
      this.useFont(font, size);
      return this.doc.widthOfString(part);
    };
    return {
      size: style.size,
      isBold: style.isBold,
      ink: style.ink ?? INKS.ink,
      lines: textLines(text, style, width, this.fonts, measure),
    };
  }

  /** A paragraph or heading over the whole width, over as many pages as it takes. */
  paragraph(
    parent: Structure,
    type: string,
    text: string,
    style: TextStyle & { readonly ink?: string; readonly indent?: number },
  ): void {
    const indent = style.indent ?? 0;
    const styled = this.styled(text, style, WIDTH - indent);
    const element = this.element(type, parent);
    const height = lineHeight(style.size);
    let rest = [...styled.lines];
    while (rest.length > 0) {
      this.ensure(height);
      const fitting = Math.max(1, Math.floor((this.bottom - this.y) / height));
      const here = rest.slice(0, fitting);
      rest = rest.slice(fitting);
      this.content(element, type, () => {
        for (const line of here) {
          this.line(line, styled, this.left + indent, this.y);
          this.y += height;
        }
      });
    }
    element.end();
  }

  /** Draws as content of an element, which may have more of it on other pages. */
  content(element: Structure, type: string, draw: () => void): void {
    const content = this.doc.markStructureContent(type);
    draw();
    this.doc.endMarkedContent();
    element.add(content);
  }

  /** Draws what nobody needs to hear of. */
  decoration(draw: () => void): void {
    this.doc.markContent('Artifact', { type: 'Layout' });
    draw();
    this.doc.endMarkedContent();
  }

  line(line: TextLine, { size, ink }: Omit<Styled, 'lines'>, x: number, y: number): void {
    // Read aloud and copied in the order in which it was written, not in that in which it is drawn.
    if (line.logical !== undefined) this.doc.markContent('Span', { actual: line.logical });
    let at = x;
    for (const { text, font, width } of line.pieces) {
      this.useFont(font, size);
      this.doc.fillColor(ink).text(text, at, y + size * 1.05, {
        lineBreak: false,
        baseline: 'alphabetic',
        textWidth: width,
        wordCount: 0,
      } as PDFKit.Mixins.TextOptions);
      at += width;
    }
    if (line.logical !== undefined) this.doc.endMarkedContent();
  }

  rule(y: number, ink: string = INKS.line): void {
    this.decoration(() => this.doc.rect(this.left, y, WIDTH, 0.5).fill(ink));
  }

  /** On each page, when all are there. */
  onEachPage(draw: (number: number, count: number) => void): void {
    const { start, count } = this.doc.bufferedPageRange();
    for (let page = start; page < start + count; page += 1) {
      this.doc.switchToPage(page);
      draw(page - start + 1, count);
    }
  }

  async finish(): Promise<Buffer> {
    this.root.end();
    const ended = new Promise<void>((resolve, reject) => {
      this.doc.once('end', resolve);
      this.doc.once('error', reject);
    });
    this.doc.end();
    await ended;
    return Buffer.concat(this.chunks);
  }

  /** What pages before needed and the next does not: it would be many times what the document is. */
  private forget(): void {
    const insides = this.doc as unknown as Insides;
    const { content } = insides.page;
    content.buffer = [Buffer.concat(content.buffer)];
    if (this.pageCount % PAGES_OF_ONE_CACHE !== 0) return;
    for (const name of this.registered) {
      this.doc.font(name);
      insides._font.layoutCache = Object.create(null);
    }
  }

  private useFont(name: string, size: number): void {
    if (!this.registered.has(name)) {
      this.doc.registerFont(name, this.fonts.bytesOf(name));
      this.registered.add(name);
    }
    this.doc.font(name, size);
  }
}
