/** Keys that trip others up, by what is odd about them. All are keys that S3 takes. */
export const ODD_KEYS: Readonly<Record<string, string>> = {
  'with spaces and marks': 'odd/a b+c%20d#e?f&g=h;i,j:k@l.txt',
  'with a bare percent sign': 'odd/100%.txt',
  'with an emoji': 'odd/zażółć/☂ 😀.txt',
  'in two normal forms': 'odd/e\u0301 and \u00e9',
  'with a line break': 'odd/new\nline',
  'with quotes and tags': 'odd/quote\'s "double" <b>&amp;',
  'with a leading slash': '/odd/leading/slash',
  'with two slashes': 'odd//twice',
  'with dots': 'odd/../../etc/passwd',
  'of one dot': 'odd/.',
  'with a slash at its end and content': 'odd/folder/',
  'of 1,024 bytes': `odd/${'x'.repeat(1020)}`,
  'of 1,024 bytes in parts of 200': Array.from({ length: 5 }, () => 'é'.repeat(100))
    .join('/')
    .padEnd(524, 'z'),
};

/** The key cut so that it and the prefix have no more than S3's 1,024 bytes. */
export function fitting(key: string, prefix: string): string {
  const room = 1024 - Buffer.byteLength(prefix);
  let cut = '';
  for (const character of key) {
    if (Buffer.byteLength(cut + character) > room) break;
    cut += character;
  }
  return cut;
}
