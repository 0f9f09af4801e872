import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Conflict, InvalidInput, NotFound, TooLarge } from '../../errors.js';
import { audit, ReviewWriter } from '../review-writer.js';
import type { Review } from '../review.js';
import type { Reviewer } from '../rules/review.js';
import { AttachmentScanner, MAX_ATTACHMENT_BYTES } from './attachment-scanner.js';
import { AttachmentScans } from './attachment-scans.js';
import {
  attachmentBytes,
  attachmentsOf,
  findAttachment,
  holdReview,
  insertAttachment,
  sameAttachment,
  type Attachment,
} from './sql/attachments.js';

/** Of one review, refused ones among them. */
export const MAX_ATTACHMENTS = 20;
// A slow reader holds this much, and no connection to PostgreSQL meanwhile.
const SLICE_BYTES = 256 * 1024;

/** Files beside a review: stored first, looked at by our own scanners, and had by nobody before they are clean. */
@Injectable()
export class Attachments {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly scanner: AttachmentScanner,
    private readonly scans: AttachmentScans,
    private readonly writer: ReviewWriter,
  ) {}

  list(review: Review): Promise<Attachment[]> {
    return attachmentsOf(this.db, review.id, MAX_ATTACHMENTS);
  }

  /**
   * Stores a file, which then waits for its scan. The same again by the same person is the one that is there.
   *
   * @throws InvalidInput for an empty one; TooLarge; Conflict where the review has too many.
   */
  async add(
    review: Review,
    file: { readonly name: string; readonly bytes: Buffer },
    who: Reviewer,
  ): Promise<Attachment> {
    const { bytes } = file;
    if (bytes.length === 0) throw InvalidInput.field('body', 'is empty. Send the bytes of a file');
    if (bytes.length > MAX_ATTACHMENT_BYTES)
      throw new TooLarge(
        `body: an attachment may have ${MAX_ATTACHMENT_BYTES / 1024 ** 2} MB. Attach a part of it, or say where it is.`,
      );
    const name = await this.scanner.shownName(file.name);
    const attachedAt = this.now();
    const wish = {
      id: randomUUID(),
      reviewId: review.id,
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      by: { id: who.id, name: who.name },
      attachedAt,
    };
    const id = await this.db.transaction(async (tx) => {
      await holdReview(tx, review.id);
      const same = await sameAttachment(tx, wish);
      if (same !== undefined) return same.id;
      if (!(await insertAttachment(tx, wish, bytes, MAX_ATTACHMENTS)))
        throw new Conflict(
          `This review has ${MAX_ATTACHMENTS} attachments, and no more can be added. Say in a comment where the file is.`,
        );
      await this.writer.note(tx, review.id, 'attached', who, attachedAt, {
        attachment: wish.id,
        name,
        bytes: bytes.length,
        sha256: wish.sha256,
      });
      return wish.id;
    });
    this.scans.wake();
    return this.get(review, id);
  }

  /** One that may be had. @throws NotFound; Conflict while it is scanned, and where it is refused, with why. */
  async clean(review: Review, id: string): Promise<Attachment> {
    const attachment = await this.get(review, id);
    const { state, why } = attachment;
    if (state === 'scanning')
      throw new Conflict('This file is being scanned. Nobody can have it before it is clean.', { state });
    if (state === 'refused') throw new Conflict(`This file was refused. ${why}`, { state });
    return attachment;
  }

  /** Noted before the first byte. */
  async fetched({ id, reviewId, sha256 }: Attachment, who: Reviewer): Promise<void> {
    const data = { attachment: id, sha256 };
    await appendAudit(this.db, [audit(reviewId, 'attachment_fetched', who, this.now(), data)]);
  }

  /** The bytes, a slice at a time. @throws when they are not there; the connection breaks off then. */
  async *bytes({ id, sizeBytes }: Attachment): AsyncGenerator<Buffer, void> {
    for (let from = 0; from < sizeBytes; from += SLICE_BYTES) {
      const slice = await attachmentBytes(this.db, id, from, SLICE_BYTES);
      if (slice === undefined) throw new Error(`the bytes of attachment ${id} are not there`);
      yield slice;
    }
  }

  private async get(review: Review, id: string): Promise<Attachment> {
    const attachment = await findAttachment(this.db, review.id, id);
    if (attachment === undefined)
      throw new NotFound(`No attachment ${id} of this review. The list names each.`);
    return attachment;
  }

  private readonly now = (): number => Math.round(this.clock.now());
}
