import type { IncomingMessage } from 'node:http';
import type { Args } from './arguments.js';
import type { Json } from './refusal.js';

const MAX_BYTES = 16 * 1024 * 1024;

/** The body of a request, which must not be larger than anything a test sends. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_BYTES) throw new Error(`a body above ${MAX_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Arguments of a call, sent as a form or as JSON. */
export function argsOf(request: IncomingMessage, body: Buffer): Args {
  const text = body.toString('utf8');
  if (!(request.headers['content-type'] ?? '').startsWith('application/json'))
    return Object.fromEntries(new URLSearchParams(text));
  const parsed = JSON.parse(text === '' ? '{}' : text) as Json;
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

/** The bytes of an uploaded file, sent as they are or as one part of a form. */
export async function uploadIn(request: IncomingMessage, body: Buffer): Promise<Buffer> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  for (const part of form.values())
    if (typeof part !== 'string') return Buffer.from(await part.arrayBuffer());
  throw new Error('an upload without a file');
}
