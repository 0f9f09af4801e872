import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { findProgram } from '../../src/tasks/scan/malware/clamd/clamd-binary.js';
import { eventually } from '../../test/support/eventually.js';
import { ServiceProcess } from '../../test/support/service-process.js';

/** The built service on a home of its own, with the malware engine that the measurement wants. */
export interface Rig {
  readonly service: ServiceProcess;
  /** Holds everything; removed when the rig is taken down. */
  readonly folder: string;
  takeDown(): Promise<void>;
}

export type Engines = 'built-in' | 'clamd';

/**
 * `clamd` is one that the service starts and watches, with a database that knows the test file and nothing else: what
 * the official signatures cost is not in any figure.
 */
export async function setUp(
  engines: Engines,
  environment: Readonly<Record<string, string>> = {},
): Promise<Rig> {
  if (engines === 'clamd' && findProgram('clamd') === undefined)
    throw new Error(
      'clamd is not installed: apt-get install clamav-daemon, or leave the measurements with clamd out (--only)',
    );
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  chmodSync(folder, 0o755);
  const service = await ServiceProcess.on(join(folder, 'home'), {
    ...(engines === 'clamd' ? clamdSettings(folder) : {}),
    ...environment,
  });
  const takeDown = async (): Promise<void> => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await service.start();
    if (engines === 'clamd') await engineAnswers(service);
    return { service, folder, takeDown };
  } catch (error) {
    await takeDown();
    throw error;
  }
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
