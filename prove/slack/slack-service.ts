import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.js';
import { ServiceProcess } from '../../test/support/service-process.js';
import { FakeSlack, type FakeMessage } from '../../test/support/slack/fake-slack.js';
import type { CleanUp } from '../scale/clean-up.js';
import { startCluster, type Scratch } from '../scale/cluster.js';

const SCOPES = [
  'chat:write',
  'im:write',
  'users:read',
  ...['channels', 'groups', 'im'].flatMap((kind) => [`${kind}:history`, `${kind}:read`]),
];

const STARTS = 4;

const ANALYST = { id: 'U0ANALYST', name: 'analyst' };

/** A workflow that asks one person by name. */
const WORKFLOW = {
  name: 'ask_in_slack',
  version: 1,
  schemaVersion: 2,
  ownerEmail: 'proof@example.com',
  tasks: [
    {
      name: 'ask',
      taskReferenceName: 'ask',
      type: 'HUMAN',
      inputParameters: {
        title: 'Number ${workflow.input.number}?',
        assign: { to: '${workflow.input.to}' },
        deadline: '1d',
      },
    },
  ],
};

export interface ShownReview {
  readonly id: string;
  readonly workflowId: string;
}

/** The built service on a database that can be looked into, before a stand-in for Slack in this process. */
export class SlackService {
  private constructor(
    readonly service: ServiceProcess,
    readonly slack: FakeSlack,
    readonly database: Scratch,
    /** The login of the person whose Slack account is bound. */
    private readonly login: string,
  ) {}

  static async start(folder: string, cleanUp: CleanUp): Promise<SlackService> {
    const { parked: database } = await startCluster(folder, cleanUp);
    const slack = await FakeSlack.start({
      state: { users: [ANALYST], channels: [{ id: 'C0REVIEWS', name: 'reviews' }] },
    });
    cleanUp.add(() => slack.close());
    slack.scopes = SCOPES;
    const service = await ServiceProcess.on(join(folder, 'home'), {
      DATABASE_URL: database.url,
      SALLYPORT_KEY: randomBytes(32).toString('base64'),
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    });
    cleanUp.add(() => service.stop());
    await startPatiently(service);
    await service.api('/api/metadata/workflow', { method: 'POST', body: WORKFLOW });
    const login = service.credentials.admin.name;
    const { items } = await service.api<{ items: { id: string; name: string }[] }>('/api/v1/users?limit=100');
    const person = items.find(({ name }) => name === login) ?? items[0];
    if (person === undefined) throw new Error('there is nobody to ask');
    await database.query(
      `INSERT INTO slack_identity (team_id, user_id, person_id, person_name, linked_at) VALUES ($1, $2, $3, $4, 1)`,
      [slack.teamId, ANALYST.id, person.id, person.name],
    );
    return new SlackService(service, slack, database, person.name);
  }

  startAgain(): Promise<void> {
    return startPatiently(this.service);
  }

  get direct(): string | undefined {
    const { channels } = this.slack.workspace;
    return [...channels.values()].find(({ directWith }) => directWith === ANALYST.id)?.id;
  }

  /** @param byName asks the analyst by name, who then gets a direct message, too. */
  begin(number: number, byName: boolean): Promise<string> {
    return this.service.api<string>(`/api/workflow/${WORKFLOW.name}`, {
      method: 'POST',
      body: { number, to: byName ? [{ user: this.login }] : [] },
    });
  }

  reviewOf(workflowId: string): Promise<ShownReview> {
    return eventually(
      async () => {
        const [row] = await this.database.query<{ id: string }>(
          'SELECT id FROM review WHERE workflow_id = $1',
          [workflowId],
        );
        return row && { id: row.id, workflowId };
      },
      { timeoutMs: 60_000, what: 'the question' },
    );
  }

  /** The messages of a review in a channel that stand in no thread. */
  shown(reviewId: string, channel: string | undefined): readonly FakeMessage[] {
    return this.slack.messages.filter(
      (message) =>
        message.channel === channel &&
        message.threadTs === undefined &&
        JSON.stringify(message.metadata ?? {}).includes(reviewId),
    );
  }
}

/** A machine that is busy with other things may take more than a minute. */
async function startPatiently(service: ServiceProcess): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await service.start();
      return;
    } catch (error) {
      if (attempt === STARTS) throw error;
      await service.kill();
    }
  }
}
