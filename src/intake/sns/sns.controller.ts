import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../access/principal.js';
import { parseJsonBody } from '../../http/json-body.js';
import type { Accepted } from '../intake.service.js';
import { SnsService } from './sns.service.js';

/** Where SNS posts to; guarded by its signatures instead of a login. */
@Controller('events/sns')
@Public()
export class SnsController {
  constructor(private readonly sns: SnsService) {}

  @Post()
  @HttpCode(200)
  take(@Req() { body }: FastifyRequest): Promise<Accepted> {
    // Text, whatever it is said to be. Anybody may post here: nothing is kept of what is no JSON.
    return this.sns.take(typeof body === 'string' ? parseJsonBody(body) : body);
  }
}
