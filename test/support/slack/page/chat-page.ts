import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FakeSlack } from '../fake-slack.js';
import { bodyOf } from '../requests.js';
import { PageAct, perform } from './page-acts.js';
import { drawScreen } from './screen.js';

const MOST_STREAMS = 50;
// Many changes at once are one look at the page.
const GATHER_MS = 40;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

const FILES = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
} as const;

/**
 * The stand-in as a page: channels on the left, what was said on the right, and everything works that people can
 * click in Slack. For whoever sits at this machine; it asks nobody who they are.
 */
export class ChatPage {
  private readonly streams = new Set<ServerResponse>();
  private timer: NodeJS.Timeout | undefined;
  private revision = 0;

  constructor(private readonly slack: FakeSlack) {
    slack.workspace.onChange = () => this.changed();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.slack.origin);
    if (!this.isFromHere(request)) return end(response, 403, 'This page answers only under its own address.');
    if (request.method === 'POST' && url.pathname === '/page/act') return this.act(request, response);
    if (request.method !== 'GET') return end(response, 405, 'Only GET.');
    const file = FILES[url.pathname as keyof typeof FILES] as readonly [string, string] | undefined;
    if (file !== undefined) {
      const content = readFileSync(new URL(file[0], import.meta.url));
      response.writeHead(200, { ...HEADERS, 'content-type': file[1] }).end(content);
      return;
    }
    if (url.pathname === '/page/stream') return this.stream(response);
    if (url.pathname === '/page/screen') {
      const { searchParams: asked } = url;
      const wanted = { as: asked.get('as') ?? '', place: asked.get('in') ?? '' };
      return json(response, 200, drawScreen(this.slack.workspace, wanted));
    }
    // Permanent links to messages.
    const link = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(url.pathname);
    if (link === null) return end(response, 404, 'There is nothing here.');
    response.writeHead(302, { ...HEADERS, location: `/?in=${link[1]}#m${link[2]}.${link[3]}` }).end();
  }

  close(): void {
    clearTimeout(this.timer);
    for (const stream of this.streams) stream.end();
  }

  private async act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = PageAct.safeParse(JSON.parse((await bodyOf(request)).toString('utf8')));
    if (!parsed.success) return json(response, 400, { problem: 'The page sent something odd.' });
    json(response, 200, await perform(this.slack, parsed.data));
  }

  private stream(response: ServerResponse): void {
    if (this.streams.size >= MOST_STREAMS) return end(response, 503, 'Too many pages are open.');
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    response.write(`retry: 1000\ndata: ${this.revision}\n\n`);
  }

  private changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.revision += 1;
      for (const stream of this.streams) stream.write(`data: ${this.revision}\n\n`);
    }, GATHER_MS);
    this.timer.unref();
  }

  /** Other sites in the same browser may neither read nor click here, whatever name they give to this machine. */
  private isFromHere(request: IncomingMessage): boolean {
    const { port } = new URL(this.slack.origin);
    const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
    const { host, origin } = request.headers;
    if (host === undefined || !hosts.includes(host)) return false;
    if (request.method === 'GET') return true;
    const isJson = request.headers['content-type'] === 'application/json';
    return isJson && origin !== undefined && hosts.some((name) => origin === `http://${name}`);
  }
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const end = (response: ServerResponse, status: number, words: string): void => {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(words);
};
