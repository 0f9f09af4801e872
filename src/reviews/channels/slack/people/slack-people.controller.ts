import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../../../access/principal.js';
import { Forbidden, InvalidInput, NotFound } from '../../../../errors.js';
import { text } from '../../../request-fields.js';
import type { LinkedAccount } from '../sql/identities.js';
import { SlackIdentities } from './slack-identities.js';

const LinkedSlackAccount = z
  .object({
    teamId: z.string(),
    slackUserId: z.string(),
    /** As Slack last called it. */
    slackUserName: z.string().nullable(),
    person: z.object({ id: z.string(), name: z.string() }),
    linkedAt: z.iso.datetime(),
    /** What Slack last said that it is; null while nobody acted with it. */
    standing: z.string().nullable(),
    checkedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'LinkedSlackAccount' });
const Linked = z
  .object({ items: z.array(LinkedSlackAccount), nextCursor: z.string().nullable() })
  .meta({ id: 'LinkedSlackAccounts' });

const Page = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  cursor: z.string().max(300).optional(),
});

const SlackId = text(100);

/** Which Slack accounts speak for whom. */
@ApiTags('reviews')
@Controller('api/v1/slack/people')
export class SlackPeopleController {
  constructor(private readonly identities: SlackIdentities) {}

  /** All of them, by the account. */
  @Get()
  @Roles('operator', 'auditor')
  @ApiOperation({ summary: 'Slack accounts that speak for a person, with what Slack last said of them' })
  @ApiOkResponse({ standardSchema: Linked })
  async list(@Query({ schema: Page }) page: z.infer<typeof Page>): Promise<z.infer<typeof Linked>> {
    const after = page.cursor === undefined ? undefined : accountIn(page.cursor);
    const found = await this.identities.linked({ after, limit: page.limit + 1 });
    const items = found.slice(0, page.limit);
    const last = found.length > page.limit ? items.at(-1) : undefined;
    return {
      items: items.map(shown),
      nextCursor: last === undefined ? null : `${last.teamId}/${last.userId}`,
    };
  }

  /** One's own account; anybody's takes an admin. The next click in Slack asks to link it again. */
  @Delete(':team/:user')
  @HttpCode(204)
  @ApiOperation({ summary: 'Unlinks a Slack account: one of your own, or as an admin anybody’s' })
  async unlink(
    @Param('team', { schema: SlackId }) teamId: string,
    @Param('user', { schema: SlackId }) userId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    const account = { teamId, userId };
    const holder = await this.identities.holderOf(account);
    const isOwn = principal.kind === 'user' && holder?.id === principal.id;
    if (!isOwn && !principal.roles.includes('admin'))
      throw new Forbidden('Only an admin may unlink an account that is not linked to you.');
    const by = { actor: auditActor(principal), name: principal.name };
    if (holder === undefined || !(await this.identities.unlink(account, by)))
      throw new NotFound(`The Slack account ${userId} of ${teamId} is linked to nobody.`);
  }
}

/** One's own accounts in Slack. */
@ApiTags('access')
@Controller('api/v1/me/slack')
export class MySlackController {
  constructor(private readonly identities: SlackIdentities) {}

  @Get()
  @ApiOperation({ summary: 'Slack accounts that speak for you' })
  @ApiOkResponse({ standardSchema: Linked })
  async mine(@CurrentPrincipal() { kind, id }: Principal): Promise<z.infer<typeof Linked>> {
    // No account in Slack speaks for a key.
    if (kind !== 'user') return { items: [], nextCursor: null };
    return {
      items: (await this.identities.linked({ personId: id, limit: 100 })).map(shown),
      nextCursor: null,
    };
  }
}

const shown = (account: LinkedAccount): z.infer<typeof LinkedSlackAccount> => ({
  teamId: account.teamId,
  slackUserId: account.userId,
  slackUserName: account.userName ?? null,
  person: account.person,
  linkedAt: new Date(account.linkedAt).toISOString(),
  standing: account.standing ?? null,
  checkedAt: account.checkedAt === undefined ? null : new Date(account.checkedAt).toISOString(),
});

function accountIn(cursor: string): { teamId: string; userId: string } {
  const [, teamId, userId] = /^([\w.-]{1,100})\/([\w.-]{1,100})$/.exec(cursor) ?? [];
  if (teamId === undefined || userId === undefined)
    throw InvalidInput.field('cursor', 'is not one that this list gave; start again without it');
  return { teamId, userId };
}
