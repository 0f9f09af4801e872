import { Body, Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccessGuard } from '../../../../access/access.guard.js';
import { Public, type Principal } from '../../../../access/principal.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Conflict, Forbidden, NotFound, Unauthorized } from '../../../../errors.js';
import { hideToken, sayPage, sendPage, UNSEEN } from '../../link-page.js';
import { csrfToken, isCsrfToken } from '../../mail/link.js';
import { Reviewers } from '../../../reviewers.js';
import type { LinkRequest } from '../sql/identities.js';
import { linkForm } from './link-form.js';
import { SlackAccounts } from './slack-accounts.js';
import { isFor, isLinkToken, SLACK_LINK_PATH, SlackIdentities } from './slack-identities.js';

const Followed = z.object({ token: z.string().max(100) });
const Form = z.object({ csrf: z.string().max(100) });

// One for all links: whoever opens another one means that.
const COOKIE = 'sallyport_slack_link';

/**
 * A page of the web UI, which shows the login to whoever is not signed in and leads here whoever is. It is always this
 * one, so that no address that somebody made can lead anywhere else after a login.
 */
const SIGN_IN_PAGE = '/link-slack';

/**
 * Where somebody who is signed in says that a Slack account is theirs. Looking links nothing; the one-time token comes
 * from a message that only that Slack account saw, and leaves the address at once, signed in or not.
 */
@ApiExcludeController()
@Controller('api/v1/slack/link')
@Public()
export class SlackLinkController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly identities: SlackIdentities,
    private readonly accounts: SlackAccounts,
    private readonly guard: AccessGuard,
    private readonly reviewers: Reviewers,
  ) {}

  @Get()
  async show(
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const given = Followed.safeParse(query).data?.token;
    if (given !== undefined) {
      if (!isLinkToken(given)) return this.used(reply);
      return hideToken(reply, this.config, { cookie: COOKIE, token: given, path: SLACK_LINK_PATH });
    }
    const principal = await this.signedIn(request);
    if (principal === undefined) return this.signInFirst(reply);
    const token = request.cookies[COOKIE] ?? '';
    const account = await this.identities.requestOf(token);
    if (account === undefined) return this.used(reply);
    if (!isFor(account, principal)) return this.somebodyElses(reply);
    if (!(await this.decides(principal))) return this.noReviewer(reply);
    const holder = await this.identities.holderOf(account);
    if (holder !== undefined && holder.id !== principal.id) return this.taken(reply);
    const hasOtherAddress = await this.hasOtherAddress(account, principal);
    return sendPage(reply, 200, (nonce) =>
      linkForm(nonce, account, { personName: principal.name, csrf: csrfToken(token), hasOtherAddress }),
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
    const token = request.cookies[COOKIE];
    if (token === undefined || !isCsrfToken(token, Form.safeParse(body).data?.csrf ?? ''))
      return this.used(reply);
    try {
      await this.identities.link(token, { id: principal.id, name: principal.name });
    } catch (error) {
      if (error instanceof NotFound) return this.used(reply);
      if (error instanceof Forbidden) return this.somebodyElses(reply);
      if (error instanceof Conflict) return this.taken(reply);
      throw error;
    }
    reply.clearCookie(COOKIE, { path: SLACK_LINK_PATH });
    return sayPage(reply, this.config, 200, {
      title: 'Linked',
      text: 'Go back to Slack and click again: the buttons work for you now.',
    });
  }

  private async hasOtherAddress({ userId }: LinkRequest, { email }: Principal): Promise<boolean> {
    const inSlack = await this.accounts.emailOf(userId);
    return inSlack !== undefined && email !== undefined && inSlack.toLowerCase() !== email.toLowerCase();
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

  /** To the login, and from there back to this page, whichever way they sign in: the request waits in the cookie. */
  private async signInFirst(reply: FastifyReply): Promise<void> {
    await reply.headers(UNSEEN).redirect(SIGN_IN_PAGE, 303);
  }

  private somebodyElses(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 403, {
      title: 'This link is for somebody else',
      text: 'It proposes a Slack account to another person. Nothing was linked; sign in as that person, or leave it to them.',
    });
  }

  private taken(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 409, {
      title: 'This Slack account is linked to somebody else',
      text: 'Nothing was changed. Whoever it is linked to, or an admin, has to unlink it first (below the list of reviews); then open the link again.',
    });
  }

  private used(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 404, {
      title: 'This link does not work (any more)',
      text: 'It works once, and for a limited time. Click a button of a review in Slack for a new one.',
    });
  }
}
