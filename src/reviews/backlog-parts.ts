import type { Provider, Type } from '@nestjs/common';
import { ReviewBulkController } from './bulk/bulk.controller.js';
import { BulkService } from './bulk/bulk.service.js';
import { CaseDesk } from './cases/case-desk.js';
import { ReviewCasesController } from './cases/cases.controller.js';
import { Kinship } from './cases/kinship.js';
import { ReviewCommentsController } from './comments/comments.controller.js';
import { ReviewComments } from './comments/comments.service.js';
import { Mentions } from './comments/mentioned.js';
import { ReviewViewsController } from './views/views.controller.js';
import { ReviewViews } from './views/views.service.js';

/** What people do with many reviews: at once, in cases, in lists of their own. */
export const BACKLOG_CONTROLLERS: readonly Type[] = [
  ReviewBulkController,
  ReviewCasesController,
  ReviewViewsController,
  ReviewCommentsController,
];
export const BACKLOG_PROVIDERS: readonly Provider[] = [
  BulkService,
  CaseDesk,
  Kinship,
  ReviewViews,
  ReviewComments,
  Mentions,
];
