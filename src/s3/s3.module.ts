import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import { Keyring } from '../access/keyring.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Notices } from '../database/notices.js';
import { HealthRegistry } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { METRICS } from '../ops/metrics.js';
import { BucketSettings } from './bucket-settings.js';
import { Buckets } from './buckets.js';
import { Endpoints } from './endpoints.js';
import { MessageQueues } from './message-queues.js';
import { needsRandomAccess } from './needs-random-access.js';
import { ObjectStorage } from './object-storage.js';
import { QueueSetup } from './queue-setup.js';
import { BucketEntity } from './registry/bucket.entity.js';
import { BucketLook } from './registry/bucket-look.js';
import { BucketRegistry } from './registry/bucket-registry.js';
import { BucketsController } from './registry/buckets.controller.js';
import { BucketsService } from './registry/buckets.service.js';
import { EndpointsController } from './registry/endpoints.controller.js';
import { EndpointsService } from './registry/endpoints.service.js';
import { RegistryChanges } from './registry/registry-changes.js';
import { S3EndpointEntity } from './registry/s3-endpoint.entity.js';
import { reservedBuckets } from './registry/seed.js';
import { S3Health } from './s3-health.js';
import { SharedReads } from './shared-reads.js';
import { Spool } from './spool.js';

/** The data source must know these. */
export const S3_ENTITIES = [S3EndpointEntity, BucketEntity] as const;

/** The only user of the AWS SDK: which buckets there are, and their objects. */
@Module({
  controllers: [BucketsController, EndpointsController],
  providers: [
    {
      provide: BucketRegistry,
      inject: [Database, Notices, Clock, LOG],
      useFactory: (database: Database, notices: Notices, clock: Clock, log: Log) =>
        new BucketRegistry({ database, notices, clock, log }),
    },
    { provide: Buckets, useExisting: BucketRegistry },
    {
      provide: RegistryChanges,
      inject: [Database, Clock, LOG, BucketRegistry, CONFIG],
      useFactory: (database: Database, clock: Clock, log: Log, registry: BucketRegistry, config: Config) =>
        new RegistryChanges({ database, clock, log, registry, reserved: reservedBuckets(config) }),
    },
    BucketsService,
    BucketLook,
    EndpointsService,
    {
      provide: Endpoints,
      inject: [CONFIG, BucketRegistry, Keyring],
      useFactory: (config: Config, source: BucketRegistry, keyring: Keyring) =>
        new Endpoints(config, { source, keyring }),
    },
    {
      provide: ObjectStorage,
      inject: [Endpoints],
      useFactory: (endpoints: Endpoints) => new ObjectStorage(endpoints),
    },
    {
      provide: BucketSettings,
      inject: [Endpoints],
      useFactory: (endpoints: Endpoints) => new BucketSettings(endpoints),
    },
    {
      provide: QueueSetup,
      inject: [CONFIG],
      useFactory: (config: Config) => new QueueSetup(config),
    },
    {
      provide: MessageQueues,
      inject: [CONFIG, Clock],
      useFactory: (config: Config, clock: Clock) => new MessageQueues(config, clock),
    },
    {
      provide: Spool,
      inject: [CONFIG],
      useFactory: (config: Config) =>
        new Spool(join(config.SALLYPORT_HOME, 'spool'), config.SCAN_SPOOL_BYTES),
    },
    {
      provide: SharedReads,
      inject: [ObjectStorage, Spool],
      useFactory: (storage: ObjectStorage, spool: Spool) =>
        new SharedReads(storage, spool, { wantsSpool: needsRandomAccess }),
    },
  ],
  exports: [
    BucketRegistry,
    Buckets,
    BucketSettings,
    BucketsService,
    Endpoints,
    MessageQueues,
    ObjectStorage,
    QueueSetup,
    Spool,
    SharedReads,
  ],
})
export class S3Module implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly queues: MessageQueues,
    private readonly queueSetup: QueueSetup,
    private readonly registry: BucketRegistry,
    private readonly health: HealthRegistry,
    @Inject(CONFIG) private readonly config: Config,
    reads: SharedReads,
    spool: Spool,
    @Inject(METRICS) metrics: Registry,
  ) {
    const tell = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [metrics],
        collect: function () {
          this.set(value());
        },
      });
    tell('sallyport_objects_read', 'Objects read by scanners since the start', () => reads.counts.objects);
    tell(
      'sallyport_object_gets',
      'GET requests that this took; by objects read: 1 when idle',
      () => reads.counts.gets,
    );
    tell('sallyport_spool_bytes', 'Bytes in the scan spool now', () => spool.usedBytes);
    tell('sallyport_buckets', 'Registered buckets whose uploads are scanned', () => registry.list().length);
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('worker')) this.health.add(new S3Health(this.registry, this.endpoints));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.registry.stop();
    this.endpoints.close();
    this.queues.close();
    this.queueSetup.close();
  }
}
