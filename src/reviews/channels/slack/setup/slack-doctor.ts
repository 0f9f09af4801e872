import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DoctorCheck, type Diagnosis } from '../../../../ops/doctor/diagnosis.js';
import { Doctor } from '../../../../ops/doctor/doctor.js';
import { SlackAccess } from './slack-access.js';

/** Asks Slack who we are there, and posts nothing. */
@Injectable()
export class SlackDoctor extends DoctorCheck implements OnApplicationBootstrap {
  readonly name = 'slack';
  readonly limitSeconds = 20;

  constructor(
    private readonly doctor: Doctor,
    private readonly access: SlackAccess,
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
    const { web, settings } = this.access;
    if (web === undefined) return say('ok', 'not used: there is no bot token');
    if (settings?.appToken === undefined && settings?.signingSecrets.length === 0) {
      return say(
        'warn',
        'nothing comes in: SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are missing',
        'Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP.',
      );
    }
    try {
      const { team, user } = await web.auth.test();
      return say('ok', `known to ${team ?? 'Slack'} as ${user ?? 'a bot'}`);
    } catch (error) {
      const remedy = 'Check SLACK_BOT_TOKEN, and that this machine may reach Slack.';
      return say('fail', `Slack does not take us: ${(error as Error).message.slice(0, 300)}`, remedy);
    }
  }
}
