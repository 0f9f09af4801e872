import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentPrincipal, Roles, type Principal } from '../../../../access/principal.js';
import { ProposalList, ProposalsOrder, ProposalsQuery } from './proposals.view.js';
import { SlackProposals } from './slack-proposals.service.js';

/** Which Slack account is proposed to whom, by the e-mail address. Nothing is linked without a click of that person. */
@ApiTags('slack')
@Controller('api/v1/slack/proposals')
export class SlackProposalsController {
  constructor(private readonly proposals: SlackProposals) {}

  @ApiOperation({ summary: 'How everybody who may decide stands' })
  @Get()
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: ProposalList })
  list(@Query({ schema: ProposalsQuery }) { cursor }: z.infer<typeof ProposalsQuery>): Promise<ProposalList> {
    return this.proposals.list(cursor);
  }

  @ApiOperation({
    summary:
      'Sends the next ten people who have not linked an account a direct message with a link that they alone can follow',
    description: 'Ask again with the cursor until there is none; after a 429, with the same one.',
  })
  @Post()
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ProposalList })
  propose(
    @Body({ schema: ProposalsOrder }) order: z.infer<typeof ProposalsOrder>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ProposalList> {
    return this.proposals.propose(order, principal);
  }
}
