import { malformedXml } from './s3-error.js';
import { decodeUtf8 } from './uri.js';

/** An element: its children, or its text when it has none. Attributes are checked for form and dropped. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const MAX_DEPTH = 16;
// A full DeleteObjects or CompleteMultipartUpload: 10,000 entries of a few elements each.
const MAX_ELEMENTS = 100_000;

/**
 * Parses the small XML that S3 clients send: elements, text, the five named entities, character references.
 *
 * Document types, processing instructions and any other entity are refused, so nothing can be expanded or
 * fetched. Time is linear in the length. Throws `MalformedXML`.
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  const source = decodeUtf8(bytes);
  if (source === undefined) throw malformedXml('it is not UTF-8.');
  return new Parser(source.replace(/^\u{FEFF}/u, '')).document();
}

/** The single child of that name, or `undefined`. Throws `MalformedXML` when there are several. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  const found = element.children.filter((each) => each.name === name);
  if (found.length > 1) throw malformedXml(`more than one ${name} in ${element.name}.`);
  return found[0];
}

/** The text of the single child of that name, or `undefined` when there is none. */
export const childText = (element: XmlElement, name: string): string | undefined =>
  child(element, name)?.text;

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  readonly text: string[];
}

class Parser {
  private at = 0;
  private elements = 0;

  constructor(private readonly source: string) {}

  document(): XmlElement {
    this.match(/<\?xml\s[^<>?]*\?>/y);
    this.skipMisc();
    const root = this.element();
    this.skipMisc();
    if (this.at !== this.source.length) throw malformedXml('there is something after the root element.');
    return root;
  }

  /** Iterative, so that depth is a number we check and never the stack. */
  private element(): XmlElement {
    const open: OpenElement[] = [];
    for (;;) {
      const started = this.startTag();
      if (started !== undefined) {
        open.push(started.element);
        if (open.length > MAX_DEPTH) throw malformedXml('it is nested too deeply.');
        if (!started.isEmpty) {
          this.text(started.element);
          continue;
        }
      } else {
        this.endTag(open.at(-1));
      }
      const closed = finish(open.pop());
      const parent = open.at(-1);
      if (parent === undefined) return closed;
      parent.children.push(closed);
      this.text(parent);
    }
  }

  private startTag(): { element: OpenElement; isEmpty: boolean } | undefined {
    const tag = this.match(
      /<((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:\s+[A-Za-z_:][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y,
    );
    if (tag === undefined) return undefined;
    this.elements += 1;
    if (this.elements > MAX_ELEMENTS) throw malformedXml('it has too many elements.');
    const name = (tag[1] ?? '').replace(/^.*:/, '');
    return { element: { name, children: [], text: [] }, isEmpty: tag[3] === '/' };
  }

  private endTag(element: OpenElement | undefined): void {
    const tag = this.match(/<\/(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)\s*>/y);
    if (tag === undefined || element === undefined || tag[1] !== element.name) {
      throw malformedXml(`unexpected input at character ${this.at}.`);
    }
  }

  private text(element: OpenElement): void {
    for (;;) {
      const plain = this.match(/[^<]+/y);
      if (plain !== undefined) element.text.push(unescapeText(plain[0]));
      const cdata = this.match(/<!\[CDATA\[([\s\S]*?)\]\]>/y);
      if (cdata !== undefined) element.text.push(cdata[1] ?? '');
      const comment = this.match(/<!--[\s\S]*?-->/y);
      if (plain === undefined && cdata === undefined && comment === undefined) return;
    }
  }

  private skipMisc(): void {
    while (this.match(/\s+|<!--[\s\S]*?-->/y) !== undefined);
  }

  private match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.source);
    if (found === null) return undefined;
    this.at = sticky.lastIndex;
    return found;
  }
}

function finish(element: OpenElement | undefined): XmlElement {
  if (element === undefined) throw malformedXml('an end without a start.');
  const text = element.text.join('');
  // Indentation between children is no text; text beside children is nothing S3 knows.
  if (element.children.length > 0 && text.trim() !== '') throw malformedXml(`text beside elements.`);
  return { name: element.name, children: element.children, text: element.children.length > 0 ? '' : text };
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeText(text: string): string {
  if (text.includes(']]>')) throw malformedXml('"]]>" in text.');
  return text.replace(/\r\n?/g, '\n').replace(/&([^;&]{0,10};?)/g, (_whole, reference: string) => {
    if (!reference.endsWith(';')) throw malformedXml('a bare "&".');
    const name = reference.slice(0, -1);
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    if (number === null) {
      const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
      if (named === undefined) throw malformedXml(`the entity "${name}" is not known.`);
      return named;
    }
    const point =
      number[1] === undefined ? Number.parseInt(number[2] ?? '', 10) : Number.parseInt(number[1], 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      throw malformedXml('a character reference that is no character.');
    }
    return String.fromCodePoint(point);
  });
}
