import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { Clock } from '../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../config.js';
import { Conflict, Forbidden, Overloaded, Unavailable } from '../../errors.js';
import { LOG, type Log } from '../../ops/log.js';
import type { OpenedBody } from '../../s3/body.js';
import { StorageError } from '../../s3/storage-error.js';
import { ReviewId, text } from '../request-fields.js';
import { ReviewDesk, speaker } from '../review-desk.js';
import type { Review } from '../review.js';
import type { Reviewer } from '../rules/review.js';
import { MAX_REASON_LENGTH } from '../rules/command.js';
import { attachmentHeaders } from './attachment-headers.js';
import { DOWNLOAD_STATES, SENDING_MS, stateOf } from './download-state.js';
import { Downloads } from './downloads.service.js';
import { Sending, type Sent } from './send-bytes.js';
import type { Download } from './sql/downloads.js';
import { DecidesReviews, SeesReviews } from '../review-access.js';

// The connections to S3 are also those of our scanners.
const MAX_AT_ONCE = 4;
/** Whoever takes nothing for so long has left. */
const SILENCE_MS = 30_000;

const Person = z.object({ id: z.string(), name: z.string() });
const iso = z.iso.datetime();
const DownloadView = z
  .object({
    id: z.string(),
    /** `waiting`: for somebody else to agree; `ready`: whoever asked may fetch a link. */
    state: z.enum(DOWNLOAD_STATES),
    askedBy: Person,
    reason: z.string(),
    askedAt: iso,
    needsGrant: z.boolean(),
    answered: z
      .object({ answer: z.enum(['granted', 'refused']), by: Person, at: iso, reason: z.string() })
      .nullable(),
    readFrom: z.enum(['quarantine', 'bucket']),
    sizeBytes: z.number(),
    expiresAt: iso,
    usedAt: iso.nullable(),
    /** What was sent; the digest is of that, also where it was broken off. */
    sent: z.object({ bytes: z.number(), sha256: z.string(), isWhole: z.boolean(), at: iso }).nullable(),
  })
  .meta({ id: 'ReviewDownload' });
const DownloadList = z.object({ items: z.array(DownloadView) }).meta({ id: 'ReviewDownloads' });
const DownloadLink = z.object({ url: z.string(), expiresAt: iso }).meta({ id: 'ReviewDownloadLink' });

const Ask = z.object({ reason: text(MAX_REASON_LENGTH).trim().min(1) }).meta({ id: 'AskDownload' });
const Grant = z.object({ reason: text(MAX_REASON_LENGTH).default('') }).meta({ id: 'GrantDownload' });
const Refuse = z.object({ reason: text(MAX_REASON_LENGTH).trim().min(1) }).meta({ id: 'RefuseDownload' });
const DownloadId = z.uuid('is not the id of a download');

/** The bytes of what a review is about: asked for with a reason, under four eyes where the operator says so, sent once. */
@ApiTags('reviews')
@Controller('api/v1')
export class DownloadsController {
  private sending = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly desk: ReviewDesk,
    private readonly downloads: Downloads,
    private readonly clock: Clock,
  ) {}

  @Get('reviews/:id/downloads')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: DownloadList })
  async list(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof DownloadList>> {
    const found = await this.downloads.list(await this.desk.seen(id, principal));
    return { items: found.map((download) => this.shown(download)) };
  }

  @Post('reviews/:id/downloads')
  @HttpCode(201)
  @DecidesReviews()
  @ApiCreatedResponse({ standardSchema: DownloadView })
  async ask(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Ask }) { reason }: z.infer<typeof Ask>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof DownloadView>> {
    const review = await this.desk.seen(id, principal);
    return this.shown(await this.downloads.ask(review, reason, speaker(principal)));
  }

  /** The second pair of eyes, where one is needed. */
  @Post('reviews/:id/downloads/:downloadId/grant')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: DownloadView })
  grant(
    @Param('id', { schema: ReviewId }) id: string,
    @Param('downloadId', { schema: DownloadId }) downloadId: string,
    @Body({ schema: Grant }) { reason }: z.infer<typeof Grant>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof DownloadView>> {
    return this.answer(id, downloadId, { answer: 'granted', reason }, principal);
  }

  @Post('reviews/:id/downloads/:downloadId/refuse')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: DownloadView })
  refuse(
    @Param('id', { schema: ReviewId }) id: string,
    @Param('downloadId', { schema: DownloadId }) downloadId: string,
    @Body({ schema: Refuse }) { reason }: z.infer<typeof Refuse>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof DownloadView>> {
    return this.answer(id, downloadId, { answer: 'refused', reason }, principal);
  }

  /** For whoever asked alone: works once, for fifteen minutes, while they are logged in. Another takes its place. */
  @Post('reviews/:id/downloads/:downloadId/link')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: DownloadLink })
  async link(
    @Param('id', { schema: ReviewId }) id: string,
    @Param('downloadId', { schema: DownloadId }) downloadId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof DownloadLink>> {
    const review = await this.desk.seen(id, principal);
    const { token, expiresAt } = await this.downloads.link(review, downloadId, speaker(principal));
    return {
      url: `${publicUrl(this.config)}/api/v1/downloads/${token}`,
      expiresAt: new Date(expiresAt).toISOString(),
    };
  }

  /** The bytes, once. Asked by HEAD, or by a browser ahead of time, nothing is used up. */
  @Get('downloads/:token')
  @DecidesReviews()
  async fetch(
    @Param('token') token: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const who = speaker(principal);
    const download = await this.downloads.opened(token, who);
    const review = await this.desk.seen(download.reviewId, principal);
    const headers = attachmentHeaders(download.uploadedAs, download.object.sizeBytes);
    if (request.method === 'HEAD') {
      await reply.headers(headers).send(Readable.from([]));
      return;
    }
    const purpose = request.headers['sec-purpose'] ?? request.headers['purpose'] ?? '';
    if (String(purpose).includes('prefetch'))
      throw new Conflict('Downloads are not sent ahead of time. Open the link itself.');
    if (this.sending >= MAX_AT_ONCE)
      throw new Overloaded(`${MAX_AT_ONCE} downloads are being sent. Try again when one has ended.`, 30);
    this.sending += 1;
    const { raw } = reply;
    const left = new AbortController();
    let end: NodeJS.Timeout | undefined;
    let sending: Sending | undefined;
    let isTaken = false;
    raw.once('finish', () => (isTaken = true));
    raw.once('close', () => {
      this.sending -= 1;
      clearTimeout(end);
      left.abort();
      if (sending !== undefined) void this.ended(download, who, sending.end(isTaken), review);
    });
    const body = await this.begin(() => this.downloads.begin(token, download, who, left.signal));
    sending = new Sending(body);
    if (raw.destroyed) {
      // They left while the link was used up, and no close will come any more.
      await this.ended(download, who, sending.end(false), review);
      return;
    }
    raw.setTimeout(SILENCE_MS, () => raw.destroy());
    end = setTimeout(() => raw.destroy(), SENDING_MS);
    await reply.headers(headers).send(Readable.from(sending.chunks(), { objectMode: false }));
  }

  private async ended(download: Download, who: Reviewer, sent: Sent, { subject }: Review): Promise<void> {
    try {
      await this.downloads.ended(download, who, sent, subject.sha256);
    } catch (error) {
      // The bytes are sent: what is missing shows in the list as `not_known`.
      this.log.error({ err: error, download: download.id }, 'the end of a download could not be noted');
    }
  }

  private async begin(open: () => Promise<OpenedBody>): Promise<OpenedBody> {
    try {
      return await open();
    } catch (error) {
      if (error instanceof StorageError)
        throw new Unavailable('s3', `The object cannot be read now: ${error.message}`, { cause: error });
      throw error;
    }
  }

  private async answer(
    id: string,
    downloadId: string,
    said: { readonly answer: 'granted' | 'refused'; readonly reason: string },
    principal: Principal,
  ): Promise<z.infer<typeof DownloadView>> {
    const review = await this.desk.seen(id, principal);
    if (principal.kind !== 'user')
      throw new Forbidden('A key is no second pair of eyes: somebody must agree who is logged in.');
    return this.shown(await this.downloads.answer(review, downloadId, said, speaker(principal)));
  }

  private shown(download: Download): z.infer<typeof DownloadView> {
    const { answer, answeredBy, answeredByName, answeredAt, sentBytes, sentSha256, endedAt, isWhole } =
      download;
    return {
      id: download.id,
      state: stateOf(download, this.clock.now()),
      askedBy: { id: download.askedBy, name: download.askedByName },
      reason: download.reason,
      askedAt: isoOf(download.askedAt),
      needsGrant: download.needsGrant,
      answered:
        answer === null || answeredAt === null
          ? null
          : {
              answer,
              by: { id: answeredBy ?? '', name: answeredByName ?? '' },
              at: isoOf(answeredAt),
              reason: download.answerReason ?? '',
            },
      readFrom: download.readFrom,
      sizeBytes: download.object.sizeBytes,
      expiresAt: isoOf(download.expiresAt),
      usedAt: download.usedAt === null ? null : isoOf(download.usedAt),
      sent:
        sentBytes === null || sentSha256 === null || endedAt === null
          ? null
          : { bytes: sentBytes, sha256: sentSha256, isWhole: isWhole === true, at: isoOf(endedAt) },
    };
  }
}

const isoOf = (at: number): string => new Date(at).toISOString();
