import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Args } from './arguments.js';
import { Mishaps, type Mishap } from './mishaps.js';
import { Refusal, type Json } from './refusal.js';
import { argsOf, bodyOf, uploadIn } from './requests.js';
import type { ResponseUrls } from './response-urls.js';
import type { Tokens } from './tokens.js';
import type { WebApi } from './web-api.js';
import type { Workspace } from './workspace.js';

const CALLS_KEPT = 50_000;

/** One call of the web API, as it came in. */
export interface FakeCall {
  readonly method: string;
  readonly args: Args;
}

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** What answers on the port: methods of the web API, answers to a response_url, uploads, and a page if there is one. */
export class HttpFront {
  readonly calls: FakeCall[] = [];
  /** Told of each call as it comes in. */
  onCall: (call: FakeCall) => void = () => undefined;
  readonly mishaps = new Mishaps();
  /** Answers everything else. */
  serve: Serve = (_request, response) => {
    response.writeHead(404).end();
  };

  constructor(
    private readonly api: WebApi,
    private readonly workspace: Workspace,
    private readonly responseUrls: ResponseUrls,
    private readonly tokens: Tokens,
  ) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, first = '', second = ''] = (request.url ?? '').split(/[/?]/);
    const ways: Readonly<Record<string, () => Promise<void>>> = {
      api: () => this.answerCall(second, request, response),
      respond: () => this.answerResponse(second, request, response),
      upload: () => this.takeFile(second, request, response),
    };
    const way = request.method === 'POST' ? ways[first] : undefined;
    try {
      await (way === undefined ? this.serve(request, response) : way());
    } catch (error) {
      // A mistake of the stand-in or of the test; said in the answer, where whoever called it sees it.
      if (!response.headersSent) response.writeHead(500);
      response.end(`the stand-in failed: ${String(error)}`);
    }
  }

  private async answerCall(
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { token: tokenInBody, ...args } = argsOf(request, await bodyOf(request));
    if (this.calls.length >= CALLS_KEPT) this.calls.splice(0, CALLS_KEPT / 2);
    this.calls.push({ method, args });
    this.onCall({ method, args });
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? tokenInBody;
    await this.respond(method, request, response, () => this.api.call(method, args, token));
  }

  private async answerResponse(
    key: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const answer = JSON.parse((await bodyOf(request)).toString('utf8')) as Json;
    await this.respond('response_url', request, response, () => {
      try {
        this.responseUrls.use(key, answer);
        return { ok: true };
      } catch (error) {
        if (error instanceof Refusal) return error.answer;
        throw error;
      }
    });
  }

  private async takeFile(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const content = await uploadIn(request, await bodyOf(request));
    const file = this.workspace.files.get(id);
    if (file === undefined || content.length !== file.length) {
      response.writeHead(400).end(`not the ${file?.length ?? 0} bytes that were announced`);
      return;
    }
    file.content = content;
    response.writeHead(200).end(`OK - ${content.length}`);
  }

  /** Answers, or lets the answer go wrong as a test wanted it. */
  private async respond(
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
    perform: () => Json,
  ): Promise<void> {
    const mishap = this.mishaps.next(method);
    if (mishap?.kind === 'rateLimited') return tooMany(response, mishap.retryAfter);
    if (mishap?.kind === 'status') {
      response.writeHead(mishap.status).end('trouble');
      return;
    }
    if (mishap?.kind === 'answer') return answerWith(mishap, response);
    const truth = mishap?.kind === 'error' ? new Refusal(mishap.error).answer : perform();
    const result = mishap?.kind === 'says' ? mishap.answer(truth) : truth;
    if (mishap?.kind === 'lose') {
      request.socket.destroy();
      return;
    }
    if (mishap?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, mishap.ms));
    if (result['error'] === 'ratelimited') return tooMany(response, Number(result['retryAfter'] ?? 1));
    response
      .writeHead(method === 'response_url' && result['ok'] === false ? 404 : 200, {
        'content-type': 'application/json; charset=utf-8',
        'x-oauth-scopes': this.tokens.scopes.join(','),
      })
      .end(JSON.stringify(result));
  }
}

function answerWith(
  { body, status = 200, headers = {}, breaksOff = false }: Extract<Mishap, { kind: 'answer' }>,
  response: ServerResponse,
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  if (breaksOff) response.write(body, () => response.destroy());
  else response.end(body);
}

function tooMany(response: ServerResponse, retryAfter: number): void {
  response
    .writeHead(429, { 'retry-after': String(retryAfter), 'content-type': 'application/json' })
    .end(JSON.stringify({ ok: false, error: 'ratelimited' }));
}
