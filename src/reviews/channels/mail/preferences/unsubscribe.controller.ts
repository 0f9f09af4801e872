import { Controller, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../../../access/principal.js';
import { CONFIG, type Config } from '../../../../config.js';
import { escapeHtml } from '../../../../outbound/safe-text.js';
import { frame } from '../../html-page.js';
import { sayPage, sendPage } from '../../link-page.js';
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
    const body = `<h1>Less mail about reviews</h1>
<p>You will be mailed only what asks you by name or is given to you, and what nobody else would hear of.</p>
<form method="post" action="/u/${escapeHtml(token)}"><button class="quiet">Mail me less</button></form>`;
    await sendPage(reply, 200, (nonce) => frame(nonce, 'Less mail', body));
  }

  @Post(':token')
  @HttpCode(200)
  async unsubscribe(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const personId = this.preferences.personOf(token);
    if (personId === undefined) return this.unknown(reply);
    await this.preferences.set(personId, 'mine', `user:${personId}`);
    await sayPage(reply, this.config, 200, {
      title: 'You get less mail from now on',
      text: 'Only what asks you by name or is given to you. Below the list of reviews you can ask for all of it again.',
    });
  }

  private unknown(reply: FastifyReply): Promise<void> {
    return sayPage(reply, this.config, 404, {
      title: 'This link does not work',
      text: 'Log in and choose your mail below the list of reviews.',
    });
  }
}
