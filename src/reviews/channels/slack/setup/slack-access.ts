import { Inject, Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { CONFIG, type Config } from '../../../../config.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { createWebClient, slackSettings, type SlackSettings } from './slack-clients.js';

/** The way into Slack: with which settings, and the client of its web API. */
@Injectable()
export class SlackAccess {
  readonly settings: SlackSettings | undefined;
  private client: WebClient | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.settings = slackSettings(config);
  }

  /** Whether reviews are shown in Slack. */
  get isOn(): boolean {
    return this.settings !== undefined;
  }

  /** `undefined` while Slack is not set up. */
  get web(): WebClient | undefined {
    const { settings } = this;
    if (settings === undefined) return undefined;
    this.client ??= createWebClient(settings, this.log);
    return this.client;
  }
}
