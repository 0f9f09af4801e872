import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { NotFound } from '../../errors.js';
import { DoctorCheck, type Diagnosis, type DoctorOrder } from '../../ops/doctor/diagnosis.js';
import { Doctor } from '../../ops/doctor/doctor.js';
import { BucketSettings } from '../../s3/bucket-settings.js';
import { Buckets, type BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import { ConnectTargets } from '../connect/connect-targets.js';
import { verdictKeys } from '../connect/bucket-policy.service.js';
import { readPolicy } from '../connect/policy-document.js';
import { Probes, type Probe } from '../probes/probe.js';
import { policyFacts } from './policy-facts.js';
import { refusal, remedyFor, tryRights } from './trials.js';

// Each waits for its probe's event most of the time.
const AT_ONCE = 8;

type Say = (check: string, status: Diagnosis['status'], fact: string, remedy?: string) => Diagnosis;

/** Proves for each bucket: rights, events, policy, versions, encryption, and that no move starts another scan. */
@Injectable()
export class BucketDoctor extends DoctorCheck implements OnApplicationBootstrap {
  readonly name = 'buckets';
  readonly limitSeconds = 60;

  constructor(
    private readonly doctor: Doctor,
    private readonly buckets: Buckets,
    private readonly targets: ConnectTargets,
    private readonly settings: BucketSettings,
    private readonly storage: ObjectStorage,
    private readonly probes: Probes,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.doctor.add(this);
  }

  async run(order: DoctorOrder, signal: AbortSignal): Promise<readonly Diagnosis[]> {
    const chosen = this.chosen(order);
    if (chosen.length === 0) {
      const fact = 'no bucket is registered, so nothing is scanned';
      const remedy = 'Register one: sallyport bucket add.';
      return [{ check: 'buckets', subject: 'service', status: 'warn', fact, remedy }];
    }
    const found: Diagnosis[][] = [];
    const waiting = [...chosen.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
        const [index, policy] = next;
        found[index] = await this.examine(policy, order.waitSeconds, signal);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, chosen.length) }, work));
    return found.flat();
  }

  /** @throws NotFound for one that is not registered. */
  private chosen({ buckets }: DoctorOrder): readonly BucketPolicy[] {
    if (buckets === undefined) return this.buckets.list();
    return buckets.flatMap(({ endpointId, bucket }) => {
      const named = this.buckets
        .named(bucket)
        .filter((policy) => endpointId === undefined || policy.endpointId === endpointId);
      if (named.length === 0) throw new NotFound(`No bucket ${bucket} is registered, or it is disabled.`);
      return named;
    });
  }

  private async examine(
    policy: BucketPolicy,
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<Diagnosis[]> {
    const subject = `${policy.endpointId}/${policy.bucket}`;
    const say: Say = (check, status, fact, remedy) => ({
      check,
      subject,
      status,
      fact,
      ...(remedy !== undefined && { remedy }),
    });
    try {
      await this.settings.region(policy, signal);
    } catch (error) {
      return [say('reach', 'fail', `the bucket cannot be looked at: ${refusal(error)}`, remedyFor(error))];
    }
    const left: Diagnosis[] = [];
    await this.probes.tidy(policy).catch((error: unknown) => {
      const fact = `probes of an earlier examination could not be removed: ${refusal(error)}`;
      left.push(say('permissions', 'warn', fact, remedyFor(error)));
    });
    const [probed, ...facts] = await Promise.all([
      this.probe(policy, { waitSeconds, signal, say }),
      this.versioning(policy, say),
      this.encryption(policy, say),
      this.policy(policy, say),
      this.recursion(policy, say),
    ]);
    return [...left, ...probed, ...facts.flat()];
  }

  private async probe(
    policy: BucketPolicy,
    how: { readonly waitSeconds: number; readonly signal: AbortSignal; readonly say: Say },
  ): Promise<Diagnosis[]> {
    const { say } = how;
    let probe: Probe;
    try {
      probe = await this.probes.put(policy);
    } catch (error) {
      const moves = policy.actionMode === 'quarantine';
      const more = moves
        ? ''
        : ' It is needed below .sallyport/doctor/ alone; without it nothing here can be proved.';
      const fact = `cannot put a probe object: ${refusal(error)}`;
      return [say('permissions', moves ? 'fail' : 'warn', fact, `${remedyFor(error)}${more}`)];
    }
    const found: Diagnosis[] = [];
    try {
      found.push(...(await tryRights(this.storage, policy, probe, say)));
      found.push(await this.events(policy, probe, how));
    } finally {
      await this.probes.remove(probe).catch((error: unknown) => {
        const fact = `the probe ${probe.object.key} could not be removed: ${refusal(error)}`;
        found.push(
          say('permissions', policy.actionMode === 'quarantine' ? 'fail' : 'warn', fact, remedyFor(error)),
        );
      });
    }
    return found;
  }

  private async events(
    policy: BucketPolicy,
    { id }: Probe,
    {
      waitSeconds,
      signal,
      say,
    }: { readonly waitSeconds: number; readonly signal: AbortSignal; readonly say: Say },
  ): Promise<Diagnosis> {
    const began = performance.now();
    const arrived = await this.probes.arrival(id, { withinMs: waitSeconds * 1000, signal });
    if (arrived !== undefined) {
      const after = Math.round(performance.now() - began);
      return say(
        'events',
        'ok',
        `the probe's event came in by ${arrived.sourceKind ?? 'some way'}, within ${after} ms of waiting`,
      );
    }
    return say(
      'events',
      'fail',
      `no event of the probe came in within ${waitSeconds} s: uploads are not noticed`,
      this.eventRemedy(policy),
    );
  }

  private eventRemedy(policy: BucketPolicy): string {
    const kind = this.targets.kindOf(policy);
    switch (kind) {
      case 'sqs':
        return `sallyport connect s3://${policy.bucket} shows what is missing; SQS_QUEUE_URLS must name the queue, and a node with the role intake must run. Slow queues: --wait 60.`;
      case 'webhook':
        return `sallyport connect s3://${policy.bucket} prints what to set at the server: address and token of the webhook.`;
      case 'embedded':
        return 'Look at the log of the node that runs the embedded endpoint.';
      default:
        return kind satisfies never;
    }
  }

  private async versioning(policy: BucketPolicy, say: Say): Promise<Diagnosis[]> {
    try {
      const state = await this.settings.versioning(policy);
      if (state === 'enabled') return [say('versioning', 'ok', 'every version is kept')];
      const fact = `versioning is ${state === 'never' ? 'off' : 'suspended'}: what is overwritten before its scan cannot be looked at any more`;
      return [say('versioning', 'warn', fact, 'Turn versioning on, with a lifecycle rule for old versions.')];
    } catch (error) {
      return [say('versioning', 'warn', `not known: ${refusal(error)}`, remedyFor(error))];
    }
  }

  /** That the key can be used is proved by the probe, which was written and read with it. */
  private async encryption(policy: BucketPolicy, say: Say): Promise<Diagnosis[]> {
    try {
      const found = await this.settings.encryption(policy);
      if (found === undefined) return [say('kms', 'ok', 'no encryption of its own is set')];
      const key = found.kmsKey === undefined ? '' : ` with ${found.kmsKey}`;
      return [say('kms', 'ok', `new objects are encrypted by ${found.algorithm}${key}`)];
    } catch (error) {
      const isUnknown = error instanceof StorageError && error.outcome !== 'denied';
      return isUnknown
        ? [say('kms', 'ok', 'the server tells no encryption')]
        : [say('kms', 'warn', `not known: ${refusal(error)}`, remedyFor(error))];
    }
  }

  private async policy(policy: BucketPolicy, say: Say): Promise<Diagnosis[]> {
    if (this.targets.kindOf(policy) === 'embedded') {
      return [say('policy', 'ok', 'the embedded endpoint has one key and no policies; it is for trying out')];
    }
    const { verdict } = verdictKeys(this.config.VERDICT_TAG_STYLE);
    const remedy = `sallyport bucket-policy s3://${policy.bucket} prints one; put it with your own tools.`;
    try {
      const facts = policyFacts(
        readPolicy(await this.settings.policy(policy), "The bucket's policy"),
        verdict.key,
      );
      const hidden = facts.hidesUnclean && facts.hidesUncleanVersions;
      return [
        hidden
          ? say('policy', 'ok', 'what is not clean is hidden from readers')
          : say(
              'policy',
              'warn',
              `readers see uploads before their verdict${facts.hidesUnclean ? ', by naming a version' : ''}`,
              remedy,
            ),
        facts.keepsTag
          ? say('policy', 'ok', 'the tag of the verdict cannot be forged by others')
          : say('policy', 'warn', `whoever may upload or tag may set ${verdict.key} themselves`, remedy),
      ];
    } catch (error) {
      return [say('policy', 'warn', `not known: ${refusal(error)}`, remedy)];
    }
  }

  private async recursion(policy: BucketPolicy, say: Say): Promise<Diagnosis[]> {
    const { quarantineBucket: bucket, endpointId } = policy;
    if (bucket === undefined) return [say('recursion', 'ok', 'nothing is moved')];
    if (this.buckets.find(endpointId, bucket)?.enabled === true) {
      const remedy = 'Name a quarantine bucket that is not scanned itself.';
      return [
        say('recursion', 'fail', `${bucket} is scanned itself: every move would start another scan`, remedy),
      ];
    }
    try {
      const {
        QueueConfigurations = [],
        TopicConfigurations = [],
        LambdaFunctionConfigurations = [],
      } = await this.settings.notifications({ endpointId, bucket });
      const targets = [...QueueConfigurations, ...TopicConfigurations, ...LambdaFunctionConfigurations];
      return targets.length === 0
        ? [say('recursion', 'ok', `${bucket} is not scanned, and tells nobody of what is moved there`)]
        : [
            say(
              'recursion',
              'warn',
              `${bucket} has ${targets.length} notification(s): its events are left alone here, but whoever hears them may act on malware`,
              'Remove them unless you know what they are for.',
            ),
          ];
    } catch (error) {
      if (this.targets.kindOf(policy) !== 'sqs') return [say('recursion', 'ok', `${bucket} is not scanned`)];
      return [
        say(
          'recursion',
          'warn',
          `the notifications of ${bucket} are not known: ${refusal(error)}`,
          remedyFor(error),
        ),
      ];
    }
  }
}
