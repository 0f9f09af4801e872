import { Inject, Injectable } from '@nestjs/common';
import { Counter, type Registry } from 'prom-client';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { Forbidden, InvalidInput, Unavailable } from '../../errors.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import { Egress } from '../../outbound/egress/egress.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { IntakeService, type Accepted } from '../intake.service.js';
import { markSeen, wasSeen } from '../sql/sns-messages.js';
import { confirmationAddress } from './sns-address.js';
import { SnsCertificates } from './sns-certificates.js';
import { SnsMessage } from './sns-message.js';
import { disbelieve, type Disbelief } from './verify-sns.js';

const CONFIRM_TIMEOUT_MS = 10_000;
const CONFIRM_MAX_BYTES = 65_536;
const TELL_EVERY_MS = 60_000;

/** What each refusal means and what mends it; told to whoever sent it, so nothing of ours is in it. */
const REMEDIES: Readonly<Record<Disbelief, string>> = {
  topic: 'This topic is not one whose messages are taken. Add its ARN to SNS_TOPIC_ARNS.',
  signature_version:
    'Messages signed with SHA-1 are not taken (SNS_REQUIRE_V2). Set the topic’s SignatureVersion to 2.',
  certificate_url: 'SigningCertURL is not an address of SNS in the region of the topic.',
  timestamp: 'Timestamp is more than an hour old, or ahead of our clock.',
  certificate: 'The certificate at SigningCertURL is not one of SNS that is valid now.',
  signature: 'The signature does not fit.',
};

/** Takes what SNS posts, once it is proved that SNS posted it. */
@Injectable()
export class SnsService {
  private readonly refused: Counter;
  private readonly toldAt = new Map<Disbelief, number>();

  constructor(
    private readonly intake: IntakeService,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly certificates: SnsCertificates,
    private readonly egress: Egress,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(METRICS) metrics: Registry,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.refused = new Counter({
      name: 'sallyport_sns_refused_total',
      help: 'Posts to /events/sns that were not believed, by what was wrong',
      labelNames: ['reason'],
      registers: [metrics],
    });
  }

  /**
   * @throws InvalidInput for what is no message of SNS; Forbidden for one that is not believed, which SNS does not send
   * again; Unavailable or Overloaded when it is to send it again.
   */
  async take(body: unknown): Promise<Accepted> {
    const message = parse(body);
    const { SNS_TOPIC_ARNS: topicArns, SNS_REQUIRE_V2: requireV2 } = this.config;
    const trust = { topicArns, requireV2, certificates: this.certificates };
    const why = await disbelieve(message, trust, this.clock.now());
    if (why !== undefined) throw this.refusal(why, message);
    const seen = { topicArn: message.TopicArn, messageId: message.MessageId };
    if (await wasSeen(this.database, seen)) return { ...NOTHING, duplicates: 1 };
    return message.Type === 'Notification' ? this.notified(message, body) : this.subscription(message);
  }

  /** Stored first, remembered then: what is cut off in between is stored again, which changes nothing. */
  private async notified(message: SnsMessage, body: unknown): Promise<Accepted> {
    const accepted = await this.intake.accept(body, { kind: 'sns' });
    const { TopicArn: topicArn, MessageId: messageId } = message;
    await markSeen(this.database, { topicArn, messageId, at: wholeMilliseconds(this.clock) });
    return accepted;
  }

  private async subscription(message: Extract<SnsMessage, { SubscribeURL: string }>): Promise<Accepted> {
    const isWanted = message.Type === 'SubscriptionConfirmation';
    if (isWanted) await this.confirm(message);
    const { TopicArn: topicArn, MessageId: messageId } = message;
    const at = wholeMilliseconds(this.clock);
    await this.database.transaction(async (tx) => {
      if (!(await markSeen(tx, { topicArn, messageId, at }))) return;
      await appendAudit(tx, [
        {
          at,
          actor: 'system:sns',
          action: isWanted ? 'sns.subscribed' : 'sns.unsubscribed',
          subject: `topic:${topicArn}`,
          data: { messageId },
        },
      ]);
    });
    if (isWanted) this.log.info({ topicArn }, 'the subscription to the topic is confirmed');
    else {
      this.log.warn(
        { topicArn },
        'the subscription to the topic was cancelled: its events come no more. Subscribe again if nobody meant that',
      );
    }
    return { ...NOTHING, ignored: 1 };
  }

  private async confirm(message: Extract<SnsMessage, { SubscribeURL: string }>): Promise<void> {
    const address = confirmationAddress(message.SubscribeURL, message.TopicArn);
    if (address === undefined) {
      throw InvalidInput.field('SubscribeURL', 'must be an address of SNS that confirms this topic');
    }
    try {
      const answer = await this.egress.fetch({
        url: address.href,
        timeoutMs: CONFIRM_TIMEOUT_MS,
        maxBytes: CONFIRM_MAX_BYTES,
        maxRedirects: 0,
      });
      if (answer.status !== 200) throw new Error(`SNS answered ${answer.status}`);
    } catch (error) {
      const { message: said } = error as Error;
      throw new Unavailable('sns', `The subscription could not be confirmed: ${said}`, { cause: error });
    }
  }

  /** Counted each time, and said once a minute: anybody may post here. */
  private refusal(reason: Disbelief, { TopicArn: topicArn, Type: type }: SnsMessage): Forbidden {
    this.refused.inc({ reason });
    const now = this.clock.now();
    if (now - (this.toldAt.get(reason) ?? -Infinity) >= TELL_EVERY_MS) {
      this.toldAt.set(reason, now);
      this.log.warn({ reason, topicArn, type }, 'a message that says to be from SNS was refused');
    }
    return new Forbidden(REMEDIES[reason]);
  }
}

const NOTHING: Accepted = { accepted: 0, duplicates: 0, ignored: 0, rejected: 0 };

function parse(body: unknown): SnsMessage {
  const parsed = SnsMessage.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 10)
    .map(({ path, message }) => ({ path: path.join('.') || 'body', message }));
  throw new InvalidInput(
    `This is not a message of SNS (raw message delivery must be off, it is not signed): ${problems
      .map(({ path, message }) => `${path}: ${message}`)
      .join('; ')}`,
    problems,
  );
}
