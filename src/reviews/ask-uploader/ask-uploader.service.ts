import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { AppError, Conflict } from '../../errors.js';
import { LOG, type Log } from '../../ops/log.js';
import { EngineRounds } from '../engine-rounds.js';
import { ReviewWriter, SYSTEM } from '../review-writer.js';
import type { Review } from '../review.js';
import { ReviewsService } from '../reviews.service.js';
import { isEnded, type Reviewer } from '../rules/review.js';
import { Uploaders } from '../uploader/uploaders.js';
import { recipientOf, type NobodyToAsk, type Recipient } from './recipient.js';
import { endQuestion, insertQuestion, silentQuestions, type UploaderQuestion } from './sql/questions.js';

/** Outbox kind of the mail that asks an uploader. */
export const UPLOADER_QUESTION = 'uploader.question';
/** Of one review, in all: whoever needs more should talk. */
export const MAX_QUESTIONS = 20;

const LOOK_EVERY_MS = 15_000;
const BATCH = 100;

/**
 * Asks whoever uploaded the object, by mail; the review waits for the answer as for any that is asked back. Without one by the
 * time that was set, it goes on.
 */
@Injectable()
export class AskUploader extends EngineRounds {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'ROLES' | 'UPLOADER_MAIL_DOMAINS'>,
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reviews: ReviewsService,
    private readonly writer: ReviewWriter,
    private readonly uploaders: Uploaders,
  ) {
    super({
      config,
      log,
      clock,
      everyMs: LOOK_EVERY_MS,
      failed: 'questions to uploaders could not be looked at',
    });
  }

  /** Why nobody can be asked, and what mends it; undefined where somebody can. */
  async whyNot(review: Review): Promise<string | undefined> {
    const to = await this.recipient(review);
    return 'whyNot' in to ? to.whyNot : undefined;
  }

  /** @throws Conflict where nobody can be asked, saying why and what mends it; what {@link ReviewsService.act} does. */
  async ask(review: Review, question: string, answerWithinMs: number, who: Reviewer): Promise<void> {
    const to = await this.recipient(review);
    if ('whyNot' in to) throw new Conflict(to.whyNot);
    const now = Math.round(this.clock.now());
    const asked: UploaderQuestion = {
      id: randomUUID(),
      reviewId: review.id,
      question,
      askedBy: who.id,
      askedByName: who.name,
      askedAt: now,
      personId: to.id,
      personName: to.name,
      email: to.email,
      answerBy: now + answerWithinMs,
      endedAs: null,
    };
    await this.reviews.change(review.id, { kind: 'ask', question }, who, async (tx) => {
      if (!(await insertQuestion(tx, asked, MAX_QUESTIONS)))
        throw new Conflict(
          `The uploader is being asked already, or was asked ${MAX_QUESTIONS} times. Wait for the answer, or resume the review.`,
        );
      const answerBy = new Date(asked.answerBy).toISOString();
      const data = { to: { id: to.id, name: to.name }, isConfirmed: to.isConfirmed, answerBy };
      await this.writer.note(tx, review.id, 'uploader_asked', who, now, data, { questionId: asked.id });
      await this.writer.enqueue(tx, [
        { kind: UPLOADER_QUESTION, key: asked.id, payload: { questionId: asked.id } },
      ]);
      return true;
    });
  }

  /** Brings the answer into the timeline, and lets the review go on. @returns what is said where it is too late. */
  async answer(question: UploaderQuestion, text: string): Promise<string | undefined> {
    const who: Reviewer = {
      id: question.personId,
      name: question.personName,
      isAdmin: false,
      via: 'mail',
      method: 'mail-code',
    };
    const review = await this.reviews.get(question.reviewId);
    if (isEnded(review.state)) return 'The question was decided without your answer. Nothing was changed.';
    const now = Math.round(this.clock.now());
    if (waitsFor(review, question)) {
      try {
        const changed = await this.reviews.change(review.id, { kind: 'answer', text }, who, (tx) =>
          endQuestion(tx, question.id, 'answered', now),
        );
        return changed === undefined ? 'It was answered already. Nothing was changed.' : undefined;
      } catch (error) {
        if (!(error instanceof AppError) || error.status >= 500) throw error;
        // Somebody let it go on in the same moment: the answer is kept all the same.
        if (isEnded((await this.reviews.get(review.id)).state)) return error.message;
      }
    }
    // It does not wait any more: what they say belongs to it still.
    const isFirst = await this.db.transaction(async (tx) => {
      if (!(await endQuestion(tx, question.id, 'answered', now))) return false;
      const data = { question: question.question, answer: text };
      await this.writer.note(tx, review.id, 'answered', who, now, data);
      return true;
    });
    return isFirst ? undefined : 'It was answered already, or the time for it is over. Nothing was changed.';
  }

  private async recipient({ subject }: Review): Promise<Recipient | NobodyToAsk> {
    return recipientOf(
      await this.uploaders.resolve(subject.object?.uploader),
      this.config.UPLOADER_MAIL_DOMAINS,
    );
  }

  protected look(): Promise<number> {
    return this.sweep();
  }

  /** Lets go on what waited for an answer for too long. @returns how many questions ended. */
  async sweep(): Promise<number> {
    const now = Math.round(this.clock.now());
    const silent = await silentQuestions(this.db, now, BATCH);
    for (const question of silent) {
      if (this.stopping.aborted) return 0;
      await this.goOn(question, now);
    }
    return silent.length;
  }

  private async goOn(question: UploaderQuestion, now: number): Promise<void> {
    const review = await this.reviews.get(question.reviewId);
    const data = { to: { id: question.personId, name: question.personName }, question: question.question };
    if (!isEnded(review.state) && waitsFor(review, question)) {
      try {
        await this.reviews.change(review.id, { kind: 'resume' }, SYSTEM, async (tx) => {
          if (!(await endQuestion(tx, question.id, 'silent', now))) return false;
          await this.writer.note(tx, review.id, 'uploader_silent', SYSTEM, now, data);
          return true;
        });
        return;
      } catch (error) {
        if (!(error instanceof AppError) || error.status >= 500) throw error;
        // It ended, or went on, at the same moment: below.
      }
    }
    await this.db.transaction(async (tx) => {
      const isOver = isEnded((await this.reviews.get(review.id)).state);
      if ((await endQuestion(tx, question.id, isOver ? 'over' : 'silent', now)) && !isOver)
        await this.writer.note(tx, review.id, 'uploader_silent', SYSTEM, now, data);
    });
  }
}

/** It waits for this answer, and not for another that was asked for since. */
const waitsFor = (review: Review, { question, askedBy }: UploaderQuestion): boolean =>
  review.info?.question === question && review.info.by.id === askedBy;
