import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Decoded, with its leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An answer out of a script. Whatever is left out is as an honest server would have it. */
export interface Lie {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Told instead of the true length; `false` tells none. */
  readonly contentLength?: number | false;
  /** Cuts the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Sends so many bytes of the body and then nothing more, with the connection open. */
  readonly stallAfter?: number;
  /** Sends the body in ten pieces with so much time between them. */
  readonly trickleMs?: number;
}

/** What the honest server holds under every key. */
export interface HeldObject {
  readonly body: Buffer;
  readonly eTag: string;
  readonly versionId?: string | undefined;
}

export type Liar = (request: SeenRequest) => Lie | undefined;

/** S3's error document. */
export const errorXml = (code: string, message = code, more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}<RequestId>R</RequestId></Error>`;

/** An S3 refusal: to a HEAD only the status, as S3 does it. */
export const refusal = (
  status: number,
  code: string,
  message?: string,
  more?: string,
  headers: Readonly<Record<string, string>> = {},
): Lie => ({
  status,
  headers: { 'content-type': 'application/xml', ...headers },
  body: errorXml(code, message, more),
});

/**
 * A real HTTP server on loopback that answers as S3 for one object, except where the script lies: canned errors, wrong
 * lengths, cut and silent bodies, pages of proxies.
 */
export class LyingS3 {
  readonly seen: SeenRequest[] = [];
  object: HeldObject = { body: Buffer.from('honest bytes'), eTag: 'e1', versionId: 'v1' };
  tags: Record<string, string> = {};
  private liar: Liar = () => undefined;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<LyingS3> {
    const server = createServer();
    const lying = new LyingS3(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void lying.receive(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return lying;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on; what it returns nothing for is answered honestly. */
  lie(liar: Liar): void {
    this.liar = liar;
    this.seen.length = 0;
  }

  /** `GET /uploads/k` and the like, in order. */
  get calls(): string[] {
    return this.seen.map(({ method, path, query }) => {
      const names = [...query.keys()].filter((name) => name !== 'versionId' && name !== 'x-id');
      return `${method} ${path}${names.length > 0 ? `?${names.join('&')}` : ''}`;
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const url = new URL(request.url ?? '/', 'http://s3');
    const seen: SeenRequest = {
      method: request.method ?? 'GET',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(parts).toString(),
    };
    this.seen.push(seen);
    const honest = this.honest(seen);
    const lie = this.liar(seen);
    send(
      request,
      response,
      lie === undefined ? honest : { ...(lie.status === undefined ? honest : {}), ...lie },
    );
  }

  private honest(request: SeenRequest): Lie {
    if (request.query.has('tagging')) return this.tagging(request);
    if (request.method === 'DELETE') return { status: 204 };
    const { body, eTag, versionId } = this.object;
    const headers = {
      etag: `"${eTag}"`,
      'last-modified': 'Mon, 23 Nov 2026 11:00:00 GMT',
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      ...(versionId !== undefined && { 'x-amz-version-id': versionId }),
    };
    const wanted = request.headers['if-match'];
    if (wanted !== undefined && wanted !== `"${eTag}"`) return refusal(412, 'PreconditionFailed');
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (range === null) return { status: 200, headers, body };
    const from = Number(range[1]);
    if (from >= body.length) return refusal(416, 'InvalidRange');
    const to = range[2] === '' ? body.length - 1 : Math.min(Number(range[2]), body.length - 1);
    return {
      status: 206,
      headers: { ...headers, 'content-range': `bytes ${from}-${to}/${body.length}` },
      body: body.subarray(from, to + 1),
    };
  }

  private tagging({ method, body }: SeenRequest): Lie {
    if (method === 'PUT') {
      const pairs = [...body.matchAll(/<Key>(.*?)<\/Key><Value>(.*?)<\/Value>/g)];
      this.tags = Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
      return { status: 200 };
    }
    const set = Object.entries(this.tags).map(
      ([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`,
    );
    return {
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: `<Tagging><TagSet>${set.join('')}</TagSet></Tagging>`,
    };
  }
}

function send(request: IncomingMessage, response: ServerResponse, lie: Lie): void {
  const body = Buffer.from(lie.body ?? '');
  const length = lie.contentLength ?? body.length;
  response.writeHead(lie.status ?? 200, {
    ...lie.headers,
    ...(length !== false && { 'content-length': String(length) }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (lie.trickleMs !== undefined) {
    trickle(response, body, lie.trickleMs);
    return;
  }
  const part = lie.cutAfter ?? lie.stallAfter;
  if (part === undefined) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, part), () => {
    // The client has them before it hears of the end.
    if (lie.cutAfter !== undefined) setImmediate(() => request.socket.destroy());
  });
}

function trickle(response: ServerResponse, body: Buffer, everyMs: number): void {
  const step = Math.ceil(body.length / 10);
  let at = 0;
  const next = () => {
    response.write(body.subarray(at, at + step));
    at += step;
    if (at >= body.length) response.end();
    else setTimeout(next, everyMs);
  };
  next();
}
