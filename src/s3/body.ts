import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StorageError } from './storage-error.js';

/** An object's bytes as they arrive. Destroy it when leaving early. */
export interface OpenedBody {
  readonly body: Readable;
  /** Bytes of this answer, as the server announced them. */
  readonly lengthBytes: number;
}

// S3 sends the first byte of a healthy body within a second; a minute of silence is a dead connection.
export const BODY_IDLE_MS = 60_000;

/**
 * The chunks of a body, with a limit on the silence between two of them. Only our waiting counts: a consumer may take
 * as long as it likes with a chunk. A body that ends early is an error, never a short object.
 */
export async function* chunksOf(opened: OpenedBody, idleMs = BODY_IDLE_MS): AsyncGenerator<Buffer, void> {
  const iterator = opened.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let seen = 0;
  try {
    for (;;) {
      const step = await withinIdleLimit(iterator.next(), idleMs);
      if (step.done === true) break;
      seen += step.value.length;
      yield step.value;
    }
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('unreachable', 'BodyInterrupted', (error as Error).message, {
      cause: error,
      reason: 'body_interrupted',
    });
  } finally {
    opened.body.destroy();
  }
  if (seen !== opened.lengthBytes) {
    throw new StorageError(
      'unreachable',
      'BodyInterrupted',
      `the body ended after ${seen} of ${opened.lengthBytes} bytes`,
      { reason: 'body_interrupted' },
    );
  }
}

/** SHA-256 of a whole body, in lower-case hex. */
export async function digestOf(opened: OpenedBody, idleMs = BODY_IDLE_MS): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(opened, idleMs)) hash.update(chunk);
  return hash.digest('hex');
}

async function withinIdleLimit<T>(work: Promise<T>, idleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new StorageError('unreachable', 'BodyIdle', `no byte arrived for ${idleMs} ms`, {
            reason: 'body_idle',
          }),
        ),
      idleMs,
    );
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
