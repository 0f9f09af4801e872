import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../../../access/principal.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { queueName } from '../../../human-input.js';
import { notSetUp } from './ask-slack.js';
import { ChannelJoiner } from './channel-joiner.js';
import { ChannelLooks } from './channel-looks.js';
import {
  ChannelsQuery,
  channelView,
  ProbeOrder,
  ProbeOutcome,
  probeView,
  SlackChannelList,
  SlackRouteView,
} from './channel.view.js';
import { KnownQueues } from './known-queues.js';
import { listChannels } from './list-channels.js';
import { appManifest, ManifestWish, type AppManifest } from './manifest.js';
import { RoutedQueue, SlackRouteWanted, SlackSettingsPatch } from './settings-fields.js';
import { SlackAccess } from './slack-access.js';
import { SlackProbe } from './slack-probe.js';
import { SlackSettingsService } from './slack-settings.service.js';
import { SlackStatusService } from './slack-status.service.js';
import { SlackStatus } from './status.view.js';

/** How reviews get into Slack: tokens, channels, and what is missing (docs/operating.md). No answer holds a secret. */
@ApiTags('slack')
@Controller('api/v1/slack')
export class SlackSetupController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly settings: SlackSettingsService,
    private readonly status: SlackStatusService,
    private readonly access: SlackAccess,
    private readonly looks: ChannelLooks,
    private readonly probes: SlackProbe,
    private readonly joiner: ChannelJoiner,
    private readonly queues: KnownQueues,
  ) {}

  @ApiOperation({
    summary: 'How Slack is set up, how it is, and what is missing',
    description:
      'Slack is asked about the token every ten seconds at most, and about each channel every minute. No answer holds a secret.',
  })
  @Get()
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: SlackStatus })
  read(): Promise<SlackStatus> {
    return this.status.read();
  }

  @ApiOperation({
    summary: 'Stores tokens, signing secret and default channel; null removes one, what is left out stays',
    description:
      'Taken over by every process within seconds. Tokens and secrets take an admin: whoever knows the signing secret can answer for everybody who linked an account.',
  })
  @Put()
  @Roles('operator')
  @ApiOkResponse({ standardSchema: SlackStatus })
  async change(
    @Body({ schema: SlackSettingsPatch }) patch: SlackSettingsPatch,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SlackStatus> {
    await this.settings.change(patch, principal);
    this.looks.forget();
    return this.status.read();
  }

  @ApiOperation({ summary: 'The manifest from which Slack makes the app for this instance' })
  @Get('manifest')
  @Roles('operator', 'auditor')
  @ApiOkResponse({ description: 'An app manifest, as Slack takes it.' })
  manifest(@Query({ schema: ManifestWish }) wish: ManifestWish): AppManifest {
    return appManifest(wish, publicUrl(this.config));
  }

  @ApiOperation({
    summary: 'The channels that the app sees: public ones, and private ones to which it was invited',
  })
  @Get('channels')
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: SlackChannelList })
  async channels(
    @Query({ schema: ChannelsQuery }) query: z.infer<typeof ChannelsQuery>,
  ): Promise<z.infer<typeof SlackChannelList>> {
    const { web } = this.access;
    if (web === undefined) throw notSetUp();
    const { channels, next } = await listChannels(web, query);
    return { items: channels.map(channelView), nextCursor: next ?? null };
  }

  @ApiOperation({
    summary:
      'Has the reviews of a queue posted to a channel of its own; warns where nothing sends any there yet',
  })
  @Put('channels/:queue')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: SlackRouteView })
  async route(
    @Param('queue', { schema: queueName }) queue: string,
    @Body({ schema: SlackRouteWanted }) { channel }: z.infer<typeof SlackRouteWanted>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof SlackRouteView>> {
    const { channelName } = await this.settings.route(queue, channel, principal);
    this.looks.forget();
    const warning = (await this.queues.warningOf(queue)) ?? null;
    return { queue, channel, channelName: channelName ?? null, warning };
  }

  @ApiOperation({ summary: 'The reviews of the queue go to the default channel again' })
  @Delete('channels/:queue')
  @HttpCode(204)
  @Roles('operator')
  unroute(
    @Param('queue', { schema: RoutedQueue }) queue: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.settings.unroute(queue, principal);
  }

  @ApiOperation({ summary: 'Has the app join a public channel; takes the optional scope channels:join' })
  @Post('join')
  @HttpCode(204)
  @Roles('operator')
  async join(
    @Body({ schema: SlackRouteWanted }) { channel }: z.infer<typeof SlackRouteWanted>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.joiner.join(channel, principal);
    this.looks.forget();
  }

  @ApiOperation({
    summary: 'Posts a message that says who asked for it, removes it again, and says what became of it',
  })
  @Post('probe')
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ProbeOutcome })
  async probe(
    @Body({ schema: ProbeOrder }) { channel, keep }: z.infer<typeof ProbeOrder>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof ProbeOutcome>> {
    const by = { actor: auditActor(principal), name: principal.name };
    return probeView(await this.probes.probe(channel, keep, by));
  }
}
