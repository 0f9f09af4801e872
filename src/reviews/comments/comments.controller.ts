import { Body, Controller, Delete, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadsFindings } from '../../access/findings-read.js';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { ReviewId, text } from '../request-fields.js';
import { ReviewDesk } from '../review-desk.js';
import { ReviewDetail } from '../review.view.js';
import { CommentsOnReviews, SeesReviews } from '../review-access.js';

const CommentId = z.uuid('is not the id of a comment');
const Edit = z
  .object({
    text: text(10_000).min(1),
    /** Of what was changed: 1 as it was written; the timeline says each later one. */
    version: z.int().min(1),
  })
  .meta({ id: 'ReviewCommentEdit' });

/** What people wrote of a review, and who hears of it. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewCommentsController {
  constructor(private readonly desk: ReviewDesk) {}

  /** Changes one's own comment; what it said before stays in the timeline. */
  @Put(':id/comments/:comment')
  @CommentsOnReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  edit(
    @Param('id', { schema: ReviewId }) id: string,
    @Param('comment', { schema: CommentId }) comment: string,
    @Body({ schema: Edit }) body: z.infer<typeof Edit>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    return this.desk.editComment(id, { id: comment, ...body }, principal);
  }

  /** Hears of every change by mail, asked or not. */
  @Put(':id/watch')
  @ReadsFindings('review')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  watch(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    return this.desk.watch(id, principal);
  }

  @Delete(':id/watch')
  @ReadsFindings('review')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  unwatch(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    return this.desk.unwatch(id, principal);
  }
}
