import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';

const PATIENCE_MS = 120_000;

interface Report {
  readonly id: string;
  readonly status: string;
  readonly coverage: { readonly uploaded: number; readonly addsUp: boolean } | null;
}

/** Has the week told to an auditor, verifies the signed bundle on the screen, and shows that a changed copy fails. */
export async function reportOfTheWeek(
  service: ServiceProcess,
  folder: string,
  { days, say }: { readonly days: number; readonly say: (line: string) => void },
): Promise<void> {
  say('\n  And now the week, told to an auditor ...');
  const to = Date.now();
  const { id } = await service.api<Report>('/api/v1/reports', {
    method: 'POST',
    body: {
      kind: 'range',
      from: new Date(to - (days + 1) * 86_400_000).toISOString(),
      to: new Date(to).toISOString(),
    },
  });
  const report = await eventually(
    async () => {
      const found = await service.api<Report>(`/api/v1/reports/${id}`);
      if (found.status === 'failed') throw new Error('the report could not be made');
      return found.status === 'ready' ? found : undefined;
    },
    { timeoutMs: PATIENCE_MS, what: 'the report' },
  );
  const archive = join(folder, 'audit-report.zip');
  writeFileSync(archive, await download(service, `/api/v1/reports/${id}/bundle`));
  const bundle = join(folder, 'audit-report');
  unpack(archive, bundle);
  say(
    `  ${report.coverage?.uploaded ?? 0} uploads, ${report.coverage?.addsUp === true ? 'all accounted for' : 'NOT all accounted for'}: ${service.url}/reports/${id}\n`,
  );
  verify(bundle, say);

  const tampered = join(folder, 'audit-report-tampered');
  unpack(archive, tampered);
  const decisions = join(tampered, 'data', 'decisions.csv');
  writeFileSync(decisions, readFileSync(decisions, 'utf8').replace('release', 'reject'));
  say('\n  The same with one decision changed in a copy:\n');
  verify(tampered, say);
  say(`\n  Both are in ${folder} until Ctrl-C.\n`);
}

/** As an auditor does who trusts nothing but Node: by the program that is in the bundle. */
function verify(bundle: string, say: (line: string) => void): void {
  say(`  $ node verify.mjs                                  (in ${bundle})`);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['verify.mjs'], {
    cwd: bundle,
    encoding: 'utf8',
  });
  for (const line of `${stdout}${stderr}`.trimEnd().split('\n')) say(`  ${line}`);
  say(`  (ended with ${status})`);
}

function unpack(archive: string, folder: string): void {
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(archive)))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

async function download(service: ServiceProcess, path: string): Promise<Buffer> {
  const { keyId, keySecret } = service.credentials.apiKey;
  const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`;
  const answer = await fetch(service.url + path, { headers: { authorization } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}
