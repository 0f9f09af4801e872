import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ServiceProcess } from '../support/service-process.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Runs the built command line against the service, with its first key. */
export function cliOf(
  service: ServiceProcess,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const { keyId, keySecret } = service.credentials.apiKey;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      {
        env: {
          PATH: process.env['PATH'] ?? '',
          NO_COLOR: '1',
          SALLYPORT_URL: service.url,
          SALLYPORT_API_KEY: `${keyId}:${keySecret}`,
        },
        timeout: 120_000,
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
  });
}
