/** S3's order of keys: by the bytes of their UTF-8. JavaScript's own order puts U+1F600 before U+FFFD. */
export const compareKeys = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
