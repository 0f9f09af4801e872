import { Readable } from 'node:stream';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Clock } from '../../../clock.js';
import { Public } from '../../../access/principal.js';
import { Conflict, InvalidInput, NotFound, Overloaded, Unavailable } from '../../../errors.js';
import { chunksOf, type OpenedBody } from '../../../s3/body.js';
import { ObjectStorage } from '../../../s3/object-storage.js';
import { StorageError } from '../../../s3/storage-error.js';
import { ReadGrants, type BytePart, type ReadGrant } from './read-grants.js';

// The connections to S3 are also those of our own scanners: a slow reader must not keep them waiting.
const READERS_OF_ONE = 4;
const READERS_OF_ALL = 16;
/** Whoever takes nothing for so long has left. */
const SILENCE_MS = 30_000;

/** The bytes of one object version, for whoever holds a grant's token. */
@Controller('api/v1/content')
@Public()
export class ContentController {
  /** How many read now, by grant. */
  private readonly readers = new Map<string, number>();

  constructor(
    private readonly grants: ReadGrants,
    private readonly storage: ObjectStorage,
    private readonly clock: Clock,
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
    const leave = this.enter(grant);
    const over = new AbortController();
    try {
      if (!(await this.grants.reserve(grant, part.to - part.from)))
        throw tooMany('These bytes were sent too often. Keep what you fetch, or scan the object again.');
      this.endInTime(reply, grant);
      reply.raw.once('close', () => over.abort());
      const opened = await this.open(grant, part, over.signal);
      void reply.code(headers.status).headers(headers.fields);
      reply.raw.once('close', leave);
      await reply.send(Readable.from(this.bytes(grant, part, opened), { objectMode: false }));
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** @returns what is to be called when the reader is gone. */
  private enter({ id }: ReadGrant): () => void {
    const mine = this.readers.get(id) ?? 0;
    const all = [...this.readers.values()].reduce((sum, count) => sum + count, 0);
    if (mine >= READERS_OF_ONE || all >= READERS_OF_ALL)
      throw tooMany('Too many read at the same time. Read one part after the other.');
    this.readers.set(id, mine + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.readers.get(id) ?? 1) - 1;
      if (left === 0) this.readers.delete(id);
      else this.readers.set(id, left);
    };
  }

  /** The grant's end is that of what is under way, too. */
  private endInTime(reply: FastifyReply, { expiresAt }: ReadGrant): void {
    const { raw } = reply;
    raw.setTimeout(SILENCE_MS, () => raw.destroy());
    const end = setTimeout(() => raw.destroy(), Math.max(0, expiresAt - this.clock.now()));
    raw.once('close', () => clearTimeout(end));
  }

  private async open(grant: ReadGrant, { from, to }: BytePart, signal: AbortSignal): Promise<OpenedBody> {
    try {
      return await this.storage.open(grant.object, { from, signal });
    } catch (error) {
      // Nothing is sent: it was set aside for nothing.
      await this.grants.sent(grant.id, { from, to: from }, to - from);
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
    { from, to }: BytePart,
    opened: OpenedBody,
  ): AsyncGenerator<Buffer, void> {
    let at = from;
    let isCounted = false;
    try {
      for await (const chunk of chunksOf(opened)) {
        const piece = chunk.subarray(0, to - at);
        if (at + piece.length === to) {
          isCounted = true;
          await this.grants.sent(grant.id, { from, to }, 0);
        }
        yield piece;
        at += piece.length;
        if (at === to) return;
      }
    } finally {
      opened.body.destroy();
      if (!isCounted) await this.grants.sent(grant.id, { from, to: at }, to - at);
    }
  }
}

const tooMany = (message: string): Overloaded => new Overloaded(message, 60);

function headersOf({ sizeBytes }: ReadGrant, { from, to }: BytePart, isAsked: boolean) {
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
function partOf(header: string | undefined, sizeBytes: number): BytePart {
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
