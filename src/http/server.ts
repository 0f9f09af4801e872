import { existsSync } from 'node:fs';
import cookie from '@fastify/cookie';
import fastifyStatic from '@fastify/static';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { errorCodes, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { checkHosts } from '../access/host-check.js';
import type { Config } from '../config.js';
import { InvalidInput, NotFound } from '../errors.js';
import { ErrorFilter } from '../ops/error.filter.js';
import { loggablePath, plainPath, type Log } from '../ops/log.js';
import { VERSION } from '../ops/version.js';
import { hideBearerAddresses } from './bearer-addresses.js';
import { limitOpenRoutes, MAX_BODY_BYTES, readLargeBodiesFor } from './body-limits.js';
import { InputPipe } from './input-pipe.js';
import { parseJsonBody, textOf } from './json-body.js';
import { limitToRoles } from './role-limits.js';

/**
 * What is no page of the UI, where unknown paths are honest 404s. Also in other letters or with more slashes, which the
 * router does not take for the same: a client that writes so waits for JSON, not for a page. Slack posts below /slack/;
 * /slack itself is a page.
 */
const NOT_THE_UI = /^\/+(?:(?:api|events|health|metrics|openapi\.json|r|assets)(?:\/|$)|slack\/)/i;

/** By which a client knows that Sallyport answers, and not what else listens there. */
export const API_HEADER = 'sallyport-api';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body's bytes as they came, for signatures. */
    rawBody?: Buffer;
  }
}

/** The HTTP server under Nest: bodies, cookies, host check, request log. Nothing listens yet. */
export async function createAdapter(config: Config, log: Log): Promise<FastifyAdapter> {
  const errors = new ErrorFilter(log);
  const adapter = new FastifyAdapter({
    // What the router refuses before any hook runs gets the same answer as everything else.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      errors.answer(error, request, reply),
    bodyLimit: MAX_BODY_BYTES,
    // Slow senders are cut off; long polls answer within 5 s and are not affected.
    requestTimeout: 60_000,
    connectionTimeout: 120_000,
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 4096, caseSensitive: true },
    forceCloseConnections: true,
  });
  const server = adapter.getInstance() as FastifyInstance;
  await server.register(cookie);
  addBodyParsers(server);
  limitOpenRoutes(server);
  // First, so that every answer has it, also one that a hook gives and one that is written past the framework.
  server.addHook('onRequest', async (_request, reply) => {
    reply.raw.setHeader(API_HEADER, 'v1');
  });
  checkHosts(server, config);
  limitToRoles(server, config);
  hideBearerAddresses(server);
  server.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('content-security-policy')) {
      void reply.header(
        'content-security-policy',
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      );
    }
    // Pages with a plain HTML form say `same-origin`: under `no-referrer` browsers post them with `Origin: null`.
    if (!reply.hasHeader('referrer-policy')) void reply.header('referrer-policy', 'no-referrer');
    void reply.header('x-content-type-options', 'nosniff');
  });
  server.addHook('onResponse', async (request, reply) => {
    if (!log.isLevelEnabled('debug')) return;
    log.debug(
      {
        method: request.method,
        path: loggablePath(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
  });
  return adapter;
}

/**
 * Events are parsed where they are taken in: what is no JSON is kept there, for whoever looks after the source. What Slack
 * posts is parsed once its signature fits.
 */
const takesEvents = ({ routeOptions }: FastifyRequest): boolean =>
  routeOptions.url?.startsWith('/events/') === true || routeOptions.url?.startsWith('/slack/') === true;

/** Attachments of reviews are bytes as they are; every other route has no use for them. */
const takesFiles = ({ routeOptions }: FastifyRequest): boolean =>
  routeOptions.url?.endsWith('/attachments') === true;

function bodyOf(json: string, request: FastifyRequest): unknown {
  // Conductor's SDKs say JSON also where they send no body.
  if (json === '') return undefined;
  return takesEvents(request) ? json : parseJsonBody(json);
}

function addBodyParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const text = (request: FastifyRequest, body: Buffer): string => {
    request.rawBody = body;
    return textOf(body);
  };
  server.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json/,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => bodyOf(text(request, body), request),
  );
  server.addContentTypeParser(
    'text/plain',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const value = text(request, body);
      if (value.includes('\u0000') && !takesEvents(request))
        throw InvalidInput.field('body', 'must not contain the NUL character');
      return value;
    },
  );
  server.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (!takesFiles(request))
        throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE('application/octet-stream');
      return body;
    },
  );
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const fields = [...new URLSearchParams(text(request, body))];
      for (const [name, value] of fields) {
        if (name.includes('\u0000') || value.includes('\u0000')) {
          throw InvalidInput.field('body', 'must not contain the NUL character');
        }
      }
      return Object.fromEntries(fields);
    },
  );
}

/**
 * Validation, errors, OpenAPI and the UI's files, on an application that is created but not yet initialised.
 *
 * `identify` throws for a request without valid credentials; where it is given, large bodies need them.
 */
export async function furnish(
  app: NestFastifyApplication,
  webRoot: string,
  identify?: (request: FastifyRequest) => Promise<unknown>,
): Promise<void> {
  app.useGlobalPipes(new InputPipe());
  app.useGlobalFilters(app.get(ErrorFilter));
  const server = app.getHttpAdapter().getInstance();
  if (identify !== undefined) readLargeBodiesFor(server, identify);
  const description = new DocumentBuilder()
    .setTitle('Sallyport')
    .setVersion(VERSION)
    .addBasicAuth()
    .addCookieAuth('sallyport_session')
    .build();
  let openapi: string | undefined;
  // Made on the first request: it costs memory that most processes never need.
  server.get('/openapi.json', async (_request, reply) => {
    openapi ??= JSON.stringify(SwaggerModule.createDocument(app, description));
    return reply.type('application/json; charset=utf-8').send(openapi);
  });
  await serveUi(server, webRoot);
}

async function serveUi(server: FastifyInstance, webRoot: string): Promise<void> {
  if (!existsSync(`${webRoot}/index.html`)) return;
  await server.register(fastifyStatic, { root: webRoot, serve: false });
  await server.register(fastifyStatic, {
    root: `${webRoot}/assets`,
    prefix: '/assets/',
    decorateReply: false,
    // Vite puts a content hash into every name.
    immutable: true,
    maxAge: '365d',
    index: false,
  });
  server.get('/*', async (request, reply) => {
    const path = plainPath(request.url);
    if (NOT_THE_UI.test(path)) throw new NotFound(`There is nothing at ${path}.`);
    // A page, and no answer of the API: a client that asked for one has a wrong address.
    reply.raw.removeHeader(API_HEADER);
    return reply.header('cache-control', 'no-cache').sendFile('index.html');
  });
}
