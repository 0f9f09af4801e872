import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { METRICS } from '../ops/metrics.js';
import { Buckets, ConfiguredBuckets } from './buckets.js';
import { Endpoints } from './endpoints.js';
import { MessageQueues } from './message-queues.js';
import { needsRandomAccess } from './needs-random-access.js';
import { ObjectStorage } from './object-storage.js';
import { SharedReads } from './shared-reads.js';
import { Spool } from './spool.js';

/** The only user of the AWS SDK: which buckets there are, and their objects. */
@Module({
  providers: [
    { provide: Buckets, inject: [CONFIG], useFactory: (config: Config) => new ConfiguredBuckets(config) },
    { provide: Endpoints, inject: [CONFIG], useFactory: (config: Config) => new Endpoints(config) },
    {
      provide: ObjectStorage,
      inject: [Endpoints],
      useFactory: (endpoints: Endpoints) => new ObjectStorage(endpoints),
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
  exports: [Buckets, Endpoints, MessageQueues, ObjectStorage, Spool, SharedReads],
})
export class S3Module implements OnApplicationShutdown {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly queues: MessageQueues,
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
  }

  onApplicationShutdown(): void {
    this.endpoints.close();
    this.queues.close();
  }
}
