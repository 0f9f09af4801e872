import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../config.js';
import { clientOf } from '../../http/client.js';
import { Keyring } from '../keyring.js';
import { Public } from '../principal.js';
import { setSession } from '../session-cookie.js';
import { OidcSignIn } from './oidc-sign-in.js';
import { forgetPending, keepPending, pendingOf } from './pending-sign-in.js';
import { loginPath, returnPath } from './return-path.js';
import { SignInRefused } from './sign-in-refused.js';

const Ways = z
  .object({
    /** The identity provider, where there is one; `url` begins a sign-in, and takes the page to come back to as `to`. */
    provider: z.object({ name: z.string(), url: z.string() }).optional(),
  })
  .meta({ id: 'WaysToLogIn' });
type Ways = z.infer<typeof Ways>;

const StartQuery = z.object({
  /** A path of ours; everything else leads to the first page. */
  to: z.string().max(4_000).optional(),
});

// The address of the callback holds the code: no cache, no page behind it may have it.
const PRIVATE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' };

/** Sign-in at the identity provider: the browser goes there and comes back. */
@ApiTags('access')
@Controller('api/v1/session')
@Public()
export class OidcController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
    private readonly signIn: OidcSignIn,
  ) {}

  private get sealed() {
    return { config: this.config, keyring: this.keyring, clock: this.clock };
  }

  /** How people can log in beside name and password. */
  @Get('ways')
  @ApiOkResponse({ standardSchema: Ways })
  ways(): Ways {
    const { name } = this.signIn;
    // At PUBLIC_URL, where the provider sends the browser back to: the cookie that waits there must be of that host.
    const url = `${publicUrl(this.config)}/api/v1/session/oidc/start`;
    return name === undefined ? {} : { provider: { name, url } };
  }

  /** Sends the browser to the provider. */
  @Get('oidc/start')
  async start(
    @Query({ schema: StartQuery }) { to }: z.infer<typeof StartQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    try {
      const { url, pending } = await this.signIn.begin(returnPath(to));
      keepPending(request, reply, this.sealed, pending);
      await reply.headers(PRIVATE).redirect(url, 303);
    } catch (error) {
      await this.toLogin(reply, error);
    }
  }

  /** Where the provider sends it back to. */
  @Get('oidc/callback')
  async callback(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { search } = new URL(request.url, 'http://here.invalid');
    const pending = pendingOf(request, this.sealed);
    let returnTo = '/';
    try {
      if (pending === undefined || !OidcSignIn.belongsTo(search, pending))
        throw new SignInRefused('expired', 'This browser waits for no such answer.');
      returnTo = pending.returnTo;
      forgetPending(reply);
      const { address } = clientOf(request, this.config.TRUST_PROXY);
      setSession(request, reply, this.config, await this.signIn.finish(search, pending, address));
      await reply.headers(PRIVATE).redirect(returnTo, 303);
    } catch (error) {
      await this.toLogin(reply, error, returnTo);
    }
  }

  /**
   * Whoever logs in otherwise then is where they wanted to go. The login page has a sentence for each refusal; only its
   * name travels, so that no link can put words there.
   */
  private async toLogin(reply: FastifyReply, error: unknown, returnTo = '/'): Promise<void> {
    if (!(error instanceof SignInRefused)) throw error;
    await reply.headers(PRIVATE).redirect(loginPath(returnTo, error.refusal), 303);
  }
}
