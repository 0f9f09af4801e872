import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

interface Stored {
  readonly id: string;
  readonly body: string;
  receives: number;
  visibleAt: number;
  handle: string;
}

interface Queue {
  readonly name: string;
  readonly attributes: Record<string, string>;
  messages: Stored[];
}

type Call = Readonly<Record<string, unknown>> & {
  readonly QueueUrl?: string;
  readonly QueueName?: string;
};

/** What a call is answered with instead; undefined lets it through. */
export type Interfere = (
  action: string,
  call: Call,
) => { readonly status: number; readonly type: string; readonly message?: string } | undefined;

// A long poll that finds nothing is answered this soon, so that tests need not wait.
const LONG_POLL_MS = 30;

/**
 * A server that speaks SQS's JSON protocol as far as the service uses it, with visibility timeouts on the test's clock.
 * It counts the calls, and does what the test tells it to do wrong.
 */
export class SqsServer {
  readonly calls: { readonly action: string; readonly call: Call }[] = [];
  /** Messages whose deletion, hiding or sending fails so often, by their bodies. */
  readonly failing = new Map<string, number>();
  interfere: Interfere = () => undefined;
  private readonly queues = new Map<string, Queue>();
  private handles = 0;

  private constructor(
    private readonly now: () => number,
    private readonly address: () => string,
  ) {}

  static async start(now: () => number): Promise<SqsServer> {
    const http = createServer((request, response) => {
      void reply(request, response);
    });
    const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { status, body } = await server.answer(request);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(body));
    };
    const server: SqsServer = new SqsServer(
      now,
      () => `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    afterAll(() => {
      http.closeAllConnections();
      http.close();
    });
    return server;
  }

  get endpoint(): string {
    return this.address();
  }

  /** @returns its URL. */
  make(name: string, attributes: Record<string, string> = {}): string {
    this.queues.set(name, { name, attributes, messages: [] });
    return `${this.address()}/111122223333/${name}`;
  }

  drop(name: string): void {
    this.queues.delete(name);
  }

  put(name: string, ...bodies: readonly unknown[]): void {
    const { messages } = this.queueNamed(name);
    for (const body of bodies) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      messages.push({ id: `m${(this.handles += 1)}`, body: text, receives: 0, visibleAt: 0, handle: '' });
    }
  }

  bodies(name: string): readonly string[] {
    return this.queueNamed(name).messages.map(({ body }) => body);
  }

  /** How often the first message was received. */
  receives(name: string): number {
    return this.queueNamed(name).messages[0]?.receives ?? 0;
  }

  count(action: string): number {
    return this.calls.filter((one) => one.action === action).length;
  }

  private queueNamed(name: string): Queue {
    const queue = this.queues.get(name);
    if (queue === undefined) throw new Error(`the test made no queue ${name}`);
    return queue;
  }

  private async answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    const call = JSON.parse(Buffer.concat(chunks).toString()) as Call;
    this.calls.push({ action, call });
    const instead = this.interfere(action, call);
    if (instead !== undefined) {
      const { status, type, message } = instead;
      return { status, body: { __type: `com.amazonaws.sqs#${type}`, message: message ?? type } };
    }
    const name = (call.QueueUrl ?? call.QueueName ?? '').split('/').at(-1) ?? '';
    const queue = this.queues.get(name);
    if (queue === undefined && action !== 'StartMessageMoveTask') {
      return {
        status: 400,
        body: {
          __type: 'com.amazonaws.sqs#QueueDoesNotExist',
          message: 'The specified queue does not exist.',
        },
      };
    }
    return { status: 200, body: await this.perform(action, call, queue) };
  }

  private async perform(action: string, call: Call, queue: Queue | undefined): Promise<unknown> {
    if (action === 'StartMessageMoveTask') return this.move(String(call['SourceArn']));
    if (queue === undefined) return {};
    const entries = (call['Entries'] ?? []) as readonly Record<string, string>[];
    switch (action) {
      case 'ReceiveMessage':
        return this.receive(queue, call);
      case 'DeleteMessageBatch':
        return this.each(queue, entries, (message) => {
          queue.messages = queue.messages.filter((one) => one !== message);
        });
      case 'ChangeMessageVisibilityBatch':
        return this.each(queue, entries, (message, entry) => {
          message.visibleAt = this.now() + Number(entry['VisibilityTimeout']) * 1000;
        });
      case 'SendMessageBatch':
        for (const entry of entries) this.put(queue.name, entry['MessageBody']);
        return {
          Successful: entries.map((entry) => ({
            Id: entry['Id'],
            MessageId: entry['Id'],
            MD5OfMessageBody: md5(entry['MessageBody'] ?? ''),
          })),
        };
      case 'GetQueueAttributes':
        return {
          Attributes: {
            QueueArn: `arn:aws:sqs:us-east-1:111122223333:${queue.name}`,
            ApproximateNumberOfMessages: String(queue.messages.length),
            MaximumMessageSize: '262144',
            ...queue.attributes,
          },
        };
      case 'GetQueueUrl':
        return { QueueUrl: `${this.address()}/111122223333/${queue.name}` };
      default:
        throw new Error(`no ${action} here`);
    }
  }

  private async receive(queue: Queue, call: Call): Promise<unknown> {
    const visible = () => queue.messages.filter(({ visibleAt }) => visibleAt <= this.now());
    if (visible().length === 0) await new Promise((resolve) => setTimeout(resolve, LONG_POLL_MS));
    const taken = visible().slice(0, Number(call['MaxNumberOfMessages'] ?? 1));
    for (const message of taken) {
      message.receives += 1;
      message.visibleAt = this.now() + Number(call['VisibilityTimeout'] ?? 30) * 1000;
      message.handle = `h${(this.handles += 1)}`;
    }
    return {
      Messages: taken.map(({ id, body, handle, receives }) => ({
        MessageId: id,
        Body: body,
        MD5OfBody: md5(body),
        ReceiptHandle: handle,
        Attributes: { ApproximateReceiveCount: String(receives) },
      })),
    };
  }

  private each(
    queue: Queue,
    entries: readonly Record<string, string>[],
    perform: (message: Stored, entry: Record<string, string>) => void,
  ): unknown {
    const failed: unknown[] = [];
    const successful: unknown[] = [];
    for (const entry of entries) {
      const message = queue.messages.find(({ handle }) => handle === entry['ReceiptHandle']);
      const fails = message === undefined ? 0 : (this.failing.get(message.body) ?? 0);
      if (message !== undefined && fails > 0) {
        this.failing.set(message.body, fails - 1);
        failed.push({ Id: entry['Id'], SenderFault: false, Code: 'InternalError' });
      } else if (message === undefined) {
        failed.push({ Id: entry['Id'], SenderFault: true, Code: 'ReceiptHandleIsInvalid' });
      } else {
        perform(message, entry);
        successful.push({ Id: entry['Id'] });
      }
    }
    return { Successful: successful, ...(failed.length > 0 && { Failed: failed }) };
  }

  /** To the queue whose redrive policy names it. */
  private move(arn: string): unknown {
    const dead = this.queueNamed(arn.split(':').at(-1) ?? '');
    const source = [...this.queues.values()].find(({ attributes }) =>
      attributes['RedrivePolicy']?.includes(arn),
    );
    source?.messages.push(...dead.messages.map((message) => ({ ...message, receives: 0, visibleAt: 0 })));
    dead.messages = [];
    return { TaskHandle: 'task' };
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
