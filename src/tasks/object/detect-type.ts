import { fileTypeFromBuffer } from 'file-type';

/** Bytes that telling a type needs. */
export const TYPE_BYTES = 4100;

/** MIME type by content; text is told by being valid UTF-8 or UTF-16 without control characters. */
export async function detectType(head: Buffer): Promise<string> {
  if (head.length === 0) return 'application/x-empty';
  const known = await fileTypeFromBuffer(head);
  if (known !== undefined) return known.mime;
  return isText(head) ? 'text/plain' : 'application/octet-stream';
}

function isText(head: Buffer): boolean {
  const isUtf16 = head.length >= 2 && ['fffe', 'feff'].includes(head.subarray(0, 2).toString('hex'));
  if (isUtf16) return true;
  // The last character may be cut in two.
  for (const cut of [0, 1, 2, 3]) {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, head.length - cut));
      // Control characters are what tells binary from text.
      return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text);
    } catch {
      // Not a whole number of characters, or no UTF-8 at all; the next cut tells.
    }
  }
  return false;
}
