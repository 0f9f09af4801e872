import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { DiskHealth, diskResult } from '../../src/ops/disk-health.js';
import { HealthRegistry } from '../../src/ops/health.js';

const MIB = 1024 * 1024;

it.each([
  [0, false, true],
  [31 * MIB, false, true],
  [100 * MIB, true, true],
  [4096 * MIB, true, undefined],
])('of %i free bytes it says healthy: %s, degraded: %s', (free, healthy, degraded) => {
  const result = diskResult('/home', free);
  expect(result.healthy).toBe(healthy);
  expect(result.degraded).toBe(degraded);
  expect(result.remedy === undefined).toBe(degraded === undefined);
});

it('looks at the disk of the home, where something is embedded', async () => {
  const registry = new HealthRegistry();
  new DiskHealth(readConfig({ SALLYPORT_HOME: tmpdir() }), registry).onApplicationBootstrap();
  const [result] = await registry.results();
  expect(result?.detail).toContain(`free in ${tmpdir()}`);

  const lean = new HealthRegistry();
  const config = readConfig({
    DATABASE_URL: 'postgres://localhost/x',
    SALLYPORT_KEY: Buffer.alloc(32).toString('base64'),
    EMBEDDED_S3: 'off',
  });
  new DiskHealth(config, lean).onApplicationBootstrap();
  expect(await lean.results()).toEqual([]);
});
