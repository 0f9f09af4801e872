import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import {
  DoctorCheck,
  type Diagnosis,
  type DiagnosisStatus,
  type DoctorOrder,
} from '../../../../ops/doctor/diagnosis.js';
import { Doctor } from '../../../../ops/doctor/doctor.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { ChannelLooks } from './channel-looks.js';
import { SlackAccess } from './slack-access.js';
import { SlackProbe } from './slack-probe.js';
import { SlackStatusService } from './slack-status.service.js';
import { triesSocket } from './socket-trial.js';
import type { SlackStatus } from './status.view.js';

/** Proves token, scopes, the way in and each channel; posts nothing unless a probe is asked for. */
@Injectable()
export class SlackDoctor extends DoctorCheck implements OnApplicationBootstrap {
  readonly name = 'slack';
  readonly limitSeconds = 30;

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly doctor: Doctor,
    private readonly access: SlackAccess,
    private readonly status: SlackStatusService,
    private readonly looks: ChannelLooks,
    private readonly probes: SlackProbe,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.doctor.add(this);
  }

  async run(order: DoctorOrder): Promise<readonly Diagnosis[]> {
    if (Object.keys(this.access.known).length === 0)
      return [this.say('ok', 'not used: nothing of Slack is set')];
    // What was seen a minute ago proves nothing now.
    this.looks.forget();
    const status = await this.status.read();
    return [
      ...this.whatWorks(status),
      ...status.missing.map(({ what, remedy, isNeeded }) =>
        this.say(isNeeded ? 'fail' : 'warn', what, remedy),
      ),
      ...(await this.socket()),
      ...(await this.probe(order)),
    ];
  }

  private whatWorks({ connected, lastHelloAt, transport, ...status }: SlackStatus) {
    const works = status.token === 'works' ? this.whatTokenShows(status) : [];
    if (connected === true)
      works.push(
        this.say('ok', `a node is connected; Slack last greeted it at ${lastHelloAt ?? 'some time'}`),
      );
    if (transport === 'http') works.push(this.say('ok', 'requests of Slack are taken when they are signed'));
    // Why, and what mends it, is among what is missing.
    if (status.token === 'refused' || status.token === 'unreachable')
      works.push(this.say('warn', 'workspace, scopes and channels were not checked', NO_TOKEN[status.token]));
    return works;
  }

  private whatTokenShows({
    team,
    appId,
    scopes,
    channels,
  }: Pick<SlackStatus, 'team' | 'appId' | 'scopes' | 'channels'>): Diagnosis[] {
    const works: Diagnosis[] = [];
    if (team !== null)
      works.push(
        this.say('ok', `known to ${team.name ?? team.id}${appId === null ? '' : ` as app ${appId}`}`),
      );
    const wanted = scopes.filter(({ isOptional }) => !isOptional);
    if (wanted.every(({ isGranted }) => isGranted === true))
      works.push(this.say('ok', `all ${wanted.length} scopes are granted`));
    for (const { id, name, isLookedAt, trouble } of channels) {
      if (trouble !== null) continue;
      const label = `the channel ${name ?? id}`;
      works.push(
        isLookedAt
          ? this.say('ok', `${label} takes messages`)
          : this.say('warn', `${label} was not looked at: Slack does not tell how it is`, PROBE_IT),
      );
    }
    return works;
  }

  /** A connection that is open proves an app token that was revoked since no more. */
  private async socket(): Promise<readonly Diagnosis[]> {
    const { settings } = this.access;
    if (settings?.appToken === undefined) return [];
    const refusal = await triesSocket({ appToken: settings.appToken, apiUrl: settings.apiUrl }, this.log);
    return refusal === undefined
      ? [this.say('ok', 'Slack opens connections for the app token')]
      : [this.say('fail', `Slack opens no connection for the app token (${refusal.reason})`, refusal.remedy)];
  }

  private async probe({ slackProbe, actor, askedBy }: DoctorOrder): Promise<readonly Diagnosis[]> {
    if (slackProbe === undefined) return [];
    const { posted, removed, reason, remedy } = await this.probes.probe(slackProbe, false, {
      actor,
      name: askedBy ?? actor,
    });
    if (!posted)
      return [this.say('fail', `no probe could be posted to ${slackProbe} (${reason ?? ''})`, remedy)];
    return [
      this.say('ok', `a probe was posted to ${slackProbe}${removed ? ' and taken away' : ', and stays'}`),
    ];
  }

  private say(status: DiagnosisStatus, fact: string, remedy?: string): Diagnosis {
    return { check: this.name, subject: 'service', status, fact, ...(remedy !== undefined && { remedy }) };
  }
}

const PROBE_IT = 'Add channels:read and groups:read, or send a probe: sallyport slack probe CHANNEL';

const NO_TOKEN = {
  refused: 'Set a bot token that Slack takes, then run this again.',
  unreachable: 'Run this again once Slack answers.',
} as const;
