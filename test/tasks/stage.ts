import { randomUUID } from 'node:crypto';
import { readConfig, type Config } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { RestoreHold } from '../../src/database/restore-hold.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import type { Task } from '../../src/engine/model/execution.js';
import type { TaskContext, TaskOutcome, TaskWorker } from '../../src/engine/ports.js';
import { Buckets, ConfiguredBuckets, type BucketPolicy } from '../../src/s3/buckets.js';
import type { PinnedObject } from '../../src/s3/object-storage.js';
import { DeleteObjectWorker } from '../../src/tasks/object/delete-object.worker.js';
import { Allowances } from '../../src/tasks/object/allowances.js';
import { InspectObjectWorker } from '../../src/tasks/object/inspect-object.worker.js';
import { KeepObjectWorker } from '../../src/tasks/object/keep-object.worker.js';
import { ObjectLocks } from '../../src/tasks/object/object-locks.js';
import { QuarantineObjectWorker } from '../../src/tasks/object/quarantine-object.worker.js';
import { Quarantine } from '../../src/tasks/object/quarantine.js';
import { ReleaseObjectWorker } from '../../src/tasks/object/release-object.worker.js';
import { TagObjectWorker } from '../../src/tasks/object/tag-object.worker.js';
import { Tagger } from '../../src/tasks/object/tagger.js';
import { VersionPin } from '../../src/tasks/object/version-pin.js';
import { BuiltInEngine } from '../../src/tasks/scan/malware/built-in-engine.js';
import { ClamdEngine, type ClamdEngineOptions } from '../../src/tasks/scan/malware/clamd/clamd-engine.js';
import { readHashList } from '../../src/tasks/scan/malware/hash-list.js';
import { MalwareEngines } from '../../src/tasks/scan/malware/malware-engines.js';
import { ScanMalwareWorker } from '../../src/tasks/scan/scan-malware.worker.js';
import { ScanSecretsWorker } from '../../src/tasks/scan/scan-secrets.worker.js';
import { SecretScannerSource } from '../../src/tasks/scan/secret-scanner-source.js';
import type { ObjectInput } from '../../src/tasks/task-input.js';
import { Baseline } from '../../src/verdicts/baseline/baseline.service.js';
import { Egress } from '../../src/outbound/egress/egress.js';
import { SecretVerifier } from '../../src/tasks/scan/verify/secret-verifier.js';
import { FakeClock } from '../support/clock.js';
import { MemoryLedger } from '../support/ledger.js';
import type { TestS3 } from '../s3/endpoint.js';

type Output = JsonObject & { readonly [key: string]: never };

class GivenBuckets extends Buckets {
  constructor(private readonly policies: readonly BucketPolicy[]) {
    super();
  }
  list(): readonly BucketPolicy[] {
    return this.policies;
  }
  find(endpointId: string, bucket: string): BucketPolicy | undefined {
    return this.policies.find((policy) => policy.endpointId === endpointId && policy.bucket === bucket);
  }
  byName(bucket: string): BucketPolicy | undefined {
    return this.policies.find((policy) => policy.bucket === bucket);
  }
}

/** The workers of this stage over an endpoint, a ledger in memory and, where they need one, a database. */
export class Stage {
  readonly ledger = new MemoryLedger();
  readonly clock = new FakeClock();
  readonly config: Config;
  readonly clamd: ClamdEngine;
  readonly secrets: SecretScannerSource;
  readonly quarantine: Quarantine;
  readonly workers: Readonly<Record<string, TaskWorker>>;

  constructor(
    readonly s3: TestS3,
    readonly db: Database,
    environment: Record<string, string> = {},
    clamd: Partial<ClamdEngineOptions> = {},
    private readonly shared: {
      /** Another stage's: its rules take most of a second to compile. */
      readonly secrets?: SecretScannerSource;
      /** Nobody is asked without one. */
      readonly verifier?: SecretVerifier;
      /** Instead of what the environment names. */
      readonly policies?: readonly BucketPolicy[] | undefined;
      /** Of every bucket. */
      readonly archivePasswords?: readonly string[];
    } = {},
  ) {
    this.config = readConfig({ SALLYPORT_HOME: s3.directory, ...environment });
    const { ledger, clock, config } = this;
    const { storage, reads, spool } = s3;
    const buckets =
      shared.policies === undefined ? new ConfiguredBuckets(config) : new GivenBuckets(shared.policies);
    const tagger = new Tagger(storage, new ObjectLocks(db, clock), ledger, clock, config);
    this.quarantine = new Quarantine(storage, db, clock);
    this.clamd = new ClamdEngine({
      usualPlaces: [],
      trustsCustomDatabase: false,
      now: () => clock.now(),
      ...clamd,
    });
    const engines = new MalwareEngines(new BuiltInEngine(readHashList(undefined)), this.clamd);
    this.secrets =
      shared.secrets ??
      new SecretScannerSource({
        key: { id: 'fingerprint-test', key: Buffer.alloc(32, 1) },
        userRules: undefined,
        concurrency: 4,
      });
    const passwords = { archivePasswords: () => shared.archivePasswords ?? [] };
    const hold = new RestoreHold(db);
    const all: TaskWorker[] = [
      new InspectObjectWorker(
        ledger,
        new VersionPin(ledger, storage),
        reads,
        new Allowances(storage, db, clock),
        db,
      ),
      new ScanSecretsWorker(
        ledger,
        reads,
        spool,
        passwords,
        this.secrets,
        new Baseline(db, clock),
        shared.verifier ?? new SecretVerifier(undefined, [], new Egress(), clock),
        clock,
      ),
      new ScanMalwareWorker(
        ledger,
        reads,
        spool,
        passwords,
        engines,
        this.secrets,
        new Baseline(db, clock),
        clock,
        config,
      ),
      new TagObjectWorker(hold, ledger, buckets, storage, tagger, clock),
      new QuarantineObjectWorker(hold, ledger, buckets, storage, this.quarantine, tagger, clock, config),
      new ReleaseObjectWorker(hold, ledger, storage, this.quarantine, clock, config),
      new DeleteObjectWorker(hold, ledger, buckets, storage, this.quarantine, clock, config),
      new KeepObjectWorker(ledger, this.quarantine, clock),
    ];
    this.workers = Object.fromEntries(all.map((worker) => [worker.taskType, worker]));
  }

  /** Hands a task to its worker, as the engine does. */
  run(
    taskType: string,
    inputData: JsonObject,
    task: Partial<Task> = {},
    signal?: AbortSignal,
  ): Promise<TaskOutcome> {
    const worker = this.workers[taskType];
    if (worker === undefined) throw new Error(`no worker ${taskType}`);
    const context: TaskContext = { signal: signal ?? new AbortController().signal, log: () => undefined };
    const handed = {
      taskId: randomUUID(),
      taskDefName: taskType,
      inputData,
      retryCount: 0,
      pollCount: 1,
      ...task,
    } as Task;
    return worker.execute(handed, context);
  }

  /** The output of a task that must complete. */
  async output(taskType: string, inputData: JsonObject, task: Partial<Task> = {}): Promise<Output> {
    const outcome = await this.run(taskType, inputData, task);
    if (outcome.kind !== 'completed') throw new Error(`${taskType} ended ${JSON.stringify(outcome)}`);
    return outcome.output as Output;
  }

  /** Uploads, admits and inspects. */
  async upload(key: string, body: Buffer | string, bucket = 'uploads') {
    const pinned = await this.s3.put(key, body, bucket);
    const { scanId } = this.ledger.admit({
      endpointId: 'embedded',
      bucket,
      key,
      versionId: pinned.versionId,
    });
    const { object } = (await this.output('inspect_object', { scanId })) as unknown as {
      object: ObjectInput;
    };
    return { scanId, object, pinned } as {
      scanId: string;
      object: ObjectInput & JsonObject;
      pinned: PinnedObject;
    };
  }

  async close(): Promise<void> {
    if (this.shared.secrets === undefined) await this.secrets.close();
  }
}
