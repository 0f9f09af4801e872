/** S3's own bound on a key, in UTF-8. */
const MAX_KEY_BYTES = 1024;

/**
 * Undoes the form encoding of keys in S3's notifications: `+` is a space, then percent-decoding. Never throws: text
 * that is not so encoded (a bare `%`) is taken as it is, and `isRaw` says so.
 */
export function decodeFormKey(encoded: string): { readonly key: string; readonly isRaw: boolean } {
  try {
    return { key: decodeURIComponent(encoded.replaceAll('+', ' ')), isRaw: false };
  } catch {
    // URIError is the decoder's answer to a key that is not encoded; the raw text is then the best guess.
    return { key: encoded, isRaw: true };
  }
}

/** Why a key cannot name an object that we can store, as a sentence; undefined when it can. */
export function keyProblem(key: string): string | undefined {
  if (key === '') return 'must not be empty';
  if (!key.isWellFormed()) return 'must not contain lone surrogates';
  if (key.includes('\u0000')) return 'must not contain the NUL character';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`;
  return undefined;
}
