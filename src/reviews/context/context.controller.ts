import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ReadsFindings } from '../../access/findings-read.js';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { ReviewId } from '../request-fields.js';
import { ReviewDesk } from '../review-desk.js';
import { FindingContexts, type FindingContextAnswer } from './finding-contexts.js';
import { SeesReviews } from '../review-access.js';

const ContextView = z
  .object({
    /** `gone`: the bytes are not there any more; `changed`: others stand there; `none`: no finding has a place in text. */
    state: z.enum(['shown', 'gone', 'changed', 'too_large', 'unreadable', 'none']),
    readFrom: z.enum(['quarantine', 'bucket']).nullable(),
    detail: z.string().nullable(),
    items: z.array(
      z.object({
        fingerprint: z.string(),
        path: z.string(),
        /** Secrets are masked, hidden characters made visible; the rest is a stranger's text. */
        lines: z.array(z.object({ number: z.number(), text: z.string(), isFinding: z.boolean() })),
        why: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ReviewContext' });

/** What stands around the findings of a review. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewContextController {
  constructor(
    private readonly desk: ReviewDesk,
    private readonly contexts: FindingContexts,
  ) {}

  /** Reads the object again, from quarantine or where it was uploaded, and keeps nothing of it. */
  @Get(':id/context')
  @ReadsFindings('review')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ContextView })
  async context(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
  ): Promise<FindingContextAnswer> {
    const { scanId, subject } = await this.desk.seen(id, principal);
    if (scanId === undefined)
      return { state: 'none', readFrom: null, detail: 'It is about no scan.', items: [] };
    const left = new AbortController();
    request.raw.once('close', () => left.abort());
    return this.contexts.around({ scanId, sha256: subject.sha256, findings: subject.findings }, left.signal);
  }
}
