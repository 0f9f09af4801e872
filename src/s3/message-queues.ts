import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  type BatchResultErrorEntry,
  type MessageAttributeValue,
} from '@aws-sdk/client-sqs';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { QueueError, queueTroubleOf } from './queue-error.js';

/** What SQS hands out and takes in one call. */
export const MAX_BATCH = 10;

export interface QueueMessage {
  readonly id: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** How often it was received, this time included; 1 where the server does not say. */
  readonly receiveCount: number;
  readonly attributes?: Record<string, MessageAttributeValue> | undefined;
}

/** How a queue is set up and how full it is; the numbers are SQS's approximations. */
export interface QueueFacts {
  readonly arn: string;
  readonly waiting: number;
  readonly maxMessageBytes: number | undefined;
  readonly deadLetterArn: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
// A long poll is answered after 20 s.
const ANSWER_TIMEOUT_MS = 35_000;
const TRIES = 3;
const FIRST_PAUSE_MS = 200;

/**
 * Queues of Amazon SQS, or of a server that speaks like it, by their URLs. Each call throws {@link QueueError} and
 * nothing else, but for what its signal throws.
 */
export class MessageQueues {
  private readonly clients = new Map<string, SQSClient>();

  constructor(
    private readonly config: Pick<Config, 'S3_REGION' | 'SQS_ENDPOINT'>,
    private readonly clock: Clock,
  ) {}

  /** Waits up to `waitSeconds` for the first message; then hands out what is there, 10 at most. */
  async receive(
    url: string,
    wanted: {
      readonly waitSeconds: number;
      readonly visibilitySeconds: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<readonly QueueMessage[]> {
    const { Messages = [] } = await this.told(url, () =>
      this.client(url).send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: MAX_BATCH,
          WaitTimeSeconds: wanted.waitSeconds,
          VisibilityTimeout: wanted.visibilitySeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          MessageAttributeNames: ['All'],
        }),
        wanted.signal === undefined ? {} : { abortSignal: wanted.signal },
      ),
    );
    return Messages.map((message) => ({
      id: message.MessageId ?? '',
      receiptHandle: message.ReceiptHandle ?? '',
      body: message.Body ?? '',
      receiveCount: Number(message.Attributes?.['ApproximateReceiveCount'] ?? 1) || 1,
      attributes: message.MessageAttributes,
    }));
  }

  /** Acknowledges. @returns those that SQS did not take, after a few tries; they will be handed out again. */
  remove(url: string, messages: readonly QueueMessage[]): Promise<readonly QueueMessage[]> {
    return this.inBatches(url, messages, (entries) =>
      this.client(url).send(
        new DeleteMessageBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, message }) => ({ Id, ReceiptHandle: message.receiptHandle })),
        }),
      ),
    );
  }

  /** Hides them for so long from now on. @returns those for which that failed; they come back as they would have. */
  hide(
    url: string,
    hidden: readonly { readonly message: QueueMessage; readonly seconds: number }[],
  ): Promise<readonly QueueMessage[]> {
    const seconds = new Map(hidden.map((one) => [one.message, one.seconds]));
    return this.inBatches(url, [...seconds.keys()], (entries) =>
      this.client(url).send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, message }) => ({
            Id,
            ReceiptHandle: message.receiptHandle,
            VisibilityTimeout: Math.round(seconds.get(message) ?? 0),
          })),
        }),
      ),
    );
  }

  /** Puts copies of them into the queue. @returns those that it did not take. */
  send(url: string, messages: readonly QueueMessage[]): Promise<readonly QueueMessage[]> {
    return this.inBatches(url, messages, (entries) =>
      this.client(url).send(
        new SendMessageBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, message }) => ({
            Id,
            MessageBody: message.body,
            ...(message.attributes !== undefined && { MessageAttributes: message.attributes }),
          })),
        }),
      ),
    );
  }

  async facts(url: string): Promise<QueueFacts> {
    const { Attributes: told = {} } = await this.told(url, () =>
      this.client(url).send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages', 'MaximumMessageSize', 'RedrivePolicy'],
        }),
      ),
    );
    const maxMessageBytes = Number(told.MaximumMessageSize);
    return {
      arn: told.QueueArn ?? '',
      waiting: Number(told.ApproximateNumberOfMessages ?? 0) || 0,
      maxMessageBytes: Number.isSafeInteger(maxMessageBytes) ? maxMessageBytes : undefined,
      deadLetterArn: deadLetterArnIn(told.RedrivePolicy),
    };
  }

  /** The URL of the queue with this ARN, asked where `beside` is. */
  async urlOf(arn: string, beside: string): Promise<string> {
    const [, , , , account, name = ''] = arn.split(':');
    const { QueueUrl } = await this.told(beside, () =>
      this.client(beside).send(
        new GetQueueUrlCommand({
          QueueName: name,
          ...(account !== undefined && account !== '' && { QueueOwnerAWSAccountId: account }),
        }),
      ),
    );
    if (QueueUrl === undefined) throw new QueueError('missing', name, 'SQS told no address of it');
    return QueueUrl;
  }

  /** Has SQS itself move the messages of a dead-letter queue to where they came from. */
  async startMove(arn: string, beside: string): Promise<void> {
    await this.told(beside, () =>
      this.client(beside).send(new StartMessageMoveTaskCommand({ SourceArn: arn })),
    );
  }

  close(): void {
    for (const client of this.clients.values()) client.destroy();
    this.clients.clear();
  }

  private client(url: string): SQSClient {
    const region = regionOf(url) ?? this.config.S3_REGION;
    let client = this.clients.get(region);
    if (client === undefined) {
      const { SQS_ENDPOINT: endpoint } = this.config;
      client = new SQSClient({
        region,
        maxAttempts: TRIES,
        retryMode: 'standard',
        ...(endpoint !== undefined && { endpoint, useQueueUrlAsEndpoint: false }),
        requestHandler: {
          connectionTimeout: CONNECT_TIMEOUT_MS,
          requestTimeout: ANSWER_TIMEOUT_MS,
          throwOnRequestTimeout: true,
        },
      });
      this.clients.set(region, client);
    }
    return client;
  }

  private async told<T>(url: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      const { name, message } = error as Error;
      const said = message === '' || message === 'UnknownError' ? name : `${name}: ${message}`;
      throw new QueueError(queueTroubleOf(error), queueNameOf(url), said.slice(0, 500), { cause: error });
    }
  }

  /** Calls for ten at a time, and again for those that failed by no fault of ours. @returns what failed for good. */
  private async inBatches(
    url: string,
    messages: readonly QueueMessage[],
    call: (
      entries: readonly { readonly Id: string; readonly message: QueueMessage }[],
    ) => Promise<{ readonly Failed?: readonly BatchResultErrorEntry[] | undefined }>,
  ): Promise<readonly QueueMessage[]> {
    const lost: QueueMessage[] = [];
    for (let at = 0; at < messages.length; at += MAX_BATCH) {
      let left = messages.slice(at, at + MAX_BATCH);
      for (let attempt = 1; left.length > 0; attempt += 1) {
        const entries = left.map((message, index) => ({ Id: String(index), message }));
        const { Failed = [] } = await this.told(url, () => call(entries));
        const failed = Failed.flatMap(({ Id, SenderFault }) => {
          const entry = entries.find((one) => one.Id === Id);
          return entry === undefined ? [] : [{ message: entry.message, isOurs: SenderFault === true }];
        });
        left = failed.filter(({ isOurs }) => !isOurs && attempt < TRIES).map(({ message }) => message);
        lost.push(...failed.map(({ message }) => message).filter((message) => !left.includes(message)));
        if (left.length > 0) {
          await this.clock.sleepUntil(this.clock.now() + FIRST_PAUSE_MS * 2 ** (attempt - 1));
        }
      }
    }
    return lost;
  }
}

/** The last part of a queue's URL. */
export function queueNameOf(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return path.split('/').findLast((part) => part !== '') ?? url;
}

/** `eu-central-1` in `https://sqs.eu-central-1.amazonaws.com/…`; undefined for other servers. */
function regionOf(url: string): string | undefined {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return /^(?:vpce-[\w.-]+\.)?sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/.exec(
    host,
  )?.[1];
}

function deadLetterArnIn(policy: string | undefined): string | undefined {
  if (policy === undefined || policy === '') return undefined;
  try {
    const { deadLetterTargetArn: arn } = JSON.parse(policy) as { deadLetterTargetArn?: unknown };
    return typeof arn === 'string' ? arn : undefined;
  } catch {
    // No JSON: then it names no queue.
    return undefined;
  }
}
