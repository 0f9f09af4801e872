import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceProcess } from '../../support/service-process.js';
import type { FlowUnderTest } from '../flow.suite.js';
import { clamdAnswers, ownClamd } from '../own-clamd.js';
import { clientOf, INTEROP_KEYS, type S3Server } from './s3-server.js';
import { freePort } from '../../support/free-port.js';

/** The built service and a server of others that it watches; `close` ends both. */
export interface WatchedServer extends FlowUnderTest {
  readonly server: S3Server;
  close(): Promise<void>;
}

/**
 * Starts the service first, because some servers try their webhook when they start, and then the server, which
 * `start` brings up on the port given and tells where events go.
 */
export async function watched(
  start: (at: { port: number; webhook: string; service: ServiceProcess }) => Promise<S3Server>,
  environment: (at: { port: number }) => Readonly<Record<string, string>> = () => ({}),
): Promise<WatchedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-flow-'));
  // PostgreSQL and clamd run under other accounts where root starts them, and must pass through.
  chmodSync(folder, 0o755);
  const clamd = ownClamd(folder);
  const port = await freePort();
  const service = await ServiceProcess.on(join(folder, 'home'), {
    S3_ENDPOINT: `http://127.0.0.1:${port}`,
    S3_FORCE_PATH_STYLE: 'true',
    S3_BUCKETS: 'uploads,plain',
    QUARANTINE_BUCKET: 'quarantine',
    ACTION_MODE: 'quarantine',
    AWS_ACCESS_KEY_ID: INTEROP_KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: INTEROP_KEYS.secretAccessKey,
    ...clamd,
    ...environment({ port }),
  });
  await service.start();
  if (clamd !== undefined) await clamdAnswers(service);
  const webhook = `${service.url}/events/s3/${service.credentials.eventsToken}`;
  const server = await start({ port, webhook, service });
  const s3 = clientOf(server);
  return {
    service,
    server,
    s3,
    prefix: '',
    versioned: 'uploads',
    plain: 'plain',
    harmless: clamd === undefined ? 'incomplete' : 'clean',
    close: async () => {
      s3.destroy();
      await service.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
