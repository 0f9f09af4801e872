/** Ways to write a text that is not in clear; each is a text of ASCII again, but for the wide ones. */
export const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
  base64: (text) => Buffer.from(Buffer.from(text, 'latin1').toString('base64')),
  base64url: (text) => Buffer.from(Buffer.from(text, 'latin1').toString('base64url')),
  'base64 in lines': (text) =>
    Buffer.from(
      Buffer.from(text, 'latin1')
        .toString('base64')
        .replaceAll(/.{76}(?=.)/g, '$&\r\n'),
    ),
  hex: (text) => Buffer.from(Buffer.from(text, 'latin1').toString('hex')),
  'percent-encoding': (text) => each(text, (code) => `%${code.toString(16).padStart(2, '0').toUpperCase()}`),
  'percent-encoding where it must be': (text) => Buffer.from(encodeURIComponent(text)),
  'JavaScript escapes': (text) => each(text, (code) => `\\u${code.toString(16).padStart(4, '0')}`),
  'JavaScript escapes of code points': (text) => each(text, (code) => `\\u{${code.toString(16)}}`),
  'C escapes': (text) => each(text, (code) => `\\x${code.toString(16).padStart(2, '0')}`),
  'octal escapes': (text) => each(text, (code) => `\\${code.toString(8).padStart(3, '0')}`),
  'HTML entities': (text) => each(text, (code) => `&#${code};`),
  'hexadecimal HTML entities': (text) => each(text, (code) => `&#x${code.toString(16)};`),
  'quoted-printable': (text) => each(text, (code) => `=${code.toString(16).padStart(2, '0').toUpperCase()}`),
  'quoted-printable in lines': (text) =>
    Buffer.from(text.replaceAll('=', '=3D').replaceAll(/.{30}(?=.)/g, '$&=\r\n'), 'latin1'),
  'UTF-16': (text) => Buffer.from(text, 'utf16le'),
  'UTF-16, the other way round': (text) => Buffer.from(text, 'utf16le').swap16(),
  'UTF-32': (text) => Buffer.concat(Array.from(Buffer.from(text), (code) => Buffer.from([code, 0, 0, 0]))),
  'UTF-32, the other way round': (text) =>
    Buffer.concat(Array.from(Buffer.from(text), (code) => Buffer.from([0, 0, 0, code]))),
};

const each = (text: string, write: (code: number) => string): Buffer =>
  Buffer.from(Array.from(Buffer.from(text, 'latin1'), write).join(''));

/** Encodes one after the other, the innermost first. */
export const encoded = (text: string, ...names: readonly string[]): Buffer =>
  names.reduce<Buffer>(
    (inner, name) => encodings[name]!(inner.toString('latin1')),
    Buffer.from(text, 'latin1'),
  );
