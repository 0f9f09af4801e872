import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolOr, versitygw, type Sdk } from '../toolchain.js';
import { freePort } from '../../support/free-port.js';
import { ServerProcess } from './server-process.js';
import { INTEROP_KEYS, type S3Server } from './s3-server.js';

export const installVersitygw = (): Promise<Sdk | { missing: string }> =>
  toolOr('Go 1.21 or newer, and the module proxy', () => versitygw('1.8.0'));

/**
 * versitygw on real files, versions kept in a folder beside them. It posts its events to `webhook`, which must answer
 * already: the gateway tries it when it starts.
 */
export async function startVersitygw(
  { command }: Sdk,
  options: {
    readonly port?: number;
    readonly webhook?: string;
    /** Off by default, as it is with the gateway itself: every request then has a connection of its own. */
    readonly keepAlive?: boolean;
  } = {},
): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-versitygw-'));
  const [files, versions] = [join(folder, 'files'), join(folder, 'versions')];
  mkdirSync(files);
  mkdirSync(versions);
  const port = options.port ?? (await freePort());
  const keys = INTEROP_KEYS;
  const server = await ServerProcess.start(
    command,
    [
      '--port',
      `127.0.0.1:${port}`,
      ...(options.keepAlive === true ? ['--keep-alive'] : []),
      ...(options.webhook === undefined ? [] : ['--event-webhook-url', options.webhook]),
      'posix',
      '--versioning-dir',
      versions,
      files,
    ],
    {
      port,
      cwd: folder,
      env: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
    },
  );
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    keys,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
