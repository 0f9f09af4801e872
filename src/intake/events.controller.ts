import { Controller, HttpCode, Optional, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../access/principal.js';
import { InvalidInput, Unauthorized } from '../errors.js';
import { parseJsonBody } from '../http/json-body.js';
import { EndpointTokens } from './endpoint-tokens.js';
import { EventsToken, isToken, tokensIn } from './events-token.js';
import { IntakeService, type Accepted, type MessageSource } from './intake.service.js';

/** Where S3-compatible servers post their notifications; guarded by the source's token instead of a login. */
@Controller('events/s3')
@Public()
export class EventsController {
  constructor(
    private readonly intake: IntakeService,
    private readonly token: EventsToken,
    @Optional() private readonly endpoints?: EndpointTokens,
  ) {}

  @Post()
  @HttpCode(200)
  async withHeader(@Req() request: FastifyRequest): Promise<Accepted> {
    return this.take(request, this.sourceOf(tokensIn(request.headers.authorization)));
  }

  /** For sources that cannot send a header. */
  @Post(':token')
  @HttpCode(200)
  async withPath(@Param('token') token: string, @Req() request: FastifyRequest): Promise<Accepted> {
    return this.take(request, this.sourceOf([token]));
  }

  /** Whose token it is. @throws Unauthorized when it is nobody's. */
  private sourceOf(given: readonly string[]): MessageSource {
    // All are compared, so that the time does not tell which form was meant.
    const isOurs = given.map((token) => isToken(this.token.value(), token)).includes(true);
    const [endpointId] = given.flatMap((token) => this.endpoints?.endpointOf(token) ?? []);
    if (isOurs) return { kind: 'webhook' };
    if (endpointId === undefined) throw refused();
    return { kind: 'webhook', endpointId };
  }

  private async take(request: FastifyRequest, source: MessageSource): Promise<Accepted> {
    const { body } = request;
    // Text, whatever it is said to be: SNS says text/plain of its JSON.
    return this.intake.accept(typeof body === 'string' ? await this.parse(body, source) : body, source);
  }

  private async parse(text: string, source: MessageSource): Promise<unknown> {
    try {
      return parseJsonBody(text);
    } catch (error) {
      if (error instanceof InvalidInput)
        await this.intake.rejectText(text, error.problems[0]?.message ?? error.message, source);
      throw error;
    }
  }
}

const refused = (): Unauthorized =>
  new Unauthorized(
    'Send the events token as "Authorization: Bearer …", or as the last part of the path. It is EVENTS_TOKEN, or in the credentials file.',
  );
