import { Body, Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccessGuard } from '../../../../access/access.guard.js';
import { Public, type Principal } from '../../../../access/principal.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Forbidden, NotFound, Unauthorized } from '../../../../errors.js';
import { frame } from '../../html-page.js';
import { sayPage, sendPage } from '../../link-page.js';
import { Reviewers } from '../../../reviewers.js';
import { escapeHtml, visible } from '../../../../outbound/safe-text.js';
import { isFor, SLACK_LINK_PATH, SlackIdentities } from './slack-identities.js';

const Token = z.object({ token: z.string().max(100).default('') });

/**
 * Where somebody who is signed in says that a Slack account is theirs. Looking links nothing; the one-time token comes
 * from a message that only that Slack account saw.
 */
@ApiExcludeController()
@Controller('api/v1/slack/link')
@Public()
export class SlackLinkController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly identities: SlackIdentities,
    private readonly guard: AccessGuard,
    private readonly reviewers: Reviewers,
  ) {}

  @Get()
  async show(
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const token = tokenIn(query);
    const principal = await this.signedIn(request);
    if (principal === undefined) return this.signInFirst(reply);
    const account = await this.identities.requestOf(token);
    if (account === undefined) return this.used(reply);
    if (!isFor(account, principal)) return this.somebodyElses(reply);
    if (!(await this.decides(principal))) return this.noReviewer(reply);
    const who = `${visible(account.userName, 80)} (${visible(account.userId, 40)})`;
    return sendPage(reply, 200, (nonce) =>
      frame(
        nonce,
        'Link a Slack account',
        `<h1>Link a Slack account</h1>
<p>The Slack account <strong>${escapeHtml(who)}</strong> will decide in the name of <strong>${escapeHtml(visible(principal.name, 100))}</strong>.</p>
<p>Go on only if this is your own account there: you clicked in Slack yourself, or got a direct message that proposes it.</p>
<form method="post" action="${SLACK_LINK_PATH}"><input type="hidden" name="token" value="${escapeHtml(token)}">
<button class="primary">This is my Slack account</button></form>`,
      ),
    );
  }

  @Post()
  async link(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const principal = await this.signedIn(request);
    if (principal === undefined) return this.signInFirst(reply);
    if (!(await this.decides(principal))) return this.noReviewer(reply);
    try {
      await this.identities.link(tokenIn(body), { id: principal.id, name: principal.name });
    } catch (error) {
      if (error instanceof NotFound) return this.used(reply);
      if (error instanceof Forbidden) return this.somebodyElses(reply);
      throw error;
    }
    return sayPage(reply, this.config, 200, {
      title: 'Linked',
      text: 'Go back to Slack and click again: the buttons work for you now.',
    });
  }

  private async signedIn(request: FastifyRequest): Promise<Principal | undefined> {
    try {
      return await this.guard.identify(request);
    } catch (error) {
      if (error instanceof Unauthorized) return undefined;
      throw error;
    }
  }

  /** The same people as are asked, and as buttons work for: by a role or by a grant for a queue. */
  private async decides({ kind, id }: Principal): Promise<boolean> {
    return kind === 'user' && (await this.reviewers.list()).some(({ personId }) => personId === id);
  }

  private noReviewer(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 403, {
      title: 'Not linked',
      text: 'Your account may not decide on reviews, so nothing can be linked to it. Ask an admin for the role analyst or approver, or for a grant for a queue; then open the link again.',
    });
  }

  private signInFirst(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 401, {
      title: 'Sign in first',
      text: 'Sign in to Sallyport in this browser, then open the link from Slack again.',
    });
  }

  private somebodyElses(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 403, {
      title: 'This link is for somebody else',
      text: 'It proposes a Slack account to another person. Nothing was linked; sign in as that person, or leave it to them.',
    });
  }

  private used(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 404, {
      title: 'This link does not work (any more)',
      text: 'It works once, and for a limited time. Click a button of a review in Slack for a new one.',
    });
  }
}

const tokenIn = (from: unknown): string => {
  const parsed = Token.safeParse(from ?? {});
  return parsed.success ? parsed.data.token : '';
};
