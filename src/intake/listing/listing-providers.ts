import { BackfillsController } from './backfills.controller.js';
import { BucketEventsController } from './bucket-events.controller.js';
import { EngineWatch } from './engine-watch.js';
import { TakeInventoryWorker } from './inventory.worker.js';
import { ReconcileJob } from './jobs/reconcile.job.js';
import { RescanJob } from './jobs/rescan.job.js';
import { ListerService } from './lister.service.js';
import { ListingBell } from './listing-bell.js';
import { ListingRuns } from './runs.service.js';
import { WishesController } from './wishes.controller.js';
import { ListingWishes } from './wishes.js';

/** Kinds of schedules. */
export const LISTING_JOBS = [ReconcileJob, RescanJob] as const;

/** In-process workers of this stage. */
export const LISTING_WORKERS = [TakeInventoryWorker] as const;

export const LISTING_CONTROLLERS = [BackfillsController, WishesController, BucketEventsController] as const;

/** Backfills, rescans and comparisons: what the intake module is made of for them. */
export const LISTING_PROVIDERS = [
  ListingBell,
  ListingRuns,
  ListingWishes,
  ListerService,
  EngineWatch,
  ...LISTING_JOBS,
  ...LISTING_WORKERS,
] as const;
