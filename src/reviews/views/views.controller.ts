import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { ReviewView, ReviewViewList, ViewChange, viewOf, ViewRequest } from './view.view.js';
import { ReviewViews } from './views.service.js';
import { CommentsOnReviews, SeesReviews } from '../review-access.js';

const ViewId = z.uuid('is not the id of a view');

/** Lists of reviews under a name: filters, order and columns, for oneself or shared. */
@ApiTags('reviews')
@Controller('api/v1/review-views')
export class ReviewViewsController {
  constructor(private readonly views: ReviewViews) {}

  /** One's own, and those that others share with everybody or with a group that one is in. */
  @Get()
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewViewList })
  async list(@CurrentPrincipal() principal: Principal): Promise<z.infer<typeof ReviewViewList>> {
    return { items: (await this.views.list(principal)).map((view) => viewOf(view, principal.id)) };
  }

  @Post()
  @CommentsOnReviews()
  @ApiCreatedResponse({ standardSchema: ReviewView })
  async make(
    @Body({ schema: ViewRequest }) body: ViewRequest,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewView> {
    return viewOf(await this.views.make(body, principal), principal.id);
  }

  @Put(':id')
  @CommentsOnReviews()
  @ApiOkResponse({ standardSchema: ReviewView })
  async change(
    @Param('id', { schema: ViewId }) id: string,
    @Body({ schema: ViewChange }) body: ViewChange,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewView> {
    return viewOf(await this.views.change(id, body, principal), principal.id);
  }

  @Delete(':id')
  @HttpCode(204)
  @CommentsOnReviews()
  @ApiNoContentResponse()
  remove(
    @Param('id', { schema: ViewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.views.remove(id, principal);
  }
}
