import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, Roles, type Principal } from '../access/principal.js';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { NotFound } from '../errors.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { EndpointTokens } from './endpoint-tokens.js';

const TokenView = z.object({ endpointId: z.string(), token: z.string() }).meta({ id: 'EndpointEventsToken' });
type TokenView = z.infer<typeof TokenView>;

/** What an endpoint's server presents when it posts its events. */
@ApiTags('buckets')
@Controller('api/v1/endpoints')
export class EndpointTokensController {
  constructor(
    private readonly tokens: EndpointTokens,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  @Get(':id/events-token')
  @Roles('operator')
  @Header('cache-control', 'no-store')
  @ApiOkResponse({ standardSchema: TokenView })
  async show(@Param('id') id: string, @CurrentPrincipal() { kind, id: who }: Principal): Promise<TokenView> {
    const token = this.tokens.tokenOf(id);
    if (token === undefined) throw new NotFound(`No S3 endpoint ${id} is registered.`);
    const at = wholeMilliseconds(this.clock);
    const deed = { at, actor: `${kind}:${who}`, action: 'endpoint.events_token_shown', data: {} };
    await appendAudit(this.database, [{ ...deed, subject: `endpoint:${id}` }]);
    return { endpointId: id, token };
  }
}
