import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../src/tasks/scan/malware/clamd/clamd-binary.js';
import { eicar } from '../../src/tasks/scan/malware/eicar.js';
import { eventually } from '../support/eventually.js';
import type { ServiceProcess } from '../support/service-process.js';

/**
 * Settings of a service that starts a clamd with one signature, where clamd is installed: `clean` wants a malware
 * engine. In CI it is there.
 */
export function ownClamd(folder: string): Readonly<Record<string, string>> | undefined {
  if (findProgram('clamd') === undefined) {
    if (process.env['CI'] === 'true') throw new Error('clamd is needed in CI');
    return undefined;
  }
  const signatures = join(folder, 'signatures');
  mkdirSync(signatures, { mode: 0o755 });
  writeFileSync(join(signatures, 'own.ndb'), `Own.Eicar:0:0:${eicar().toString('hex')}\n`);
  return { CLAMD_MANAGED: 'true', CLAMD_DATABASE: signatures, CLAMD_CUSTOM_DB: 'trusted' };
}

/** Before this, harmless bytes would be called incomplete. */
export async function clamdAnswers(service: ServiceProcess): Promise<void> {
  await eventually(
    async () => {
      const { healthResults } = (await (await fetch(`${service.url}/health`)).json()) as {
        healthResults: { name: string; details: { degraded?: boolean } }[];
      };
      const malware = healthResults.find(({ name }) => name === 'malware');
      return malware !== undefined && malware.details.degraded !== true;
    },
    { timeoutMs: 30_000, what: 'clamd answers' },
  );
}
