import { S3Error } from './s3-error.js';

const MAX_KEY_BYTES = 1024;

/** Throws `KeyTooLongError` beyond 1,024 bytes of UTF-8. Any other text is a key: none is ever used as a path. */
export function checkKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size <= MAX_KEY_BYTES) return;
  throw new S3Error('KeyTooLongError', 400, 'Your key is too long', {
    elements: { Size: String(size), MaxSizeAllowed: String(MAX_KEY_BYTES) },
  });
}
