import type { IncomingMessage } from 'node:http';
import { S3Error } from './s3-error.js';

// Slower than any line; only somebody who wants to hold a connection for ever sends like that.
const MIN_BYTES_PER_SECOND = 512;

export interface BodyTimings {
  /** Without any byte of a body that we wait for. */
  readonly bodyIdleMs: number;
  /** For which a body may come more slowly than MIN_BYTES_PER_SECOND. */
  readonly slowBodyMs: number;
}

/** The bytes of the body. A client that falls silent in the middle, or only trickles, gets `RequestTimeout`. */
export async function* incomingBody(
  message: IncomingMessage,
  timings: BodyTimings,
  onFirstRead: () => void,
): AsyncGenerator<Buffer> {
  onFirstRead();
  let waitedMs = 0;
  let bytes = 0;
  for (;;) {
    const began = performance.now();
    const piece = await nextPiece(message, timings.bodyIdleMs);
    if (piece === undefined) return;
    // Only our waiting counts, not what the disk takes.
    waitedMs += performance.now() - began;
    bytes += piece.length;
    if (waitedMs > timings.slowBodyMs && bytes / waitedMs < MIN_BYTES_PER_SECOND / 1000) throw tooSlow();
    yield piece;
  }
}

/**
 * The next piece, or `undefined` at the end. Leaves the message paused, and unlike its own iterator
 * neither destroys it when left early nor keeps others from reading on.
 */
async function nextPiece(message: IncomingMessage, idleMs: number): Promise<Buffer | undefined> {
  if (message.readableEnded) return undefined;
  if (message.destroyed) throw new Error('The client closed the connection.');
  return new Promise((resolve, reject) => {
    const onData = (piece: Buffer): void => settle(() => resolve(piece));
    const onEnd = (): void => settle(() => resolve(undefined));
    const onGone = (): void => settle(() => reject(new Error('The client closed the connection.')));
    const timer = setTimeout(() => {
      settle(() => reject(tooSlow()));
    }, idleMs);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      message.pause();
      message.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      finish();
    };
    message.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    message.resume();
  });
}

const tooSlow = (): S3Error =>
  new S3Error(
    'RequestTimeout',
    400,
    'Your socket connection to the server was not read from or written to within the timeout period.',
  );
