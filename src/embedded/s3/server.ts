import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from './error-code.js';
import { incomingBody } from './incoming-body.js';
import type { BodyTimings } from './incoming-body.js';
import type { Context, S3Request, S3Response } from './message.js';
import { RequestBody } from './request-body.js';
import { RequestHeaders } from './request-headers.js';
import { findRoute } from './routes.js';
import type { EndpointLogger } from './log.js';
import { S3Error } from './s3-error.js';
import { authenticate } from './sigv4.js';
import type { Credentials } from './sigv4.js';
import { JournalUnusable } from './store-errors.js';
import { parseTarget } from './uri.js';
import { writeXml } from './write-xml.js';

// S3 takes 8 KB of headers; user metadata and a presigned query fit well.
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 512;
// An answer sent before the body was read is followed by this much reading, so that the client sees the answer.
const MAX_DRAIN_BYTES = 4 * 1024 * 1024;

export interface ServerTimings extends BodyTimings {
  /** For a client to send all its headers. */
  readonly headersMs: number;
  /** Without any byte in either direction. */
  readonly socketIdleMs: number;
  /** For reading what is left of a refused body. */
  readonly drainMs: number;
}

export const DEFAULT_TIMINGS: ServerTimings = {
  headersMs: 15_000,
  bodyIdleMs: 20_000,
  slowBodyMs: 60_000,
  socketIdleMs: 60_000,
  drainMs: 2_000,
};

export interface ServerOptions {
  readonly credentials: Credentials;
  readonly context: Context;
  readonly logger: EndpointLogger;
  readonly timings: ServerTimings;
}

/** A request on the wire, and how far its handling has come. */
interface Exchange {
  readonly id: string;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends its body. */
  isContinueDue: boolean;
}

/** The HTTP side: reads requests, checks signatures, calls the route's handler, writes answers. */
export function makeServer(options: ServerOptions): Server {
  const { timings } = options;
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timings.headersMs,
    // Bodies may take long; it is silence that ends them (bodyIdleMs).
    requestTimeout: 0,
    keepAliveTimeout: 20_000,
    connectionsCheckingInterval: Math.min(5_000, timings.headersMs),
  });
  const serve = (message: IncomingMessage, response: ServerResponse, isContinueDue: boolean): void => {
    const exchange = { id: randomBytes(8).toString('hex').toUpperCase(), message, response, isContinueDue };
    answer(options, exchange).catch((error: unknown) => {
      // The client is gone, or its socket is broken: there is nobody to tell but the log.
      options.logger.info({ err: error, requestId: exchange.id }, 'An S3 exchange ended early');
      message.destroy();
    });
  };
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(timings.socketIdleMs);
  server.on('request', (message, response) => serve(message, response, false));
  server.on('checkContinue', (message, response) => serve(message, response, true));
  server.on('clientError', refuseGarbage);
  return server;
}

async function answer(options: ServerOptions, exchange: Exchange): Promise<void> {
  let reply: S3Response;
  try {
    reply = await handle(options, exchange);
  } catch (error) {
    reply = errorResponse(options, exchange, error);
  }
  try {
    await send(exchange, reply, options.timings);
  } finally {
    if (typeof reply.body === 'object') reply.body.dispose();
  }
}

async function handle(
  { credentials, context, timings }: ServerOptions,
  exchange: Exchange,
): Promise<S3Response> {
  const { message, id } = exchange;
  // From here on it is the body's silence that counts, and then ours does not.
  message.socket.setTimeout(0);
  const method = message.method ?? '';
  const target = parseTarget(message.url ?? '');
  const headers = new RequestHeaders(message.rawHeaders);
  const auth = authenticate({ method, target, headers }, credentials, context.now());
  const handler = findRoute(method, target, headers);
  const onFirstRead = (): void => {
    if (exchange.isContinueDue) exchange.response.writeContinue();
    exchange.isContinueDue = false;
  };
  const request: S3Request = {
    method,
    bucket: target.bucket ?? '',
    key: target.key ?? '',
    query: target.query,
    headers,
    body: new RequestBody(incomingBody(message, timings, onFirstRead), headers, auth),
    origin: {
      sourceIp: (message.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      requestId: id,
      principal: auth.accessKeyId,
    },
  };
  return handler(request, context);
}

function errorResponse({ logger }: ServerOptions, { id, message }: Exchange, error: unknown): S3Response {
  const known = asS3Error(error);
  if (known === undefined && (message.destroyed || message.socket.destroyed)) throw error;
  const shown =
    known ?? new S3Error('InternalError', 500, 'We encountered an internal error. Please try again.');
  if (shown.status >= 500 && shown.status !== 501) {
    logger.error({ err: error, requestId: id, method: message.method }, 'An S3 request failed');
  }
  const { code, message: text, elements, headers } = shown;
  return {
    status: shown.status,
    headers: { 'content-type': 'application/xml', ...headers },
    body: writeXml(
      'Error',
      { Code: code, Message: text, ...elements, RequestId: id, HostId: 'sallyport' },
      false,
    ),
  };
}

function asS3Error(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return error;
  if (error instanceof JournalUnusable)
    return new S3Error('ServiceUnavailable', 503, error.message, { cause: error });
  const code = errorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new S3Error('InsufficientStorage', 507, 'The disk of this endpoint is full.', { cause: error });
  }
  return undefined;
}

async function send(exchange: Exchange, reply: S3Response, timings: ServerTimings): Promise<void> {
  const { message, response } = exchange;
  if (response.destroyed) return;
  message.socket.setTimeout(timings.socketIdleMs);
  writeHead(exchange, reply);
  const isBodyless = message.method === 'HEAD' || reply.status === 304 || reply.status === 204;
  const body = isBodyless ? undefined : reply.body;
  const mustDrain = response.getHeader('connection') === 'close';
  if (typeof body === 'string') response.write(body);
  else response.flushHeaders();
  // A client that was not told to go on sends no body.
  if (mustDrain && !exchange.isContinueDue) await drain(message, timings.drainMs);
  if (typeof body === 'object') await pipe(body.stream(), response);
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.end();
  });
}

function writeHead({ message, response, id }: Exchange, reply: S3Response): void {
  const length = typeof reply.body === 'string' ? Buffer.byteLength(reply.body) : (reply.body?.length ?? 0);
  response.statusCode = reply.status;
  response.setHeader('server', 'Sallyport-trial-S3');
  response.setHeader('x-amz-request-id', id);
  response.setHeader('x-amz-id-2', 'sallyport');
  if (reply.status !== 304 && reply.status !== 204) response.setHeader('content-length', length);
  for (const [name, value] of Object.entries(reply.headers ?? {})) {
    if (value !== undefined) response.setHeader(name, value);
  }
  if (!message.complete && hasBody(message)) response.setHeader('connection', 'close');
}

const hasBody = (message: IncomingMessage): boolean =>
  message.headers['transfer-encoding'] !== undefined || Number(message.headers['content-length'] ?? 0) > 0;

/** Reads on for a while, since closing a socket with unread bytes would take the answer away from the client. */
async function drain(message: IncomingMessage, maxMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let left = MAX_DRAIN_BYTES;
    const timer = setTimeout(resolve, maxMs);
    message.on('data', (piece: Buffer) => {
      left -= piece.length;
      if (left < 0) resolve();
    });
    for (const event of ['end', 'close', 'error']) message.once(event, () => resolve());
    message.once('close', () => clearTimeout(timer));
    message.resume();
  });
}

async function pipe(source: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  for await (const piece of source) {
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.on('drain', done);
      response.on('close', done);
    });
  }
}

/** What is not HTTP gets one plain answer, since there is no request to answer. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  // With an answer begun, or an earlier one on this connection, another text would be taken for a part of it.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const code = tooLarge
    ? 'RequestHeaderSectionTooLarge'
    : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? 'RequestTimeout'
      : 'BadRequest';
  const message = tooLarge
    ? `Your request header section exceeds ${MAX_HEADER_BYTES} bytes.`
    : 'The request could not be read.';
  const body = writeXml('Error', { Code: code, Message: message }, false);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // Time for the client to read it; then the connection goes, whether or not the client closes its side.
  setTimeout(() => socket.destroy(), 1_000).unref();
}
