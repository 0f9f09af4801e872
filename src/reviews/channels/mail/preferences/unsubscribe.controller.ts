import { randomBytes } from 'node:crypto';
import { Controller, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../../../access/principal.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { escapeHtml } from '../../../../outbound/safe-text.js';
import { frame, messagePage, pageHeaders } from '../../html-page.js';
import { MailPreferences } from './preferences.service.js';

/**
 * Less mail by one click (RFC 8058). Mail programs post here without a page and without a cookie, so it needs neither:
 * it is undone by whoever is logged in, and what is somebody's own comes all the same. GET changes nothing.
 */
@ApiExcludeController()
@Controller('u')
@Public()
export class UnsubscribeController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly preferences: MailPreferences,
  ) {}

  @Get(':token')
  async page(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    if (this.preferences.personOf(token) === undefined) return this.unknown(reply);
    const nonce = randomBytes(16).toString('base64url');
    const body = `<h1>Less mail about reviews</h1>
<p>You will be mailed only what asks you by name or is given to you, and what nobody else would hear of.</p>
<form method="post" action="/u/${escapeHtml(token)}"><button class="quiet">Mail me less</button></form>`;
    await reply
      .status(200)
      .headers(pageHeaders(nonce))
      .send(frame(nonce, 'Less mail', body));
  }

  @Post(':token')
  @HttpCode(200)
  async unsubscribe(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const personId = this.preferences.personOf(token);
    if (personId === undefined) return this.unknown(reply);
    await this.preferences.set(personId, 'mine', `user:${personId}`);
    await this.say(
      reply,
      200,
      'You get less mail from now on',
      'Only what asks you by name or is given to you. Below the list of reviews you can ask for all of it again.',
    );
  }

  private unknown(reply: FastifyReply): Promise<void> {
    return this.say(
      reply,
      404,
      'This link does not work',
      'Log in and choose your mail below the list of reviews.',
    );
  }

  private async say(reply: FastifyReply, status: number, title: string, text: string): Promise<void> {
    const nonce = randomBytes(16).toString('base64url');
    await reply
      .status(status)
      .headers(pageHeaders(nonce))
      .send(messagePage(nonce, title, text, `${publicUrl(this.config)}/reviews`));
  }
}
