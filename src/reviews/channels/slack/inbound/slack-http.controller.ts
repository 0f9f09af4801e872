import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../../../../access/principal.js';
import { InvalidInput } from '../../../../errors.js';
import { AfterWork } from './after-work.js';
import { eventOf, fieldsOf, interactionOf } from './request-body.js';
import { UrlVerification } from './payloads.js';
import { SlackCounts } from './slack-counts.js';
import { SlackInbound, type InboundKind } from './slack-inbound.js';
import { SlackRequests } from './slack-requests.js';

/**
 * Where Slack posts what people do there, for an app without Socket Mode. Guarded by Slack's signature instead of a
 * login; nothing of a request is looked at before that fits.
 */
@ApiTags('reviews')
@ApiHeader({ name: 'X-Slack-Signature', description: 'v0= and the HMAC-SHA256 of v0:timestamp:body' })
@ApiHeader({ name: 'X-Slack-Request-Timestamp', description: 'Seconds; at most five minutes from now' })
@Controller('slack')
@Public()
export class SlackHttpController {
  constructor(
    private readonly requests: SlackRequests,
    private readonly inbound: SlackInbound,
    private readonly after: AfterWork,
    private readonly counts: SlackCounts,
  ) {}

  @Post('interactions')
  @HttpCode(200)
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOperation({
    summary: 'Clicks and forms, as Slack posts them: signed, of our workspace and app, and each once',
  })
  interactions(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.take('interactive', interactionOf, request, reply);
  }

  @Post('commands')
  @HttpCode(200)
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOperation({ summary: 'Slash commands, as Slack posts them' })
  commands(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.take('slash_commands', fieldsOf, request, reply);
  }

  @Post('events')
  @HttpCode(200)
  @ApiConsumes('application/json')
  @ApiOperation({
    summary: 'Events of the workspace, as Slack posts them; also the proof of the address (url_verification)',
  })
  events(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.take('events_api', eventOf, request, reply);
  }

  private async take(
    kind: InboundKind,
    read: (rawBody: Buffer) => unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const began = performance.now();
    const { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp } = request.headers;
    const signed = { signature, timestamp, rawBody: request.rawBody ?? Buffer.alloc(0) };
    this.requests.believe(signed);
    const payload = read(signed.rawBody);
    const verification = kind === 'events_api' ? UrlVerification.safeParse(payload) : undefined;
    if (verification?.success === true) {
      await reply.send({ challenge: verification.data.challenge });
      return;
    }
    const { home, giveBack } = await this.requests.take(signed);
    const { ack, afterwards, refused } = await this.inbound
      .receive(kind, payload, home)
      .catch(async (error: unknown) => {
        await giveBack();
        throw error;
      });
    if (refused === 'malformed')
      throw InvalidInput.field('body', `is no payload of Slack for /slack/${kind}`);
    if (refused !== undefined) throw this.requests.refusal(refused);
    await (ack === undefined ? reply.send() : reply.send(ack));
    this.counts.acknowledged('http', kind, performance.now() - began);
    if (afterwards !== undefined) this.after.begin(afterwards);
  }
}
