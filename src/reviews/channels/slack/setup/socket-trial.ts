import type { Log } from '../../../../ops/log.js';
import { visible } from '../../../../outbound/safe-text.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { createAppClient, type SocketSettings } from './slack-clients.js';
import { socketRemedyOf } from './socket-remedies.js';

/** Why Slack opens no Socket Mode connection, and what mends it. */
export interface SocketRefusal {
  readonly reason: string;
  readonly remedy: string;
}

/** Asks Slack for the address of a connection, and opens none. @returns `undefined` when it would open one. */
export async function triesSocket(settings: SocketSettings, log: Log): Promise<SocketRefusal | undefined> {
  try {
    await createAppClient(settings, log).apps.connections.open({});
    return undefined;
  } catch (error) {
    const reason = visible(slackErrorCode(error), 100);
    return { reason, remedy: socketRemedyOf(reason) ?? ELSE };
  }
}

const ELSE = 'Check that this machine may reach Slack, and try again.';
