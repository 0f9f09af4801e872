import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { Conflict, Forbidden, NotFound } from '../../errors.js';
import type { OpenedBody } from '../../s3/body.js';
import { StorageError } from '../../s3/storage-error.js';
import { ObjectBytes } from '../bytes/object-bytes.js';
import { People } from '../people.js';
import { ReviewWriter } from '../review-writer.js';
import type { Review } from '../review.js';
import { BECAUSE_TEXT } from '../refusal-error.js';
import { eligibility } from '../rules/eligibility.js';
import type { Reviewer } from '../rules/review.js';
import { LINK_MS, stateOf, WAIT_MS } from './download-state.js';
import {
  answerDownload,
  downloadsOf,
  endDownload,
  findDownload,
  giveLink,
  insertDownload,
  useLink,
  type Download,
} from './sql/downloads.js';

/** Of one review, in all; whoever needs more has another task than deciding. */
export const MAX_DOWNLOADS = 100;
const TOKEN = /^[\w-]{43}$/;

/** The bytes of what a review is about, for one person, once, for a reason, and told in its timeline. */
@Injectable()
export class Downloads {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'DOWNLOAD_FOUR_EYES'>,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bytes: ObjectBytes,
    private readonly people: People,
    private readonly writer: ReviewWriter,
  ) {}

  list(review: Review): Promise<Download[]> {
    return downloadsOf(this.db, review.id, MAX_DOWNLOADS);
  }

  /** Asks for the version that was scanned. @throws Conflict where it is not there any more. */
  async ask(review: Review, reason: string, who: Reviewer): Promise<Download> {
    if (review.scanId === undefined)
      throw new Conflict('This review is about no scan, so that there are no bytes.');
    const located = await this.bytes.locate(review.scanId);
    if (located.kind === 'gone') throw new Conflict(`There is nothing to download. ${located.why}`);
    const now = this.now();
    const download: Download = {
      id: randomUUID(),
      reviewId: review.id,
      object: located.object,
      readFrom: located.where,
      uploadedAs: located.uploadedAs,
      askedBy: who.id,
      askedByName: who.name,
      reason,
      askedAt: now,
      needsGrant: needsGrant(this.config.DOWNLOAD_FOUR_EYES, review.policy.queue),
      answer: null,
      answeredBy: null,
      answeredByName: null,
      answeredAt: null,
      answerReason: null,
      expiresAt: now + WAIT_MS,
      linkExpiresAt: null,
      usedAt: null,
      endedAt: null,
      sentBytes: null,
      sentSha256: null,
      isWhole: null,
    };
    await this.db.transaction(async (tx) => {
      if (!(await insertDownload(tx, download, MAX_DOWNLOADS)))
        throw new Conflict(
          `This review has had ${MAX_DOWNLOADS} downloads. Scan the object again for another review.`,
        );
      const { object, readFrom, needsGrant: needs } = download;
      const data = { download: download.id, reason, readFrom, object, needsGrant: needs };
      await this.writer.note(tx, review.id, 'download_asked', who, now, data);
    });
    return download;
  }

  /**
   * Somebody else agrees, or does not.
   *
   * @throws Forbidden for the asker, and whom four eyes keep out of the review; Conflict naming who answered first.
   */
  async answer(
    review: Review,
    id: string,
    said: { readonly answer: 'granted' | 'refused'; readonly reason: string },
    who: Reviewer,
  ): Promise<Download> {
    const download = await this.get(review.id, id);
    if (download.askedBy === who.id)
      throw new Forbidden('You asked for this download: somebody else must agree to it (four eyes).');
    const now = this.now();
    const acting = await this.people.acting(who, now);
    const judged = eligibility(review, acting);
    if (!judged.may)
      throw new Forbidden(
        judged.why === 'excluded'
          ? `${who.name} may not decide here (four eyes): ${BECAUSE_TEXT[judged.because]}.`
          : 'Only who may decide this review may agree to its downloads.',
      );
    if (acting.standsInFor?.some((one) => one.id === download.askedBy) === true)
      throw new Forbidden(
        'You stand in for whoever asked for this download: somebody else must agree to it.',
      );
    await this.db.transaction(async (tx) => {
      const expiresAt = now + WAIT_MS;
      if (!(await answerDownload(tx, id, { ...said, by: who, at: now, expiresAt })))
        throw this.notWaiting(await this.get(review.id, id));
      const kind = said.answer === 'granted' ? 'download_granted' : 'download_refused';
      const data = {
        download: id,
        reason: said.reason,
        askedBy: { id: download.askedBy, name: download.askedByName },
      };
      await this.writer.note(tx, review.id, kind, who, now, data);
    });
    return this.get(review.id, id);
  }

  /** A link for whoever asked, in place of the one before. @throws Forbidden; Conflict saying why there is none. */
  async link(review: Review, id: string, who: Reviewer): Promise<{ token: string; expiresAt: number }> {
    const download = await this.get(review.id, id);
    if (download.askedBy !== who.id)
      throw new Forbidden(`${download.askedByName} asked for this download; its link is for nobody else.`);
    const now = this.now();
    const token = randomBytes(32).toString('base64url');
    const expiresAt = now + LINK_MS;
    if (!(await giveLink(this.db, id, { tokenHash: hashOf(token), at: now, expiresAt })))
      throw this.notReady(await this.get(review.id, id));
    return { token, expiresAt };
  }

  /** What a link opens, for its person. Nothing is used up. @throws NotFound, Forbidden, Conflict saying what is wrong with it. */
  async opened(token: string, who: Reviewer): Promise<Download> {
    const download = TOKEN.test(token)
      ? await findDownload(this.db, { tokenHash: hashOf(token) })
      : undefined;
    if (download === undefined)
      throw new NotFound(
        'This link opens nothing. A newer one took its place, or it is not whole: fetch it again.',
      );
    if (download.askedBy !== who.id)
      throw new Forbidden(`This link is ${download.askedByName}’s alone. Ask for a download of your own.`);
    const now = this.now();
    if (download.usedAt !== null || download.linkExpiresAt === null || download.linkExpiresAt <= now)
      throw this.notReady(download);
    return download;
  }

  /**
   * Opens the bytes and then uses the link up: what cannot be read leaves it as it is.
   *
   * @throws Conflict where the version is gone or somebody was faster; StorageError.
   */
  async begin(token: string, download: Download, who: Reviewer, signal: AbortSignal): Promise<OpenedBody> {
    const body = await this.open(download, signal);
    try {
      const now = this.now();
      await this.db.transaction(async (tx) => {
        if (!(await useLink(tx, hashOf(token), now)))
          throw this.notReady(await this.get(download.reviewId, download.id));
        await this.writer.note(tx, download.reviewId, 'download_started', who, now, {
          download: download.id,
        });
      });
      return body;
    } catch (error) {
      body.body.destroy();
      throw error;
    }
  }

  /** Notes what was sent. @param expectedSha256 of what was scanned. */
  async ended(
    download: Download,
    who: Reviewer,
    sent: { readonly bytes: number; readonly sha256: string; readonly isWhole: boolean },
    expectedSha256: string | undefined,
  ): Promise<void> {
    const at = this.now();
    const { bytes: sentBytes, sha256: sentSha256, isWhole } = sent;
    const isScanned = isWhole && expectedSha256 !== undefined ? sentSha256 === expectedSha256 : undefined;
    await this.db.transaction(async (tx) => {
      await endDownload(tx, download.id, { at, sentBytes, sentSha256, isWhole });
      const data = { download: download.id, bytes: sentBytes, sha256: sentSha256, isWhole };
      await this.writer.note(tx, download.reviewId, 'download_ended', who, at, {
        ...data,
        ...(isScanned !== undefined && { isWhatWasScanned: isScanned }),
      });
    });
  }

  private async open({ object }: Download, signal: AbortSignal): Promise<OpenedBody> {
    try {
      return await this.bytes.open(object, signal);
    } catch (error) {
      if (error instanceof StorageError && (error.outcome === 'gone' || error.outcome === 'superseded'))
        throw new Conflict(
          'The version that was asked for is not there any more. Nothing was sent.',
          {},
          { cause: error },
        );
      throw error;
    }
  }

  private async get(reviewId: string, id: string): Promise<Download> {
    const download = await findDownload(this.db, { reviewId, id });
    if (download === undefined) throw new NotFound(`No download ${id} of this review. Check the id.`);
    return download;
  }

  private notWaiting(download: Download): Conflict {
    const { answer, answeredByName, answeredAt } = download;
    if (answer !== null && answeredAt !== null)
      return new Conflict(`${answeredByName} has ${answer} it already, at ${iso(answeredAt)}.`, {
        by: answeredByName,
        at: iso(answeredAt),
        state: stateOf(download, this.now()),
      });
    return download.needsGrant
      ? new Conflict(`Nobody answered in time: it ended at ${iso(download.expiresAt)}. Ask again.`)
      : new Conflict('This download needs nobody’s consent.');
  }

  private notReady(download: Download): Conflict {
    const state = stateOf(download, this.now());
    const details = { state };
    if (download.usedAt !== null)
      return new Conflict(
        `This download was used at ${iso(download.usedAt)}; a link works once. Ask for another.`,
        { ...details, at: iso(download.usedAt) },
      );
    switch (state) {
      case 'waiting':
        return new Conflict('Somebody else must agree to this download first.', details);
      case 'refused':
        return new Conflict(
          `${download.answeredByName} refused this download: ${download.answerReason}`,
          details,
        );
      case 'expired':
        return new Conflict(`This download ended at ${iso(download.expiresAt)}. Ask for another.`, details);
      default:
        return new Conflict('This link has expired: it works for fifteen minutes. Fetch a new one.', details);
    }
  }

  private readonly now = (): number => Math.round(this.clock.now());
}

const hashOf = (token: string): Buffer => createHash('sha256').update(`download:${token}`).digest();
const iso = (at: number): string => new Date(at).toISOString();

/** `*`: in every queue; else in those that are named. */
export const needsGrant = (queues: readonly string[], queue: string): boolean =>
  queues.includes('*') || queues.includes(queue);
