import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { LOG, type Log } from '../ops/log.js';
import { Kinship } from './cases/kinship.js';
import { EngineRounds } from './engine-rounds.js';
import { EvidenceSource } from './evidence.js';
import { SYSTEM } from './review-writer.js';
import { isOpen, ReviewsService } from './reviews.service.js';
import { claimUnchecked } from './sql/claim-unchecked.js';
import { replaceSubject } from './sql/replace-subject.js';
import { subjectDigest } from './subject-digest.js';

const LOOK_EVERY_MS = 5000;
const CHECK_EACH_AFTER_MS = 15_000;
const BATCH = 100;

/**
 * Closes reviews whose workflow ended without them, so that nobody is asked for nothing, and begins a new round where
 * the object was scanned again with another result, so that nobody decides on what no longer stands. Runs in role engine.
 */
@Injectable()
export class ReviewSweeper extends EngineRounds {
  constructor(
    @Inject(CONFIG) config: Pick<Config, 'ROLES'>,
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reviews: ReviewsService,
    private readonly evidence: EvidenceSource,
    private readonly kinship: Kinship,
  ) {
    super({ config, log, clock, everyMs: LOOK_EVERY_MS, failed: 'open reviews could not be checked' });
  }

  protected look(): Promise<number> {
    return this.sweep();
  }

  /** One bounded look. @returns how many reviews were closed. */
  async sweep(): Promise<number> {
    const now = Math.round(this.clock.now());
    const due = await claimUnchecked(this.db, { now, notSince: now - CHECK_EACH_AFTER_MS, limit: BATCH });
    let closed = 0;
    for (const { id, task_id } of due) {
      if (this.stopping.aborted) break;
      if (await this.reviews.cancelIfTaskEnded(id, task_id)) closed += 1;
      else await this.renew(id);
    }
    return closed;
  }

  private async renew(id: string): Promise<void> {
    const review = await this.reviews.get(id);
    const { object, quarantined } = review.subject;
    if (review.scanId === undefined || object === undefined || !isOpen(review)) return;
    const found = await this.evidence.since(review.scanId, object.objectId);
    if (found === undefined) return;
    const subject = {
      ...found,
      ...(quarantined === undefined ? {} : { quarantined }),
      // Whose it is was judged when the review opened; the bytes are the same object's.
      ...(found.object === undefined
        ? {}
        : {
            object: {
              ...found.object,
              uploader: object.uploader ?? found.object.uploader,
              uploadedBy: object.uploadedBy,
            },
          }),
    };
    const digest = subjectDigest(subject, review.policy.form);
    if (digest === review.subjectDigest) return;
    await this.reviews.change(id, { kind: 'renew', digest }, SYSTEM, async (tx, after) => {
      await this.kinship.renewed(tx, after, subject, after.updatedAt);
      return replaceSubject(tx, id, subject);
    });
  }
}
