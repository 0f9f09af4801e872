import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CONFIG, type Config } from '../config.js';
import { NotFound } from '../errors.js';
import { clientOf } from '../http/client.js';
import { SESSION_COOKIE } from './access.guard.js';
import { AccessService } from './access.service.js';
import { MAX_PASSWORD_LENGTH } from './password.js';
import { CurrentPrincipal, Public, type Principal } from './principal.js';
import { setSession } from './session-cookie.js';

const Login = z
  .object({ name: z.string().min(1).max(200), password: z.string().min(1).max(MAX_PASSWORD_LENGTH) })
  .meta({ id: 'Login' });
const TokenRequest = z
  .object({ keyId: z.string().min(1).max(200), keySecret: z.string().min(1).max(200) })
  .meta({ id: 'TokenRequest' });

const shown = ({ id, name, email, roles, grants = [], method }: Principal) => ({
  id,
  name,
  email,
  roles,
  grants,
  method,
});

/** Who am I, log in, log out; and the token exchange that Conductor's SDKs call. */
@ApiTags('access')
@Controller()
export class AccessController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly access: AccessService,
  ) {}

  @Public()
  @Post('api/v1/session')
  @HttpCode(200)
  async login(
    @Body({ schema: Login }) body: z.infer<typeof Login>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { address } = clientOf(request, this.config.TRUST_PROXY);
    const opened = await this.access.login(body.name, body.password, address);
    setSession(request, reply, this.config, opened);
    return shown(opened.principal);
  }

  @Get('api/v1/session')
  me(@CurrentPrincipal() principal: Principal) {
    return shown(principal);
  }

  @Public()
  @Delete('api/v1/session')
  @HttpCode(204)
  async logout(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) await this.access.logout(token);
    void reply.clearCookie(SESSION_COOKIE, { path: '/' });
  }

  /** With AUTH=off this answers 404, from which the SDKs conclude that no token is needed. */
  @Public()
  @Post('api/token')
  @HttpCode(200)
  async token(
    @Body({ schema: TokenRequest }) body: z.infer<typeof TokenRequest>,
  ): Promise<{ token: string }> {
    if (this.config.AUTH === 'off')
      throw new NotFound('No token is needed: this service runs with AUTH=off.');
    return { token: await this.access.issueToken(body.keyId, body.keySecret) };
  }
}
