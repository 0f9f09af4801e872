import { statfs } from 'node:fs/promises';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { HealthCheck, HealthRegistry, type HealthResult } from './health.js';

const MIB = 1024 * 1024;
// PostgreSQL's write-ahead log grows by 16 MiB at a time; without that much nothing can be committed.
const NEEDED_BYTES = 32 * MIB;
const SCARCE_BYTES = 512 * MIB;

/** How the disk below SALLYPORT_HOME is, by the bytes that are free. */
export function diskResult(home: string, freeBytes: number): HealthResult {
  const free = `${Math.floor(freeBytes / MIB)} MiB are free in ${home}`;
  if (freeBytes >= SCARCE_BYTES) return { name: 'disk', healthy: true, detail: free };
  const isFull = freeBytes < NEEDED_BYTES;
  return {
    name: 'disk',
    healthy: !isFull,
    degraded: true,
    detail: isFull ? `${free}: nothing more can be stored` : free,
    remedy: 'Free some space or move SALLYPORT_HOME to a larger disk; the service goes on by itself.',
  };
}

/** Says in time that the disk of what is embedded runs full: then no upload is taken in and nothing is decided. */
@Injectable()
export class DiskHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'disk';

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    if (this.config.embeddedDatabase || this.config.embeddedS3) this.registry.add(this);
  }

  async check(): Promise<readonly HealthResult[]> {
    const home = this.config.SALLYPORT_HOME;
    const disk = await statfs(home);
    return [diskResult(home, disk.bavail * disk.bsize)];
  }
}
