import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../../../config.js';
import { DoctorCheck, type Diagnosis } from '../../../../ops/doctor/diagnosis.js';
import { Doctor } from '../../../../ops/doctor/doctor.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { createWebClient, slackSettings } from './slack-clients.js';

/** Asks Slack who we are there, and posts nothing. */
@Injectable()
export class SlackDoctor extends DoctorCheck implements OnApplicationBootstrap {
  readonly name = 'slack';
  readonly limitSeconds = 20;

  constructor(
    private readonly doctor: Doctor,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.doctor.add(this);
  }

  async run(): Promise<readonly Diagnosis[]> {
    const say = (status: Diagnosis['status'], fact: string, remedy?: string): Diagnosis[] => [
      { check: this.name, subject: 'service', status, fact, ...(remedy !== undefined && { remedy }) },
    ];
    if (this.config.SLACK_BOT_TOKEN === undefined) return say('ok', 'not used: SLACK_BOT_TOKEN is not set');
    const settings = slackSettings(this.config);
    if (settings === undefined) {
      return say(
        'warn',
        'nothing comes in: SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are missing',
        'Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP.',
      );
    }
    try {
      const { team, user } = await createWebClient(settings, this.log).auth.test();
      return say('ok', `known to ${team ?? 'Slack'} as ${user ?? 'a bot'}`);
    } catch (error) {
      const remedy = 'Check SLACK_BOT_TOKEN, and that this machine may reach Slack.';
      return say('fail', `Slack does not take us: ${(error as Error).message.slice(0, 300)}`, remedy);
    }
  }
}
