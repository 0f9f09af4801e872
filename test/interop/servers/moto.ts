import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { motoServer, toolOr, type Sdk } from '../toolchain.js';
import { freePort } from '../../support/free-port.js';
import { ServerProcess } from './server-process.js';
import type { S3Server } from './s3-server.js';

export const installMoto = (): Promise<Sdk | { missing: string }> =>
  toolOr('Python 3 with venv, and PyPI', () => motoServer('5.2.5'));

/** The account that moto plays. */
export const MOTO_ACCOUNT = '123456789012';

/** moto in server mode: S3, SQS, SNS and more at one address, kept in memory. */
export async function startMoto({ command }: Sdk, port?: number): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-moto-'));
  const at = port ?? (await freePort());
  const server = await ServerProcess.start(command, ['-H', '127.0.0.1', '-p', String(at)], {
    port: at,
    cwd: folder,
  });
  return {
    endpoint: `http://127.0.0.1:${at}`,
    region: 'us-east-1',
    keys: { accessKeyId: 'interop-key', secretAccessKey: 'interop-secret' },
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
