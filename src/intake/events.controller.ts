import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../access/principal.js';
import { InvalidInput, Unauthorized } from '../errors.js';
import { parseJsonBody } from '../http/json-body.js';
import { EventsToken, isToken, tokenIn } from './events-token.js';
import { IntakeService, type Accepted } from './intake.service.js';

const SOURCE = { kind: 'webhook' } as const;

/** Where S3-compatible servers post their notifications; guarded by the source's token instead of a login. */
@Controller('events/s3')
@Public()
export class EventsController {
  constructor(
    private readonly intake: IntakeService,
    private readonly token: EventsToken,
  ) {}

  @Post()
  @HttpCode(200)
  async withHeader(@Req() request: FastifyRequest): Promise<Accepted> {
    if (!tokenIn(request.headers.authorization, this.token.value())) throw refused();
    return this.take(request);
  }

  /** For sources that cannot send a header. */
  @Post(':token')
  @HttpCode(200)
  async withPath(@Param('token') token: string, @Req() request: FastifyRequest): Promise<Accepted> {
    if (!isToken(this.token.value(), token)) throw refused();
    return this.take(request);
  }

  private async take(request: FastifyRequest): Promise<Accepted> {
    const { body } = request;
    // SNS says text/plain, whatever it carries.
    return this.intake.accept(typeof body === 'string' ? await this.parse(body) : body, SOURCE);
  }

  private async parse(text: string): Promise<unknown> {
    try {
      return parseJsonBody(text);
    } catch (error) {
      if (error instanceof InvalidInput) await this.intake.rejectText(text, error.message, SOURCE);
      throw error;
    }
  }
}

const refused = (): Unauthorized =>
  new Unauthorized(
    'Send the events token as "Authorization: Bearer …", or as the last part of the path. It is EVENTS_TOKEN, or in the credentials file.',
  );
