import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { Conflict } from '../../errors.js';
import { BucketSettings, type BucketPlace } from '../../s3/bucket-settings.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import { QueueSetup } from '../../s3/queue-setup.js';
import { StorageError } from '../../s3/storage-error.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { cloudFormation } from './cloudformation.js';
import type { ConnectPlanView, ConnectWish, TemplateView, TemplateWish } from './connect-view.js';
import { ConnectTargets } from './connect-targets.js';
import { kmsKeys, type FoundEncryption, type KmsKeys } from './kms-keys.js';
import { mergeNotifications } from './notification.js';
import { planOf, queueArnOf, deadArnOf, wantedOfQueue, type Present, type Step } from './plan.js';
import { deadQueueAttributes, queueNames } from './queue-settings.js';
import type { PolicyDocument } from './policy-document.js';
import { servicePolicy } from './service-policy.js';
import { terraform } from './terraform.js';
import { webhookGuide } from './webhook-guide.js';
import { PROBE_PREFIX } from '../probes/probe-key.js';

// S3 tries the queue when it is told of it; a policy that was just written may not be known everywhere yet.
const VALIDATION_TRIES = 8;
const VALIDATION_PAUSE_MS = 2_000;

/** Sets up how a bucket tells of its uploads: shows the difference, and applies it. */
@Injectable()
export class ConnectService {
  constructor(
    private readonly targets: ConnectTargets,
    private readonly settings: BucketSettings,
    private readonly queues: QueueSetup,
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What is there and what is missing; changes nothing. */
  async plan(place: BucketPlace, wish: ConnectWish): Promise<ConnectPlanView> {
    const policy = this.targets.policyOf(place);
    const kind = this.targets.kindOf(place);
    const common = { ...placeOf(policy), kind, steps: [] };
    if (kind === 'embedded') {
      return { ...common, notes: ['The embedded endpoint tells the service of every upload by itself.'] };
    }
    if (kind === 'webhook') {
      const notes = ['Set one of these up at the server, then run: sallyport doctor.'];
      return { ...common, webhook: webhookGuide(this.config, policy), notes };
    }
    return this.view(policy, await this.read(place, wish), wish);
  }

  /**
   * Applies what is missing, step by step; each step looks anew, so what broke off is taken up by calling again, and a
   * second call changes nothing.
   *
   * @throws Conflict when a step is blocked, the plan is not the one that was looked at, or somebody else applies one.
   */
  async apply(
    place: BucketPlace,
    wish: ConnectWish & { readonly digest?: string | undefined },
    actor: string,
  ): Promise<ConnectPlanView> {
    const policy = this.targets.policyOf(place);
    if (this.targets.kindOf(place) !== 'sqs') {
      throw new Conflict('This server is told by hand where its events go; the plan says how.', {});
    }
    return this.database.transaction(async (tx) => {
      await this.alone(tx, place);
      const planned = await this.plan(place, wish);
      const blocked = planned.steps.find(({ state }) => state === 'blocked');
      if (blocked !== undefined)
        throw new Conflict(blocked.why ?? 'A step is blocked.', { step: blocked.id });
      if (wish.digest !== undefined && wish.digest !== planned.digest) {
        throw new Conflict('Something changed since the plan was made. Look at the new one.', {
          digest: planned.digest,
        });
      }
      const steps = planned.steps
        .filter(({ state }) => state !== 'done')
        .map(({ id, state }) => ({ id, state }));
      if (steps.length > 0) await this.record('bucket.connecting', policy, actor, { steps });
      await this.makeDead(place, wish);
      await this.makeQueue(place, wish);
      await this.notify(place, wish);
      if (steps.length > 0) await appendAudit(tx, [this.event('bucket.connected', policy, actor, { steps })]);
      return this.plan(place, wish);
    });
  }

  /**
   * The same as text for those who keep their infrastructure so.
   *
   * @throws Conflict where the server has no queues for which a template could be, or the account is not known.
   */
  async template(place: BucketPlace, wish: TemplateWish): Promise<TemplateView> {
    const policy = this.targets.policyOf(place);
    const kind = this.targets.kindOf(place);
    if (kind !== 'sqs') throw new Conflict(NO_TEMPLATE[kind]);
    const present = await this.read(place, wish);
    const account = this.accountOf(policy, present, wish);
    const template = {
      bucket: policy.bucket,
      region: present.region,
      account,
      ...present.names,
      via: wish.via,
      filter: filterOf(wish),
      present: present.notifications,
      servicePolicy: this.rights(policy, { ...present, account }, await this.keys(policy, wish)),
    };
    const name = `sallyport-${policy.bucket}`;
    return wish.format === 'terraform'
      ? { format: wish.format, fileName: `${name}.tf.json`, text: terraform(template) }
      : { format: wish.format, fileName: `${name}.template.json`, text: cloudFormation(template) };
  }

  private async read(place: BucketPlace, wish: ConnectWish): Promise<Present> {
    const region = (await this.settings.region(place)) ?? this.targets.regionOf(place);
    const named = wish.queueName;
    const names = named === undefined ? queueNames(place.bucket) : { queue: named, dead: `${named}-dead` };
    const [notifications, queue, dead] = await Promise.all([
      this.settings.notifications(place),
      this.queues.find(names.queue, region),
      this.queues.find(names.dead, region),
    ]);
    const account =
      wish.account ?? this.targets.policyOf(place).expectedOwner ?? (queue ?? dead)?.arn.split(':')[4];
    return { bucket: place.bucket, region, account, notifications, queue, dead, names };
  }

  private async makeDead(place: BucketPlace, wish: ConnectWish): Promise<void> {
    const present = await this.read(place, wish);
    if (stateOf(present, wish, 'dead-letter-queue') !== 'create') return;
    await this.queues.create(present.names.dead, present.region, deadQueueAttributes());
  }

  private async makeQueue(place: BucketPlace, wish: ConnectWish): Promise<void> {
    let present = await this.read(place, wish);
    if (present.queue === undefined) {
      // Without its policy, which names the queue's own ARN; that is told only now.
      const { Policy: _, ...attributes } = wantedOfQueue(present);
      const queue = await this.queues.create(present.names.queue, present.region, attributes);
      present = { ...(await this.read(place, wish)), queue };
    }
    const { queue, names, region } = present;
    const changes = wantedOfQueue(present);
    if (queue !== undefined && Object.keys(changes).length > 0) {
      await this.queues.change(names.queue, queue.url, region, changes);
    }
  }

  private async notify(place: BucketPlace, wish: ConnectWish): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const present = await this.read(place, wish);
      const merge = mergeNotifications(present.notifications, {
        queueArn: queueArnOf(present),
        ...filterOf(wish),
      });
      if (merge.kind !== 'changed') return;
      try {
        await this.settings.putNotifications(place, mutable(merge.after));
        return;
      } catch (error) {
        if (!isUnvalidated(error) || attempt >= VALIDATION_TRIES) throw error;
        await this.clock.sleepUntil(this.clock.now() + VALIDATION_PAUSE_MS);
      }
    }
  }

  private async view(policy: BucketPolicy, present: Present, wish: ConnectWish): Promise<ConnectPlanView> {
    const steps = planOf(present, filterOf(wish));
    const { region, account, queue } = present;
    const keys = await this.keys(policy, wish);
    return {
      ...placeOf(policy),
      kind: 'sqs',
      region,
      ...(account !== undefined && { account }),
      ...(queue !== undefined && { queueUrl: queue.url }),
      steps: steps.map(({ changes, why, ...step }) => ({
        ...step,
        changes: [...changes],
        ...(why !== undefined && { why }),
      })),
      digest: digestOf(steps),
      servicePolicy: this.rights(policy, present, keys),
      notes: [...(await this.notesOn(policy, present, steps)), ...keys.notes],
    };
  }

  private async notesOn(policy: BucketPolicy, present: Present, steps: readonly Step[]): Promise<string[]> {
    const { queue, names } = present;
    const isPolled = queue !== undefined && this.config.SQS_QUEUE_URLS.includes(queue.url);
    const versioning = await this.settings.versioning(policy).catch(() => undefined);
    return [
      ...(isPolled
        ? []
        : [
            `Add ${queue?.url ?? `the address of ${names.queue}`} to SQS_QUEUE_URLS and start the service again: it does not poll it yet.`,
          ]),
      ...(versioning === 'enabled' || versioning === undefined
        ? []
        : [
            'The bucket keeps no versions: an object that is overwritten before its scan cannot be looked at any more.',
          ]),
      ...(steps.every(({ state }) => state === 'done')
        ? ['Nothing is missing. Prove it: sallyport doctor.']
        : []),
    ];
  }

  private async keys(policy: BucketPolicy, wish: ConnectWish): Promise<KmsKeys> {
    const { endpointId, bucket, actionMode, quarantineBucket } = policy;
    const buckets = [bucket, ...(actionMode === 'quarantine' ? [quarantineBucket] : [])];
    const found = buckets
      .filter((name) => name !== undefined)
      .map(async (name): Promise<FoundEncryption> => {
        try {
          const encryption = await this.settings.encryption({ endpointId, bucket: name });
          return { bucket: name, encryption };
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          return { bucket: name, encryption: undefined, unread: error.reason };
        }
      });
    return kmsKeys(wish.kmsKeyArns, await Promise.all(found));
  }

  private rights(policy: BucketPolicy, present: Present, { arns: kmsKeyArns }: KmsKeys): PolicyDocument {
    const { bucket, actionMode, quarantineBucket } = policy;
    return servicePolicy({
      bucket,
      region: present.region,
      actionMode,
      quarantineBucket,
      queueArns: [queueArnOf(present), deadArnOf(present)],
      kmsKeyArns,
      probePrefix: PROBE_PREFIX,
    });
  }

  /** A template holds no account that is only guessed. */
  private accountOf(policy: BucketPolicy, present: Present, wish: ConnectWish): string {
    const account = wish.account ?? policy.expectedOwner ?? present.account;
    if (account === undefined) {
      throw new Conflict(
        'The AWS account of the bucket is not known. Name it (--account), or set the expected owner of the bucket.',
        {},
      );
    }
    return account;
  }

  private async alone(
    tx: { query<Row>(text: string, values: readonly unknown[]): Promise<Row[]> },
    place: BucketPlace,
  ) {
    const key = createHash('sha256').update(`connect ${place.endpointId} ${place.bucket}`).digest();
    const [row] = await tx.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1, $2) AS held', [
      CONNECT_LOCKS,
      key.readInt32BE(0),
    ]);
    if (row?.held !== true)
      throw new Conflict('Somebody connects this bucket just now. Try again in a minute.', {});
  }

  private record(action: string, policy: BucketPolicy, actor: string, data: object): Promise<void> {
    return this.database.transaction((tx) => appendAudit(tx, [this.event(action, policy, actor, data)]));
  }

  private event(action: string, { endpointId, bucket }: BucketPolicy, actor: string, data: object) {
    return {
      at: wholeMilliseconds(this.clock),
      actor,
      action,
      subject: `bucket:${endpointId}/${bucket}`,
      data: { ...data },
    };
  }
}

const CONNECT_LOCKS = 7_205_007;

const NO_TEMPLATE = {
  embedded:
    'The embedded endpoint tells the service of every upload by itself, so there is nothing to set up and no template. Templates are for buckets of AWS: register one with sallyport bucket add, and ask for its template.',
  webhook:
    'This server tells of uploads by a webhook, for which there is no template. Leave --terraform and --cloudformation out: sallyport connect prints what to set at the server.',
} as const;

const placeOf = ({ endpointId, bucket }: BucketPolicy) => ({ endpointId, bucket });

const filterOf = ({ prefix, suffix }: ConnectWish) => ({
  ...(prefix !== undefined && { prefix }),
  ...(suffix !== undefined && { suffix }),
});

const stateOf = (present: Present, wish: ConnectWish, id: Step['id']) =>
  planOf(present, filterOf(wish)).find((step) => step.id === id)?.state;

/** S3's word for a queue that it could not write to. */
const isUnvalidated = (error: unknown): boolean =>
  error instanceof StorageError &&
  error.s3Code === 'InvalidArgument' &&
  /validate the following destination/i.test(error.detail);

/** Of the differences alone: the same plan has the same digest on every node. */
const digestOf = (steps: readonly Step[]): string =>
  createHash('sha256')
    .update(JSON.stringify(steps.map(({ id, state, changes }) => [id, state, changes])))
    .digest('hex');

/** The SDK's types know no readonly. */
const mutable = (notifications: object) => JSON.parse(JSON.stringify(notifications)) as object;
