import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { InvalidInput, Overloaded } from '../../errors.js';
import { attachmentHeaders } from '../downloads/attachment-headers.js';
import { ReviewId, text } from '../request-fields.js';
import { ReviewDesk, speaker } from '../review-desk.js';
import { Attachments } from './attachments.service.js';
import { ATTACHMENT_STATES, type Attachment } from './sql/attachments.js';
import { CommentsOnReviews, SeesReviews } from '../review-access.js';

const MAX_AT_ONCE = 16;
/** Whoever takes nothing for so long has left. */
const SILENCE_MS = 30_000;

const iso = z.iso.datetime();
const AttachmentView = z
  .object({
    id: z.string(),
    name: z.string(),
    sizeBytes: z.number(),
    sha256: z.string(),
    attachedBy: z.object({ id: z.string(), name: z.string() }),
    attachedAt: iso,
    /** `clean`: it may be fetched; `refused`: nobody ever can, and only its digest is kept. */
    state: z.enum(ATTACHMENT_STATES),
    /** Of the scan, in the ledger's words; null while it waits for one. */
    verdict: z.string().nullable(),
    /** A sentence, where it was refused. */
    why: z.string().nullable(),
    /** What looked at it. */
    engines: z.array(
      z.object({ name: z.string(), version: z.string().optional(), database: z.string().optional() }),
    ),
    judgedAt: iso.nullable(),
  })
  .meta({ id: 'ReviewAttachment' });
const AttachmentList = z.object({ items: z.array(AttachmentView) }).meta({ id: 'ReviewAttachments' });
const AttachmentId = z.uuid('is not the id of an attachment');
const Named = z.object({ name: text(255).trim().min(1) });

/** Files that people put beside a review. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class AttachmentsController {
  private sending = 0;

  constructor(
    private readonly desk: ReviewDesk,
    private readonly attachments: Attachments,
  ) {}

  @Get(':id/attachments')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: AttachmentList })
  async list(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof AttachmentList>> {
    const found = await this.attachments.list(await this.desk.seen(id, principal));
    return { items: found.map(viewOf) };
  }

  /** The bytes as they are, as `application/octet-stream`, 10 MB at most; stored when this answers, and scanned after. */
  @Post(':id/attachments')
  @HttpCode(201)
  @CommentsOnReviews()
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiCreatedResponse({ standardSchema: AttachmentView })
  async attach(
    @Param('id', { schema: ReviewId }) id: string,
    @Query({ schema: Named }) { name }: z.infer<typeof Named>,
    @CurrentPrincipal() principal: Principal,
    @Req() { body }: FastifyRequest,
  ): Promise<z.infer<typeof AttachmentView>> {
    const review = await this.desk.seen(id, principal);
    if (!Buffer.isBuffer(body))
      throw InvalidInput.field('body', 'must be the bytes of a file, as application/octet-stream');
    return viewOf(await this.attachments.add(review, { name, bytes: body }, speaker(principal)));
  }

  /** The bytes of a clean one, as a file that nothing opens. */
  @Get(':id/attachments/:attachmentId')
  @SeesReviews()
  async fetch(
    @Param('id', { schema: ReviewId }) id: string,
    @Param('attachmentId', { schema: AttachmentId }) attachmentId: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const attachment = await this.attachments.clean(await this.desk.seen(id, principal), attachmentId);
    const headers = attachmentHeaders(attachment.name, attachment.sizeBytes);
    if (request.method === 'HEAD') {
      await reply.headers(headers).send(Readable.from([]));
      return;
    }
    if (this.sending >= MAX_AT_ONCE)
      throw new Overloaded(`${MAX_AT_ONCE} attachments are being sent. Try again when one has ended.`, 30);
    await this.attachments.fetched(attachment, speaker(principal));
    const { raw } = reply;
    if (raw.destroyed) return;
    this.sending += 1;
    raw.once('close', () => (this.sending -= 1));
    raw.setTimeout(SILENCE_MS, () => raw.destroy());
    await reply
      .headers(headers)
      .send(Readable.from(this.attachments.bytes(attachment), { objectMode: false }));
  }
}

const isoOf = (at: number): string => new Date(at).toISOString();

const viewOf = (attachment: Attachment): z.infer<typeof AttachmentView> => ({
  id: attachment.id,
  name: attachment.name,
  sizeBytes: attachment.sizeBytes,
  sha256: attachment.sha256,
  attachedBy: attachment.by,
  attachedAt: isoOf(attachment.attachedAt),
  state: attachment.state,
  verdict: attachment.verdict,
  why: attachment.why,
  engines: (attachment.engines ?? []).map(({ name, version, database }) => ({ name, version, database })),
  judgedAt: attachment.judgedAt === null ? null : isoOf(attachment.judgedAt),
});
