import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Config } from '../config.js';
import { QueueError, queueTroubleOf } from './queue-error.js';

/** A queue and everything that SQS says of it. */
export interface QueueState {
  readonly url: string;
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 10_000;

/** Makes queues and sets them up, with the credentials of the service's own environment. Fails with QueueError. */
export class QueueSetup {
  private readonly clients = new Map<string, SQSClient>();

  constructor(private readonly config: Pick<Config, 'SQS_ENDPOINT'>) {}

  async find(name: string, region: string): Promise<QueueState | undefined> {
    try {
      const { QueueUrl } = await this.told(name, () =>
        this.client(region).send(new GetQueueUrlCommand({ QueueName: name })),
      );
      return QueueUrl === undefined ? undefined : await this.read(name, QueueUrl, region);
    } catch (error) {
      if (error instanceof QueueError && error.trouble === 'missing') return undefined;
      throw error;
    }
  }

  /** The queue must not be there: SQS refuses a name with other attributes. */
  async create(
    name: string,
    region: string,
    attributes: Readonly<Record<string, string>>,
  ): Promise<QueueState> {
    const { QueueUrl } = await this.told(name, () =>
      this.client(region).send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } })),
    );
    if (QueueUrl === undefined) throw new QueueError('other', name, 'SQS did not tell its address');
    return this.read(name, QueueUrl, region);
  }

  async change(
    name: string,
    url: string,
    region: string,
    attributes: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.told(name, () =>
      this.client(region).send(
        new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { ...attributes } }),
      ),
    );
  }

  close(): void {
    for (const client of this.clients.values()) client.destroy();
    this.clients.clear();
  }

  private async read(name: string, url: string, region: string): Promise<QueueState> {
    const { Attributes = {} } = await this.told(name, () =>
      this.client(region).send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] })),
    );
    return { url, arn: Attributes.QueueArn ?? '', attributes: Attributes };
  }

  private client(region: string): SQSClient {
    let client = this.clients.get(region);
    if (client === undefined) {
      const { SQS_ENDPOINT: endpoint } = this.config;
      client = new SQSClient({
        region,
        maxAttempts: 3,
        ...(endpoint !== undefined && { endpoint, useQueueUrlAsEndpoint: false }),
        requestHandler: {
          connectionTimeout: TIMEOUT_MS,
          requestTimeout: TIMEOUT_MS,
          throwOnRequestTimeout: true,
        },
      });
      this.clients.set(region, client);
    }
    return client;
  }

  private async told<T>(name: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const { name: kind, message } = error as Error;
      throw new QueueError(queueTroubleOf(error), name, `${kind}: ${message}`.slice(0, 500), {
        cause: error,
      });
    }
  }
}
