import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { Keyring } from '../access/keyring.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { ConfigError } from '../errors.js';
import { Doctor } from '../ops/doctor/doctor.js';
import { HealthRegistry } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { Egress } from '../outbound/egress/egress.js';
import { AttachmentScanner } from '../reviews/attachments/attachment-scanner.js';
import { ObjectBytes } from '../reviews/bytes/object-bytes.js';
import { FindingContexts } from '../reviews/context/finding-contexts.js';
import { Buckets } from '../s3/buckets.js';
import { Spool } from '../s3/spool.js';
import { S3Module } from '../s3/s3.module.js';
import { VerdictsModule } from '../verdicts/verdicts.module.js';
import { Allowances } from './object/allowances.js';
import { DeleteObjectWorker } from './object/delete-object.worker.js';
import { InspectObjectWorker } from './object/inspect-object.worker.js';
import { KeepObjectWorker } from './object/keep-object.worker.js';
import { ObjectLocks } from './object/object-locks.js';
import { QuarantineObjectWorker } from './object/quarantine-object.worker.js';
import { AbandonedUploads } from './object/abandoned-uploads.js';
import { Quarantine } from './object/quarantine.js';
import { StoredBytes } from './object/stored-bytes.js';
import { ReleaseObjectWorker } from './object/release-object.worker.js';
import { TagObjectWorker } from './object/tag-object.worker.js';
import { Tagger } from './object/tagger.js';
import { VersionPin } from './object/version-pin.js';
import { OwnAttachmentScanner } from './scan/attachments/own-attachment-scanner.js';
import { ContextReader } from './scan/context/context-reader.js';
import { EngineVersions } from './scan/engine-versions.js';
import { BuiltInEngine } from './scan/malware/built-in-engine.js';
import { ClamdEngine } from './scan/malware/clamd/clamd-engine.js';
import type { ClamdAddress } from './scan/malware/clamd/client.js';
import { ManagedClamd } from './scan/malware/clamd/managed-clamd.js';
import { USUAL_PLACES } from './scan/malware/clamd/probe.js';
import { readHashList } from './scan/malware/hash-list.js';
import { MalwareEngines } from './scan/malware/malware-engines.js';
import { MalwareDoctor } from './scan/malware/malware-doctor.js';
import { MalwareHealth } from './scan/malware/malware-health.js';
import { MalwareStatus } from './scan/malware/malware-status.js';
import { MalwareWatch } from './scan/malware/malware-watch.js';
import { YaraEngine } from './scan/malware/yara/yara-engine.js';
import { ScanMalwareWorker } from './scan/scan-malware.worker.js';
import { ScanSecretsWorker } from './scan/scan-secrets.worker.js';
import { ContentController } from './scan/remote/content.controller.js';
import { OfferObjectWorker } from './scan/remote/offer-object.worker.js';
import { ReadGrants } from './scan/remote/read-grants.js';
import { TakeAnswerWorker } from './scan/remote/take-answer.worker.js';
import { SecretScannerSource } from './scan/secret-scanner-source.js';
import { SecretVerifier } from './scan/verify/secret-verifier.js';
import { RuleError } from './scan/secrets/errors.js';
import type { RuleSource } from './scan/secrets/rules/load.js';
import { readUserRules } from './scan/secrets/rules/user-rules.js';

/** The built-in workers that look at objects and act on them. */
export const TASKS_WORKERS = [
  InspectObjectWorker,
  ScanSecretsWorker,
  ScanMalwareWorker,
  OfferObjectWorker,
  TakeAnswerWorker,
  TagObjectWorker,
  QuarantineObjectWorker,
  ReleaseObjectWorker,
  DeleteObjectWorker,
  KeepObjectWorker,
] as const;

const MANAGED_CLAMD = Symbol('MANAGED_CLAMD');

/** Scans and actions: everything that touches an object's bytes. */
@Module({
  imports: [S3Module, VerdictsModule],
  controllers: [ContentController],
  providers: [
    ...TASKS_WORKERS,
    Allowances,
    VersionPin,
    ObjectLocks,
    Tagger,
    Quarantine,
    AbandonedUploads,
    ReadGrants,
    { provide: ObjectBytes, useClass: StoredBytes },
    { provide: FindingContexts, useClass: ContextReader },
    { provide: AttachmentScanner, useClass: OwnAttachmentScanner },
    {
      provide: SecretScannerSource,
      inject: [CONFIG, Keyring],
      useFactory: (config: Config, keyring: Keyring) =>
        new SecretScannerSource({
          key: keyring.for('fingerprint'),
          userRules: userRules(config),
          concurrency: config.SCAN_CONCURRENCY,
          verifies: config.SECRET_VERIFY === 'on',
        }),
    },
    {
      provide: SecretVerifier,
      inject: [CONFIG, SecretScannerSource, Egress, Clock],
      useFactory: (config: Config, { verification }: SecretScannerSource, egress: Egress, clock: Clock) =>
        new SecretVerifier(verification, config.SECRET_VERIFY_HOSTS, egress, clock),
    },
    {
      provide: MANAGED_CLAMD,
      inject: [CONFIG, LOG, Clock],
      useFactory: managedClamd,
    },
    {
      provide: ClamdEngine,
      inject: [CONFIG, Clock, MANAGED_CLAMD],
      useFactory: (config: Config, clock: Clock, managed: ManagedClamd | undefined) =>
        new ClamdEngine({
          configured: configuredClamd(config, managed),
          usualPlaces: config.CLAMD_DISCOVERY === 'on' ? USUAL_PLACES : [],
          trustsCustomDatabase: config.CLAMD_CUSTOM_DB === 'trusted',
          now: () => clock.now(),
        }),
    },
    {
      provide: MalwareEngines,
      inject: [CONFIG, ClamdEngine, Spool],
      useFactory: (config: Config, clamd: ClamdEngine, spool: Spool) =>
        new MalwareEngines(
          new BuiltInEngine(readHashList(join(config.SALLYPORT_HOME, 'malware-hashes.txt'))),
          clamd,
          yaraEngine(config, spool),
        ),
    },
    {
      provide: MalwareWatch,
      inject: [ClamdEngine, MANAGED_CLAMD, MalwareEngines, LOG],
      useFactory: (
        clamd: ClamdEngine,
        managed: ManagedClamd | undefined,
        engines: MalwareEngines,
        log: Log,
      ) => new MalwareWatch(clamd, managed, engines, log),
    },
    { provide: MalwareStatus, useExisting: MalwareWatch },
    {
      provide: EngineVersions,
      inject: [MalwareEngines, SecretScannerSource],
      useFactory: (engines: MalwareEngines, secrets: SecretScannerSource): EngineVersions => ({
        current: () => {
          const rules = {
            engine: 'secrets' as const,
            database: secrets.scanner.rulesDigest,
            isTrusted: true,
          };
          return [rules, ...engines.versions()];
        },
      }),
    },
  ],
  exports: [...TASKS_WORKERS, MalwareStatus, EngineVersions, ObjectBytes, FindingContexts, AttachmentScanner],
})
export class TasksModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly watch: MalwareWatch,
    private readonly secrets: SecretScannerSource,
    private readonly verifier: SecretVerifier,
    private readonly engines: MalwareEngines,
    private readonly health: HealthRegistry,
    private readonly doctor: Doctor,
    private readonly buckets: Buckets,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const note of this.secrets.scanner.rulesNotes) this.log.warn(`Secret rules: ${note}`);
    for (const host of this.verifier.idleHosts)
      this.log.warn(`SECRET_VERIFY_HOSTS: no secret rule asks ${host}.`);
    this.health.add(new MalwareHealth(this.watch));
    this.doctor.add(new MalwareDoctor(this.watch, this.buckets, this.config.ROLES.includes('worker')));
    await this.watch.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watch.stop();
    await this.secrets.close();
    await this.engines.close();
  }
}

function managedClamd(config: Config, log: Log, clock: Clock): ManagedClamd | undefined {
  if (!config.CLAMD_MANAGED || !config.ROLES.includes('worker')) return undefined;
  return new ManagedClamd({
    home: config.SALLYPORT_HOME,
    databaseDirectory: config.CLAMD_DATABASE,
    // Two streams for each object that is scanned at the same time.
    maxThreads: 2 * config.SCAN_CONCURRENCY,
    log,
    now: () => clock.now(),
  });
}

function configuredClamd(config: Config, managed: ManagedClamd | undefined): ClamdAddress | undefined {
  if (config.CLAMD_SOCKET !== undefined) return { path: config.CLAMD_SOCKET };
  if (config.CLAMD_HOST !== undefined) return { host: config.CLAMD_HOST, port: config.CLAMD_PORT };
  return managed === undefined ? undefined : { path: managed.place.socket };
}

function yaraEngine(config: Config, spool: Spool): YaraEngine | undefined {
  if (config.YARA_RULES === undefined || !config.ROLES.includes('worker')) return undefined;
  return new YaraEngine({ path: config.YARA_RULES, spool });
}

function userRules(config: Config): RuleSource | undefined {
  const path = config.SECRET_RULES;
  if (path === undefined) return undefined;
  try {
    return readUserRules(path);
  } catch (error) {
    if (error instanceof RuleError) throw error;
    throw new ConfigError(`SECRET_RULES: ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
