import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '../../access/principal.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { escapeHtml, visible, visibleLines } from '../../outbound/safe-text.js';
import { frame } from '../channels/html-page.js';
import { hideToken, openAgain, sayPage, sendPage } from '../channels/link-page.js';
import {
  csrfToken,
  isCode,
  isCsrfToken,
  MAX_WRONG_CODES,
  TOKEN_PATTERN,
  tokenHash,
  typedCode,
} from '../channels/mail/link.js';
import { minuteOf } from '../channels/question.js';
import { MAX_REASON_LENGTH } from '../rules/command.js';
import { findReview } from '../sql/find-review.js';
import { AskUploader } from './ask-uploader.service.js';
import { objectText } from './question-mail.js';
import { findQuestionLink, returnAttempt, takeAttempt, type QuestionLink } from './sql/questions.js';

const Form = z.object({
  csrf: z.string().max(100).default(''),
  code: z.string().max(100).default(''),
  answer: z
    .string()
    .max(MAX_REASON_LENGTH * 2)
    .default(''),
});

const cookieName = (id: string): string => `sallyport_q_${id}`;
const address = (id: string): string => `/q/v/${id}`;

interface Visit {
  readonly token: string;
  readonly link: QuestionLink;
}

/**
 * The page behind the mail to an uploader. As with the links to reviewers only its POST changes anything, with the code from the
 * mail; GET and HEAD use nothing up, and the token leaves the address at once.
 */
@ApiExcludeController()
@Controller('q')
@Public()
export class AnswerPageController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly questions: AskUploader,
  ) {}

  @Get(':token')
  async follow(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const link = await this.linkOf(token);
    if (link === undefined)
      return sayPage(reply, this.config, 404, {
        title: 'This link does not work (any more)',
        text: 'The question was taken back, or its time is over.',
      });
    await hideToken(reply, this.config, { cookie: cookieName(link.id), token, path: address(link.id) });
  }

  @Get('v/:id')
  async show(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const visit = await this.visitor(id, request);
    if (visit === undefined) return openAgain(reply, this.config);
    return this.page(reply, 200, visit);
  }

  @Post('v/:id')
  async answer(
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const visit = await this.visitor(id, request);
    if (visit === undefined) return openAgain(reply, this.config);
    if (visit.link.endedAs !== null) return this.page(reply, 200, visit);
    const form = Form.safeParse(body ?? {});
    if (!form.success || !isCsrfToken(visit.token, form.data.csrf))
      return this.page(
        reply,
        403,
        visit,
        'That form was not from this page. Nothing was changed; try again here.',
      );
    // What PostgreSQL cannot store is not part of an answer that anybody typed.
    const text = form.data.answer.replaceAll('\u0000', '').toWellFormed().trim().slice(0, MAX_REASON_LENGTH);
    if (text === '') return this.page(reply, 400, visit, 'Write an answer. Your code was not used up.');
    const wrong = await this.checkCode(visit, form.data.code);
    if (wrong !== undefined) return this.page(reply, 403, visit, wrong, text);
    const late = await this.questions.answer(visit.link, text);
    if (late !== undefined) return this.page(reply, 409, visit, late, text);
    await reply.headers({ 'cache-control': 'no-store' }).redirect(address(id), 303);
  }

  private async checkCode({ token, link }: Visit, given: string): Promise<string | undefined> {
    const locked = 'This link is locked after too many wrong codes. Answer whoever asks you by other means.';
    const used = await takeAttempt(this.db, tokenHash(token));
    if (used === undefined) return locked;
    if (isCode(token, typedCode(given), link.codeHash)) {
      await returnAttempt(this.db, tokenHash(token));
      return undefined;
    }
    const left = MAX_WRONG_CODES - used;
    return left > 0
      ? `The code is not the one in your mail. ${left} ${left === 1 ? 'attempt is' : 'attempts are'} left.`
      : locked;
  }

  /** Looking changes nothing. One that was answered shows that; one whose time is over is none any more. */
  private async linkOf(token: string): Promise<QuestionLink | undefined> {
    if (!TOKEN_PATTERN.test(token)) return undefined;
    const link = await findQuestionLink(this.db, tokenHash(token));
    const isOpen = link?.endedAs === null && link.answerBy > this.clock.now();
    return isOpen || link?.endedAs === 'answered' ? link : undefined;
  }

  private async visitor(id: string, request: FastifyRequest): Promise<Visit | undefined> {
    const token = /^[\da-f-]{36}$/.test(id) ? request.cookies[cookieName(id)] : undefined;
    const link = token === undefined ? undefined : await this.linkOf(token);
    return token !== undefined && link?.id === id ? { token, link } : undefined;
  }

  private async page(
    reply: FastifyReply,
    status: number,
    visit: Visit,
    notice = '',
    typed = '',
  ): Promise<void> {
    const { token, link } = visit;
    const review = await findReview(this.db, { id: link.reviewId });
    if (review === undefined) return openAgain(reply, this.config);
    const title = 'A question about your upload';
    const lines = visibleLines(link.question).map(escapeHtml).join('<br>');
    const body = [
      `<p class="muted">You are answering as <strong>${escapeHtml(link.email)}</strong></p>`,
      `<h1>${title}</h1>`,
      `<p class="name"><bdi>${escapeHtml(objectText(review))}</bdi></p>`,
      notice === '' ? '' : `<p class="notice error" role="alert" id="notice">${escapeHtml(notice)}</p>`,
      `<p>${escapeHtml(visible(link.askedByName, 100))} asks:</p><blockquote>${lines}</blockquote>`,
      link.endedAs === null
        ? answerForm(link, csrfToken(token), typed, notice !== '')
        : '<p class="notice done" role="status">Thank you: your answer is kept. Nothing more is needed.</p>',
    ];
    await sendPage(reply, status, (nonce) => frame(nonce, title, body.join('\n')));
  }
}

const answerForm = (link: QuestionLink, csrf: string, typed: string, isWrong: boolean): string => `
<form method="post" action="${address(link.id)}" autocomplete="off">
<input type="hidden" name="csrf" value="${escapeHtml(csrf)}">
<label for="answer">Your answer <span class="muted">(kept with the review; write no password or key)</span></label>
<textarea id="answer" name="answer" rows="5" maxlength="${MAX_REASON_LENGTH}" required>${escapeHtml(typed)}</textarea>
<label for="code">Code from the mail</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required placeholder="0000 0000"${isWrong ? ' aria-describedby="notice"' : ''}>
<div class="choices"><button class="primary">Send the answer</button></div>
</form>
<p class="muted foot">An answer is awaited until ${minuteOf(link.answerBy)}.</p>`;
