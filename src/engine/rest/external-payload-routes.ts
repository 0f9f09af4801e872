import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidInput, TooLarge } from '../../errors.js';
import { parseJsonBody, textOf } from '../../http/json-body.js';
import { MAX_PAYLOAD_BYTES } from '../model/payload-limits.js';
import type { JsonObject } from '../model/json.js';
import { SallyportEngine } from '../runtime/sallyport-engine.js';

/** As Conductor's, whose clients only follow the `uri` that they were given. */
export const EXTERNAL_PAYLOADS = '/api/external/postgres';

type Request = FastifyRequest<{ Params: { token: string } }>;

/**
 * Where values are put and got by whoever has the place's uri. Outside of Nest's router, because Conductor's SDKs name no
 * content type, and because a body is only read after its place was looked up.
 */
@Injectable()
export class ExternalPayloadRoutes implements OnModuleInit {
  constructor(
    private readonly http: HttpAdapterHost,
    private readonly engine: SallyportEngine,
  ) {}

  onModuleInit(): void {
    const server = this.http.httpAdapter?.getInstance() as FastifyInstance | undefined;
    // Not waited for: that would start the server's plugins before Nest has set how errors and unknown paths are answered.
    void server?.register(async (scope) => this.add(scope));
  }

  private add(scope: FastifyInstance): void {
    const rooms = new WeakMap<FastifyRequest, number>();
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (_: FastifyRequest, body: Buffer) => body);
    scope.put(
      `${EXTERNAL_PAYLOADS}/:token`,
      {
        bodyLimit: MAX_PAYLOAD_BYTES,
        onRequest: async (request: Request) => {
          const room = await this.engine.locations.roomAt(request.params.token);
          rooms.set(request, room);
          checkSize(Number(request.headers['content-length'] ?? 0), room);
        },
      },
      async (request: Request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        checkSize(body.length, rooms.get(request) ?? 0);
        await this.engine.locations.write(request.params.token, objectIn(body));
        return reply.status(200).send();
      },
    );
    scope.get(`${EXTERNAL_PAYLOADS}/:token`, async (request: Request, reply) => {
      const value = await this.engine.locations.read(request.params.token);
      return reply
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(value));
    });
  }
}

function checkSize(bytes: number, room: number): void {
  if (bytes <= room) return;
  throw new TooLarge(`body: is larger than ${room / 1024} KB. Store it elsewhere and pass a reference.`);
}

function objectIn(body: Buffer): JsonObject {
  const value = parseJsonBody(textOf(body));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw InvalidInput.field('body', 'must be a JSON object');
  }
  return value as JsonObject;
}
