import { CannotUnpack } from './budget.js';
import { Base64, Identity, QuotedPrintable, type MailEncoding } from './mail-encodings.js';

/** What the header of a mail or of a part of it says about its content. */
export interface MailHeader {
  readonly type: string;
  readonly boundary: string | undefined;
  readonly name: string | undefined;
  readonly encoding: string;
  readonly smimeType: string | undefined;
}

const corrupt = (what: string) => new CannotUnpack('corrupt', `mail: ${what}`);

/** @throws CannotUnpack where readers could understand different things */
export function parseHeader(text: string, usualType: string): MailHeader {
  if (/\r(?!\n)|\0/.test(text)) throw corrupt('a header with odd line ends');
  const fields = text
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .replaceAll(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/);
  // Some readers end the header there.
  if (isMime(text) && fields.some((line) => line !== '' && !/^>?[!-~]+[ \t]*:|^>From /.test(line)))
    throw corrupt('a header with something else in it');
  const named = fields.map((line) => line.slice(0, line.indexOf(':')).trimEnd().toLowerCase());
  const field = (name: string): string | undefined => {
    const values = fields
      .filter((_, at) => named[at] === name)
      .map((line) => line.slice(line.indexOf(':') + 1).trim());
    if (new Set(values).size > 1) throw corrupt(`a header with two ${name}`);
    return values[0];
  };
  const contentType = field('content-type') ?? usualType;
  const disposition = field('content-disposition') ?? '';
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  const boundary = parameter(contentType, 'boundary');
  if (type.startsWith('multipart/') && (boundary ?? '') === '') throw corrupt('parts without a boundary');
  return {
    type,
    boundary: type.startsWith('multipart/') ? boundary : undefined,
    name: parameter(disposition, 'filename') ?? parameter(contentType, 'name'),
    encoding: withoutComment(field('content-transfer-encoding') ?? '7bit').toLowerCase(),
    smimeType: parameter(contentType, 'smime-type'),
  };
}

type Parameter = 'boundary' | 'filename' | 'name' | 'smime-type';
const patterns = (of: (name: Parameter) => string): Readonly<Record<Parameter, RegExp>> => ({
  boundary: new RegExp(of('boundary'), 'gi'),
  filename: new RegExp(of('filename'), 'gi'),
  name: new RegExp(of('name'), 'gi'),
  'smime-type': new RegExp(of('smime-type'), 'gi'),
});
const PLAIN = patterns((name) => `;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`);
const IN_PIECES = patterns((name) => `;\\s*${name}\\*(?:(\\d+)\\*?)?\\s*=\\s*(?:"([^"]*)"|([^\\s;"]*))`);

/** A parameter, in the ways of RFC 2045 and RFC 2231. */
function parameter(value: string, name: Parameter): string | undefined {
  // Most have none, and a mail may have very many parts.
  if (!value.includes(';')) return undefined;
  const plain = [...value.matchAll(PLAIN[name])];
  const texts = new Set(plain.map(([, quoted, bare]) => quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? ''));
  const pieces = [...value.matchAll(IN_PIECES[name])];
  if (name === 'boundary' && (texts.size > 1 || pieces.length > 0))
    throw corrupt('a boundary that readers read differently');
  if (texts.size > 0) return [...texts][0];
  if (pieces.length === 0) return undefined;
  const coded = pieces
    .toSorted(([, a = '0'], [, b = '0']) => Number(a) - Number(b))
    .map(([, , quoted, bare]) => quoted ?? bare ?? '')
    .join('')
    .replace(/^[\w-]*'[\w-]*'/, '');
  try {
    return decodeURIComponent(coded);
  } catch {
    return coded;
  }
}

/** How the content of a part is read. @throws CannotUnpack for what we cannot read */
export function encodingOf(header: MailHeader): MailEncoding {
  switch (header.encoding) {
    case '7bit':
    case '8bit':
    case 'binary':
    case '':
    // Its lines are found wherever they stand.
    case 'x-uuencode':
    case 'uuencode':
    case 'x-uue':
      return new Identity();
    case 'base64':
      return new Base64();
    case 'quoted-printable':
      return new QuotedPrintable();
    default:
      throw new CannotUnpack('unsupported', `mail: the encoding ${header.encoding.slice(0, 40)}`);
  }
}

/** Whether a header says anything about how its content is to be read. */
export const isMime = (text: string): boolean => /^(content-|mime-version)/im.test(text);

// One that only mails have, or two that texts of names and values seldom have together.
const OF_MAIL =
  /^(content-type|content-transfer-encoding|content-disposition|mime-version|received|return-path|delivered-to|message-id)[ \t]*:/im;
const COMMON = /^(from|to|cc|subject|date|sender|reply-to)[ \t]*:/gim;
const FIRST_LINE = /^(?:\u00ef\u00bb\u00bf)?(?:\r?\n)*(?:From [^\r\n]*\r?\n|[!-9;-~]+[ \t]*:)/;

/** Whether this is how a mail, a part of one, or a mailbox begins. */
export function looksLikeMail(head: Buffer): boolean {
  const text = head.toString('latin1');
  return FIRST_LINE.test(text) && (OF_MAIL.test(text) || (text.match(COMMON)?.length ?? 0) > 1);
}

/** What stands before a parameter or a comment. Without a pattern: one that ends in `$` is tried at every place. */
function withoutComment(value: string): string {
  const at = value.search(/[;(]/);
  return (at > 0 ? value.slice(0, at) : value).trim();
}
