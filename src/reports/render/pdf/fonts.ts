import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as fontkit from 'fontkit';

/** In this order a character is looked for; the first that has it draws it. All are under the SIL Open Font License. */
const CHAIN = [
  { package: '@embedpdf/fonts-latin', regular: 'NotoSans-Regular.ttf', bold: 'NotoSans-Bold.ttf' },
  {
    package: '@embedpdf/fonts-hebrew',
    regular: 'NotoSansHebrew-Regular.ttf',
    bold: 'NotoSansHebrew-Bold.ttf',
  },
  {
    package: '@embedpdf/fonts-arabic',
    regular: 'NotoNaskhArabic-Regular.ttf',
    bold: 'NotoNaskhArabic-Bold.ttf',
  },
  // In one weight: a bold one of as many signs would be as large again.
  { package: '@embedpdf/fonts-sc', regular: 'NotoSansHans-Regular.otf', bold: 'NotoSansHans-Regular.otf' },
  { package: '@embedpdf/fonts-kr', regular: 'NotoSansKR-Regular.otf', bold: 'NotoSansKR-Regular.otf' },
] as const;

const require = createRequire(import.meta.url);

interface Font {
  readonly name: string;
  readonly bytes: Buffer;
  readonly has: (codePoint: number) => boolean;
}

/** The fonts of one document. Each file is read when the first character needs it. */
export class FontSet {
  private readonly opened = new Map<string, Font>();
  private readonly found = { regular: new Map<number, Font>(), bold: new Map<number, Font>() };

  /** The font for a character; undefined where none has it. */
  fontFor(codePoint: number, isBold: boolean): Font | undefined {
    const found = isBold ? this.found.bold : this.found.regular;
    const known = found.get(codePoint);
    if (known !== undefined) return known;
    for (const entry of CHAIN) {
      const font = this.open(entry.package, isBold ? entry.bold : entry.regular);
      if (!font.has(codePoint)) continue;
      found.set(codePoint, font);
      return font;
    }
    return undefined;
  }

  /** Of a font that a character was found in. */
  bytesOf(name: string): Buffer {
    const font = this.opened.get(name);
    if (font === undefined) throw new Error(`No character is drawn with ${name}`);
    return font.bytes;
  }

  private open(name: string, file: string): Font {
    const known = this.opened.get(file);
    if (known !== undefined) return known;
    const bytes = readFileSync(join(dirname(require.resolve(name)), '..', 'fonts', file));
    const font = fontkit.create(bytes);
    if (!('hasGlyphForCodePoint' in font)) throw new Error(`${file} is a collection of fonts`);
    const opened = { name: file, bytes, has: (codePoint: number) => font.hasGlyphForCodePoint(codePoint) };
    this.opened.set(file, opened);
    return opened;
  }
}
