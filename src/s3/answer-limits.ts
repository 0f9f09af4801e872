import type { S3Client } from '@aws-sdk/client-s3';
import { pipeline, Transform, type Readable } from 'node:stream';
import { StorageError } from './storage-error.js';

/** What an answer that is read whole may take; objects are streamed and have limits of their own. */
export interface AnswerLimits {
  /** Of an error's text. */
  readonly errorBytes: number;
  /** Of a list, tags, and the like: a thousand versions of keys of 1,024 odd bytes are 4 MB. */
  readonly bodyBytes: number;
  /** From the answer's head to its end. */
  readonly withinMs: number;
  /** The same for copies: S3 sends blanks until it is done. */
  readonly copyWithinMs: number;
}

const LIMITS: AnswerLimits = {
  errorBytes: 64 * 1024,
  bodyBytes: 16 * 1024 ** 2,
  withinMs: 120_000,
  copyWithinMs: 16 * 60_000,
};

const COPIES: readonly string[] = [
  'CopyObjectCommand',
  'UploadPartCopyCommand',
  'CompleteMultipartUploadCommand',
];

/** Where Retry-After is kept for us: left where it was, the SDK would wait for as long as any server likes. */
export const RETRY_AFTER = 'x-sallyport-retry-after';

interface RawAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  body?: unknown;
}

/**
 * Bounds in bytes and time what the SDK reads into memory, so that a server (or whoever stands between) cannot fill it or
 * hold a request for ever.
 */
export function limitAnswers(client: S3Client, limits: Partial<AnswerLimits> = {}): S3Client {
  const bounds = { ...LIMITS, ...limits };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const answer = result.response as RawAnswer;
      const isError = answer.statusCode >= 300;
      const { 'retry-after': wait } = answer.headers;
      if (wait !== undefined) {
        answer.headers[RETRY_AFTER] = wait;
        delete answer.headers['retry-after'];
      }
      const isStreamed = !isError && context.commandName === 'GetObjectCommand';
      if (!isStreamed && isReadable(answer.body)) {
        const withinMs = COPIES.includes(context.commandName ?? '') ? bounds.copyWithinMs : bounds.withinMs;
        answer.body = limited(answer.body, isError ? bounds.errorBytes : bounds.bodyBytes, withinMs);
      }
      return result;
    },
    // Low: next to the wire, before the SDK reads the body.
    { step: 'deserialize', priority: 'low', name: 'limitAnswers', override: true },
  );
  return client;
}

const isReadable = (body: unknown): body is Readable =>
  typeof body === 'object' && body !== null && 'pipe' in body;

function limited(body: Readable, maxBytes: number, withinMs: number): Readable {
  let seen = 0;
  const cap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen <= maxBytes) return done(null, chunk);
      return done(
        new StorageError('other', 'AnswerTooLarge', `the answer is longer than ${maxBytes} bytes`, {
          reason: 'bad_answer',
        }),
      );
    },
  });
  const timer = setTimeout(
    () => cap.destroy(new StorageError('unreachable', 'AnswerTooSlow', `no end of it within ${withinMs} ms`)),
    withinMs,
  );
  // The error reaches whoever reads the cap.
  pipeline(body, cap, () => clearTimeout(timer));
  return cap;
}
