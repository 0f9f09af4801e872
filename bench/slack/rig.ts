import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.js';
import { ServiceProcess } from '../../test/support/service-process.js';
import { FakeSlack, type FakeUser } from '../../test/support/slack/fake-slack.js';
import { linkPeople } from './people.js';
import type { Transport } from './options.js';

/** The built service with a stand-in for Slack before it, and people who are linked there. */
export interface Rig {
  readonly service: ServiceProcess;
  readonly slack: FakeSlack;
  readonly people: readonly FakeUser[];
  takeDown(): Promise<void>;
}

export async function setUp(transport: Transport, people: number): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  chmodSync(folder, 0o711);
  const slack = await FakeSlack.start();
  const service = await ServiceProcess.on(join(folder, 'home'), {
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_CHANNEL: slack.channel,
    SLACK_API_URL: slack.apiUrl,
    ...(transport === 'socket'
      ? { SLACK_APP_TOKEN: slack.appToken }
      : { SLACK_SIGNING_SECRET: slack.signingSecret }),
  });
  const takeDown = async (): Promise<void> => {
    await service.stop();
    await slack.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await service.start();
    if (transport === 'http') {
      slack.useHttp({
        interactionsUrl: `${service.url}/slack/interactions`,
        commandsUrl: `${service.url}/slack/commands`,
        eventsUrl: `${service.url}/slack/events`,
      });
    } else await eventually(() => slack.connections > 0, { timeoutMs: 20_000, what: 'connected to Slack' });
    return { service, slack, people: await linkPeople(service, slack, people), takeDown };
  } catch (error) {
    await takeDown();
    throw error;
  }
}
