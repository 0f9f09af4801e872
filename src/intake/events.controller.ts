import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../access/principal.js';
import { InvalidInput, TooLarge, Unauthorized } from '../errors.js';
import { EventsToken, isToken, tokenIn } from './events-token.js';
import { IntakeService, type Accepted } from './intake.service.js';

// Four times SQS's largest message.
const MAX_BODY_BYTES = 1_048_576;
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
    const raw = request.rawBody;
    const size = raw?.length ?? Number(request.headers['content-length'] ?? 0);
    if (size > MAX_BODY_BYTES) {
      throw new TooLarge(`The body has ${size} bytes; at most ${MAX_BODY_BYTES} are taken.`);
    }
    // SNS says text/plain, whatever it carries.
    return this.intake.accept(typeof body === 'string' ? await this.parse(body) : body, SOURCE);
  }

  private async parse(text: string): Promise<unknown> {
    try {
      return JSON.parse(text);
    } catch (error) {
      const message = `must be JSON: ${error instanceof Error ? error.message : String(error)}`;
      await this.intake.rejectText(text, message, SOURCE);
      throw InvalidInput.field('body', message, { cause: error });
    }
  }
}

const refused = (): Unauthorized =>
  new Unauthorized(
    'Send the events token as "Authorization: Bearer …", or as the last part of the path. It is EVENTS_TOKEN, or in the credentials file.',
  );
