import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { findProgram } from '../../src/tasks/scan/malware/clamd/clamd-binary.js';
import { clientOf, INTEROP_KEYS, makeBuckets, type S3Server } from '../../test/interop/servers/s3-server.js';
import { installVersitygw, startVersitygw } from '../../test/interop/servers/versitygw.js';
import { eventually } from '../../test/support/eventually.js';
import { freePort } from '../../test/support/free-port.js';
import { ServiceProcess } from '../../test/support/service-process.js';
import type { StoreName } from './options.js';
import { BUCKET } from './uploads.js';

/** The built service on a home of its own, with the S3 and the malware engine that the measurement wants. */
export interface Rig {
  readonly service: ServiceProcess;
  /** Holds the service's home and what it is given; removed when the rig is taken down. */
  readonly folder: string;
  /** A client of whose S3 the service watches the bucket `uploads`; the caller destroys it. */
  s3(): S3Client;
  takeDown(): Promise<void>;
}

export type Engines = 'built-in' | 'clamd';

/**
 * `clamd` is one that the service starts and watches, with a database that knows the test file and nothing else: what
 * the official signatures cost is not in any figure. `versitygw` is a S3 server in Go on real files, which tells its
 * uploads by a webhook.
 */
export async function setUp(
  engines: Engines,
  store: StoreName,
  environment: Readonly<Record<string, string>> = {},
): Promise<Rig> {
  if (engines === 'clamd' && findProgram('clamd') === undefined)
    throw new Error(
      'clamd is not installed: apt-get install clamav-daemon, or leave the measurements with clamd out (--only)',
    );
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const service = await ServiceProcess.on(join(folder, 'home'), {
    ...(engines === 'clamd' ? clamdSettings(folder) : {}),
    ...(store === 'versitygw' ? watching(port) : {}),
    ...environment,
  });
  let gateway: S3Server | undefined;
  const takeDown = async (): Promise<void> => {
    await service.stop();
    await gateway?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await service.start();
    if (engines === 'clamd') await engineAnswers(service);
    // After the service, because it tries its webhook when it starts.
    if (store === 'versitygw') gateway = await startGateway(service, port);
    const s3 = (): S3Client => (gateway === undefined ? service.s3() : clientOf(gateway));
    return { service, folder, s3, takeDown };
  } catch (error) {
    await takeDown();
    throw error;
  }
}

const watching = (port: number): Record<string, string> => ({
  S3_ENDPOINT: `http://127.0.0.1:${port}`,
  S3_FORCE_PATH_STYLE: 'true',
  S3_BUCKETS: BUCKET,
  AWS_ACCESS_KEY_ID: INTEROP_KEYS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: INTEROP_KEYS.secretAccessKey,
});

async function startGateway(service: ServiceProcess, port: number): Promise<S3Server> {
  const tool = await installVersitygw();
  if ('missing' in tool) throw new Error(`versitygw could not be built: ${tool.missing}`);
  const webhook = `${service.url}/events/s3/${service.credentials.eventsToken}`;
  const server = await startVersitygw(tool, { port, webhook, keepAlive: true });
  const s3 = clientOf(server);
  await makeBuckets(s3, { [BUCKET]: 'versioned' });
  s3.destroy();
  return server;
}

function clamdSettings(folder: string): Record<string, string> {
  const signatures = join(folder, 'signatures');
  mkdirSync(signatures);
  chmodSync(signatures, 0o755);
  writeFileSync(join(signatures, 'own.ndb'), `Own.Eicar:0:0:${eicar().toString('hex')}\n`);
  return { CLAMD_MANAGED: 'true', CLAMD_DATABASE: signatures, CLAMD_CUSTOM_DB: 'trusted' };
}

const engineAnswers = (service: ServiceProcess): Promise<unknown> =>
  eventually(
    async () => {
      const { healthResults } = (await (await fetch(`${service.url}/health`)).json()) as {
        healthResults: { name: string; details: { degraded?: boolean } }[];
      };
      const malware = healthResults.find(({ name }) => name === 'malware');
      return malware !== undefined && malware.details.degraded !== true;
    },
    { timeoutMs: 30_000, what: 'clamd answers' },
  );
