import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '../../../access/principal.js';
import { CONFIG, publicUrl, type Config } from '../../../config.js';
import { MAX_REASON_LENGTH } from '../../rules/command.js';
import { csrfToken, HANDLE_PATTERN, isCsrfToken, MAX_WRONG_CODES } from './link.js';
import { MailLinkService, type MailAnswer, type OpenLink } from './mail-link.service.js';
import { hideToken, openAgain, sayPage, sendPage } from '../link-page.js';
import { reviewPage, type Notice } from './page.js';

const Form = z.object({
  csrf: z.string().max(100).default(''),
  digest: z.string().max(64).default(''),
  do: z.string().max(100).default(''),
  code: z.string().max(100).default(''),
  reason: z
    .string()
    .max(MAX_REASON_LENGTH * 2)
    .default(''),
});

const cookieName = (handle: string): string => `sallyport_r_${handle}`;
const address = (handle: string): string => `/r/v/${handle}`;

/**
 * The page behind a mail's link. Only its POST changes anything: scanners and previews open every link, so GET and
 * HEAD write nothing and use nothing up.
 */
@ApiExcludeController()
@Controller('r')
@Public()
export class MailPageController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly links: MailLinkService,
  ) {}

  @Get(':token')
  async follow(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const open = await this.links.open(token);
    if (open === undefined) return this.gone(reply);
    const { handle } = open.link;
    await hideToken(reply, this.config, { cookie: cookieName(handle), token, path: address(handle) });
  }

  @Get('v/:handle')
  async show(
    @Param('handle') handle: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const found = await this.visitor(handle, request);
    if (found === undefined) return openAgain(reply, this.config);
    return this.page(reply, 200, found.open, found.token, {});
  }

  @Post('v/:handle')
  async answer(
    @Param('handle') handle: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const found = await this.visitor(handle, request);
    if (found === undefined) return openAgain(reply, this.config);
    const { open, token } = found;
    const form = Form.safeParse(body ?? {});
    if (!form.success || !isCsrfToken(token, form.data.csrf)) {
      return this.page(reply, 403, open, token, {
        notice: {
          tone: 'error',
          text: 'That form was not from this page. Nothing was changed; try again here.',
        },
      });
    }
    const wanted = answerOf(form.data);
    if (wanted === undefined) {
      return this.page(reply, 400, open, token, {
        notice: { tone: 'error', text: 'Choose one of the buttons. Nothing was changed.' },
      });
    }
    const result = await this.links.answer(token, open, wanted);
    if (result.kind === 'done') {
      await reply.headers({ 'cache-control': 'no-store' }).redirect(address(handle), 303);
      return;
    }
    const fresh = (await this.links.open(token)) ?? open;
    return this.page(reply, result.status, fresh, token, { notice: result.notice, reason: wanted.reason });
  }

  private async visitor(
    handle: string,
    request: FastifyRequest,
  ): Promise<{ open: OpenLink; token: string } | undefined> {
    if (!HANDLE_PATTERN.test(handle)) return undefined;
    const token = request.cookies[cookieName(handle)];
    const open = token === undefined ? undefined : await this.links.open(token);
    return token !== undefined && open?.link.handle === handle ? { open, token } : undefined;
  }

  private async page(
    reply: FastifyReply,
    status: number,
    { link, review }: OpenLink,
    token: string,
    said: { notice?: Notice; reason?: string },
  ): Promise<void> {
    await sendPage(reply, status, (nonce) =>
      reviewPage(nonce, review, {
        email: link.email,
        csrf: csrfToken(token),
        action: address(link.handle),
        inboxUrl: `${publicUrl(this.config)}/reviews/${review.id}`,
        holderIsMe: review.claim?.by.id === link.person.id,
        dryRun: this.config.DRY_RUN,
        attemptsLeft: MAX_WRONG_CODES - link.wrongCodes,
        ...said,
      }),
    );
  }

  private gone(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 404, {
      title: 'This link does not work (any more)',
      text: 'Links in our mails work for three days. The question itself is still in the inbox, if nobody has answered it.',
    });
  }
}

function answerOf(form: z.infer<typeof Form>): MailAnswer | undefined {
  const rest = {
    code: form.code,
    // What PostgreSQL cannot store is not part of a reason that anybody typed.
    reason: form.reason.replaceAll('\u0000', '').toWellFormed().slice(0, MAX_REASON_LENGTH),
    digest: form.digest,
  };
  if (form.do === 'claim') return { what: { kind: 'claim' }, ...rest };
  const outcome = /^decide:([A-Za-z0-9_-]{1,60})$/.exec(form.do)?.[1];
  return outcome === undefined ? undefined : { what: { kind: 'decide', outcome }, ...rest };
}
