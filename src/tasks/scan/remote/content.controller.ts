import { Readable } from 'node:stream';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../../../access/principal.js';
import { Conflict, InvalidInput, NotFound, Overloaded, Unavailable } from '../../../errors.js';
import { chunksOf, type OpenedBody } from '../../../s3/body.js';
import { ObjectStorage } from '../../../s3/object-storage.js';
import { StorageError } from '../../../s3/storage-error.js';
import { ReadGrants, type ReadGrant } from './read-grants.js';

/** Bytes to send: the first and the one after the last. */
interface Part {
  readonly from: number;
  readonly to: number;
}

/** The bytes of one object version, for whoever holds a grant's token. */
@Controller('api/v1/content')
@Public()
export class ContentController {
  constructor(
    private readonly grants: ReadGrants,
    private readonly storage: ObjectStorage,
  ) {}

  @Get(':token')
  @ApiExcludeEndpoint()
  async read(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const grant = await this.grants.open(token);
    if (grant === undefined)
      throw new NotFound(
        'This address opens nothing, or nothing any more. Poll the task again for a new one.',
      );
    const part = partOf(request.headers.range, grant.sizeBytes);
    const headers = headersOf(grant, part, request.headers.range !== undefined);
    if (request.method === 'HEAD' || part.to === part.from) {
      // A stream: for a text the length would be set to its own.
      await reply.code(headers.status).headers(headers.fields).send(Readable.from([]));
      return;
    }
    if (this.grants.left(grant) < part.to - part.from) {
      throw new Overloaded(
        'These bytes were sent too often. Keep what you fetch, or scan the object again.',
        60,
      );
    }
    const over = new AbortController();
    reply.raw.once('close', () => over.abort());
    const opened = await this.open(grant, part, over.signal);
    void reply.code(headers.status).headers(headers.fields);
    await reply.send(Readable.from(this.bytes(grant, part, opened), { objectMode: false }));
  }

  private async open(grant: ReadGrant, { from }: Part, signal: AbortSignal): Promise<OpenedBody> {
    try {
      return await this.storage.open(grant.object, { from, signal });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (error.outcome === 'gone' || error.outcome === 'superseded')
        throw new Conflict(
          'The version that this address is for is not there any more.',
          {},
          { cause: error },
        );
      throw new Unavailable('s3', `The object cannot be read now: ${error.message}`, { cause: error });
    }
  }

  private async *bytes(
    grant: ReadGrant,
    { from, to }: Part,
    opened: OpenedBody,
  ): AsyncGenerator<Buffer, void> {
    let left = to - from;
    let sent = 0;
    try {
      for await (const chunk of chunksOf(opened)) {
        const piece = chunk.subarray(0, left);
        left -= piece.length;
        sent += piece.length;
        if (left === 0) {
          const last = sent;
          sent = 0;
          await this.grants.count(grant.id, last);
        }
        yield piece;
        if (left === 0) return;
      }
    } finally {
      opened.body.destroy();
      await this.grants.count(grant.id, sent);
    }
  }
}

function headersOf({ sizeBytes }: ReadGrant, { from, to }: Part, isAsked: boolean) {
  const isPart = isAsked && sizeBytes > 0;
  return {
    status: isPart ? 206 : 200,
    fields: {
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="object"',
      // Whatever it is, no browser is to make a page of it.
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
      'accept-ranges': 'bytes',
      'content-length': String(to - from),
      ...(isPart && { 'content-range': `bytes ${from}-${to - 1}/${sizeBytes}` }),
    },
  };
}

/** A single range of bytes, as RFC 9110 has it; several in one request are refused. @throws InvalidInput */
function partOf(header: string | undefined, sizeBytes: number): Part {
  if (header === undefined || sizeBytes === 0) return { from: 0, to: sizeBytes };
  const [, first = '', last = ''] = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header) ?? [];
  if (first === '' && last === '') {
    throw InvalidInput.field('Range', 'must name one range of bytes, as bytes=0-1023');
  }
  const from = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const to = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (from >= to) throw InvalidInput.field('Range', `names no byte of the ${sizeBytes} that there are`);
  return { from, to };
}
