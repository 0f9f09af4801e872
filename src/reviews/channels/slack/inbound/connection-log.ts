import type { Log } from '../../../../ops/log.js';
import { isOfOtherApp, OTHER_APP_REMEDY, socketRemedyOf } from '../setup/socket-remedies.js';
import type { SlackHome } from './handled.js';

/** What the log says of a connection: news, each once with what mends it. */
export class ConnectionLog {
  private reason = '';

  constructor(private readonly log: Log) {}

  /** @param appId of the app that greeted. */
  connected({ teamName: team, appId: botApp }: SlackHome, appId: string | undefined): void {
    this.reason = '';
    this.log.info({ team }, 'connected to Slack');
    if (isOfOtherApp(appId, botApp))
      this.log.error(
        { botApp, connectedApp: appId, remedy: OTHER_APP_REMEDY },
        'the app token is of another app than the bot token: no click arrives',
      );
  }

  /** A token that Slack refuses stays refused, however often it is tried: each reason is said once. */
  failed(reason: string, failures: number): void {
    const isNews = reason !== this.reason;
    this.reason = reason;
    const remedy = socketRemedyOf(reason);
    this.log[isNews ? 'warn' : 'debug'](
      { reason, failures, ...(remedy !== undefined && { remedy }) },
      'Slack is not connected; trying again',
    );
  }
}
